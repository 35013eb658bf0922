//! How much waits in the store.

use super::{BotStore, StoreError};

/// How many rows wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depths {
    /// Messages that came in and are not dealt with.
    pub inbox: u64,
    /// Messages that wait to be sent.
    pub outbox: u64,
    /// Events that the control plane has yet to hear.
    pub events: u64,
}

impl BotStore {
    /// Counts what waits: the indices on what is pending hold nothing else. Of the events the spread
    /// of their numbers is taken, which needs no scan and is too large at most by dropped notes.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn depths(&self) -> Result<Depths, StoreError> {
        let sql = "SELECT (SELECT count(*) FROM inbox WHERE pending),
                          (SELECT count(*) FROM outbox WHERE pending),
                          (SELECT coalesce(max(seq) - min(seq) + 1, 0) FROM event)";
        let count =
            |row: &rusqlite::Row<'_>, index| row.get::<_, i64>(index).map(i64::unsigned_abs);
        Ok(self.lock().prepare(sql)?.query_row([], |row| {
            Ok(Depths { inbox: count(row, 0)?, outbox: count(row, 1)?, events: count(row, 2)? })
        })?)
    }
}
