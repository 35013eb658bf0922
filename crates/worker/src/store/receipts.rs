//! How far a message that went out has come, as those say who it went to.

use api::link::LinkEventKind;
use api::records::MessageState;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::{BotStore, StoreError, events};

/// What a receipt says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is on the recipient's phone.
    Delivered,
    /// The recipient has seen it.
    Read,
}

impl Receipt {
    const fn state(self) -> (MessageState, &'static str) {
        match self {
            Self::Delivered => (MessageState::Delivered, "delivered"),
            Self::Read => (MessageState::Read, "read"),
        }
    }
}

/// Tells once more of a receipt that was faster than the acknowledgement, if there was one.
pub(super) fn repeat(
    connection: &Connection,
    message_id: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "SELECT state FROM outbox WHERE message_id = ?1";
    let word: String = connection.prepare(sql)?.query_row([message_id], |row| row.get(0))?;
    for (state, name) in [Receipt::Delivered.state(), Receipt::Read.state()] {
        if word == name {
            let kind =
                LinkEventKind::State { message_id: message_id.to_owned(), state, reason: None };
            events::insert(connection, &kind, now)?;
        }
    }
    Ok(())
}

impl BotStore {
    /// Notes a receipt for these messages, each of which only ever moves on, and tells the control plane. Messages that
    /// this worker did not send, and what a receipt says once more, change nothing.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn received(
        &self,
        message_ids: &[String],
        receipt: Receipt,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (state, word) = receipt.state();
        let moved = self.transact(|transaction| {
            let sql = "UPDATE outbox SET state = ?2 WHERE message_id = ?1 AND
                       (state IN ('queued', 'sent') OR state = 'delivered' AND ?2 = 'read')";
            let mut moved = 0;
            for message_id in message_ids {
                if transaction.prepare(sql)?.execute(params![message_id, word])? == 1 {
                    let message_id = message_id.clone();
                    let kind = LinkEventKind::State { message_id, state, reason: None };
                    events::insert(transaction, &kind, now)?;
                    moved += 1;
                }
            }
            Ok(moved)
        })?;
        if moved > 0 {
            self.events.notify_one();
        }
        Ok(())
    }
}
