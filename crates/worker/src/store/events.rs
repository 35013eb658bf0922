//! Events that the control plane has yet to hear.

use api::link::{LinkEvent, LinkEventKind, MAX_EVENTS};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::{BotStore, StoreError, time};

/// So many events are kept while no control plane takes them. Beyond, the oldest notes go first;
/// messages never do.
pub(super) const KEPT: i64 = 100_000;

/// A batch ends after so many bytes of events, so that it stays well within the size of a request
/// body that the control plane takes; a single larger event still goes.
const BATCH_BYTES: usize = 256 * 1024;

impl BotStore {
    /// Keeps a note for the control plane.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn note(&self, name: &str, detail: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let kind = LinkEventKind::Note { name: name.to_owned(), detail: detail.to_owned() };
        self.transact(|transaction| {
            insert(transaction, &kind, now)?;
            let dropped = drop_oldest_notes(transaction, KEPT)?;
            if dropped > 0 {
                tracing::warn!(dropped, "dropped the oldest notes: too many events wait");
            }
            Ok(())
        })?;
        self.events.notify_one();
        Ok(())
    }

    /// The oldest events, at most [`MAX_EVENTS`]; empty when there are none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn oldest_events(&self) -> Result<Vec<LinkEvent>, StoreError> {
        let connection = self.lock();
        let sql = "SELECT seq, at, body FROM event ORDER BY seq LIMIT ?1";
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([i64::try_from(MAX_EVENTS).unwrap_or(i64::MAX)])?;
        let (mut events, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let (seq, at, body): (i64, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            bytes += body.len();
            if bytes > BATCH_BYTES && !events.is_empty() {
                break;
            }
            let kind = serde_json::from_str(&body)
                .map_err(|error| StoreError::Damaged(format!("event {seq}: {error}")))?;
            events.push(LinkEvent { seq: seq.unsigned_abs(), at: time(at), kind });
        }
        Ok(events)
    }

    /// Forgets the events up to and with `seq`: the control plane has them. What a power cut brings
    /// back is said again, and known by its number.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn forget_events(&self, seq: u64) -> Result<(), StoreError> {
        let seq = i64::try_from(seq).unwrap_or(i64::MAX);
        self.relaxed(|connection| {
            connection.prepare("DELETE FROM event WHERE seq <= ?1")?.execute([seq])?;
            Ok(())
        })
    }
}

/// Keeps an event; the caller's transaction makes it one with what it tells of.
pub(super) fn insert(
    connection: &Connection,
    kind: &LinkEventKind,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let body =
        serde_json::to_string(kind).map_err(|error| StoreError::Damaged(error.to_string()))?;
    let is_note = matches!(kind, LinkEventKind::Note { .. });
    let sql = "INSERT INTO event (at, is_note, body) VALUES (?1, ?2, ?3)";
    connection.prepare(sql)?.execute(params![at.timestamp_millis(), is_note, body])?;
    Ok(())
}

/// Drops the oldest notes until at most `kept` events are left, or no notes.
pub(super) fn drop_oldest_notes(connection: &Connection, kept: i64) -> Result<usize, StoreError> {
    let spread: i64 = connection
        .prepare("SELECT coalesce(max(seq) - min(seq) + 1, 0) FROM event")?
        .query_row([], |row| row.get(0))?;
    // The numbers' spread is never less than the count, and needs no scan.
    if spread <= kept {
        return Ok(0);
    }
    let count: i64 = connection.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?;
    let sql = "DELETE FROM event WHERE seq IN
               (SELECT seq FROM event WHERE is_note ORDER BY seq LIMIT ?1)";
    Ok(connection.prepare(sql)?.execute([(count - kept).max(0)])?)
}
