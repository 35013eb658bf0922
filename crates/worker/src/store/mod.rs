//! The worker's own database, `bot.db` in the session's directory: what came in ([`inbox`]), what
//! goes out ([`outbox`]), what the control plane has yet to hear ([`events`]), and a few settings.
//!
//! Once a row of the inbox is committed, WhatsApp is told to forget the message, and once an outbox
//! row is, its id is bound to be sent. So a commit must survive a power cut: `synchronous=FULL`, one
//! fsync of the log per commit. A tenant's few messages a minute do not feel it.
//!
//! The calls block for that fsync on the worker's only thread; a queue to another thread would cost
//! more memory than it saves time.

mod events;
mod inbox;
mod outbox;
mod settings;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeZone, Utc};
use rusqlite::{Connection, Transaction};
use tokio::sync::Notify;
use uuid::Uuid;

pub use inbox::{Incoming, Pending};
pub use outbox::Outgoing;

#[cfg(test)]
mod tests;

/// The layout of the tables that this program knows.
const LAYOUT: i64 = 1;

/// Statements that make the tables.
const TABLES: &str = "
CREATE TABLE inbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    chat TEXT NOT NULL,
    sender TEXT NOT NULL,
    message_id TEXT NOT NULL,
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    pending INTEGER NOT NULL,
    UNIQUE (chat, sender, message_id)
);
CREATE INDEX inbox_pending ON inbox (chat, seq) WHERE pending;
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    inbox_seq INTEGER NOT NULL UNIQUE,
    chat TEXT NOT NULL,
    message_id TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL,
    pending INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    tried_at INTEGER
);
CREATE INDEX outbox_pending ON outbox (chat, seq) WHERE pending;
CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    is_note INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
";

/// Why the worker's database could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite says no.
    #[error(
        "the worker's database (bot.db in the session's directory) failed: {0}; check the disk's space and health"
    )]
    Sqlite(#[from] rusqlite::Error),
    /// A newer program wrote it.
    #[error(
        "the worker's database (bot.db) has layout {found}, this program knows up to {LAYOUT}; run the newer program"
    )]
    Newer {
        /// The layout found.
        found: i64,
    },
    /// A value in it is not what this program writes.
    #[error("the worker's database (bot.db) holds something that this program did not write: {0}")]
    Damaged(String),
}

/// The worker's database.
#[derive(Debug)]
pub struct BotStore {
    connection: Mutex<Connection>,
    store_id: Uuid,
    /// Rung when an event was stored.
    events: Notify,
    /// Rung when a message came in that wants an answer.
    inbox: Notify,
}

impl BotStore {
    /// Opens the database at `path`, and makes its tables when there are none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut connection = Connection::open(path)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA cache_size = -64;
             PRAGMA journal_size_limit = 1048576;",
        )?;
        migrate(&mut connection)?;
        let store_id = settings::store_id(&connection)?;
        Ok(Self {
            connection: Mutex::new(connection),
            store_id,
            events: Notify::new(),
            inbox: Notify::new(),
        })
    }

    /// The id of this store's numbering of events.
    #[must_use]
    pub fn store_id(&self) -> Uuid {
        self.store_id
    }

    /// Waits until an event was stored since the last wait.
    pub async fn events_stored(&self) {
        self.events.notified().await;
    }

    /// Waits until a message came in since the last wait.
    pub async fn message_came(&self) {
        self.inbox.notified().await;
    }

    /// Does several things at once, or none.
    fn transact<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// A panic between two statements cannot leave the connection half-way: an open transaction is
    /// rolled back when it is dropped. So a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction()?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    match found {
        0 => {
            transaction.execute_batch(TABLES)?;
            transaction.pragma_update(None, "user_version", LAYOUT)?;
            transaction.commit()?;
            Ok(())
        }
        LAYOUT => Ok(()),
        found => Err(StoreError::Newer { found }),
    }
}

/// A time from its column.
fn time(ms: i64) -> DateTime<Utc> {
    Utc.timestamp_millis_opt(ms).single().unwrap_or_default()
}
