//! The worker's own database, `bot.db` in the session's directory: what came in ([`inbox`]), what
//! goes out ([`outbox`]), what is to be sent from outside ([`sends`]), how each chat stands ([`chats`]), whose an address is ([`addresses`]), what the webhook was asked
//! ([`webhooks`]), what the control plane has yet to hear ([`events`]), and a few settings.
//!
//! Once a row of the inbox is committed, WhatsApp is told to forget the message, and once an outbox
//! row is, its id is bound to be sent. So a commit must survive a power cut: `synchronous=FULL`, one
//! fsync of the log per commit. A tenant's few messages a minute do not feel it.
//!
//! The calls block for that fsync on the worker's only thread; a queue to another thread would cost
//! more memory than it saves time.

mod addresses;
mod chats;
mod depths;
mod events;
mod inbox;
mod layout;
mod mend;
mod outbox;
mod room;
mod sends;
mod settings;
mod states;
mod webhooks;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeZone, Utc};
use rusqlite::{Connection, Transaction};
use tokio::sync::Notify;
use uuid::Uuid;

use layout::LAYOUT;

pub(crate) use addresses::is_group;
pub use chats::{Change, Standing};
pub use depths::Depths;
pub use inbox::{Incoming, Pending};
pub use mend::Mended;
pub use outbox::{Answer, Outgoing, Settlement, Tried};
pub use sends::{NewSend, Waiting};
pub use webhooks::Question;

#[cfg(test)]
mod tests;

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
    /// Rung when a message came in that wants an answer, or the webhook answered about one.
    inbox: Notify,
    /// Rung when the webhook is to be asked.
    questions: Notify,
    /// Rung when a message from outside came, or one left the outbox.
    sends: Notify,
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
        layout::migrate(&mut connection)?;
        let store_id = settings::store_id(&connection)?;
        Ok(Self {
            connection: Mutex::new(connection),
            store_id,
            events: Notify::new(),
            inbox: Notify::new(),
            questions: Notify::new(),
            sends: Notify::new(),
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

    /// Waits until a message came in, or the webhook answered, since the last wait.
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

    /// Does what need not survive a power cut, without its fsync.
    fn relaxed<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let connection = self.lock();
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let done = work(&connection);
        connection.pragma_update(None, "synchronous", "FULL")?;
        done
    }

    /// A panic between two statements cannot leave the connection half-way: an open transaction is
    /// rolled back when it is dropped. So a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A time from its column.
fn time(ms: i64) -> DateTime<Utc> {
    Utc.timestamp_millis_opt(ms).single().unwrap_or_default()
}
