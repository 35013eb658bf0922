//! For whom the outbox has room: strangers may wait for days, and shall keep nobody else waiting.

use super::{BotStore, StoreError};

/// For whom there is room in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// For groups and contacts who wrote.
    pub known: bool,
    /// For contacts who never wrote.
    pub strangers: bool,
}

/// Whether the recipient of `s` is a group or a contact who wrote.
const KNOWN: &str =
    "(s.chat LIKE '%@g.us' OR EXISTS (SELECT 1 FROM chat AS c WHERE c.chat = s.chat))";

/// Whether the message `s` is its recipient's next, and there is room for it: ?1 for who is known, ?2
/// for who is not.
pub(super) const CANDIDATE: &str = "waits
    AND NOT EXISTS (SELECT 1 FROM send AS e WHERE e.chat = s.chat AND e.seq < s.seq AND e.waits)
    AND CASE WHEN s.chat LIKE '%@g.us' OR EXISTS (SELECT 1 FROM chat AS c WHERE c.chat = s.chat)
        THEN ?1 ELSE ?2 END";

impl BotStore {
    /// For whom there is room in the outbox, which takes `most` messages from outside to each kind of
    /// recipient: strangers may have to wait for a day, and keep nobody else from being written to.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn room(&self, most: i64) -> Result<Room, StoreError> {
        let sql = format!(
            "SELECT count(*) FILTER (WHERE {KNOWN}), count(*) FILTER (WHERE NOT {KNOWN})
             FROM outbox AS s WHERE pending AND send_id IS NOT NULL"
        );
        let (known, strangers): (i64, i64) =
            self.lock().prepare(&sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Room { known: known < most, strangers: strangers < most })
    }
}
