//! The inbox: every message that came in, before WhatsApp hears that it did.

use api::link::LinkEventKind;
use api::records::Direction;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use super::{BotStore, StoreError, events};

/// So many messages of one chat may wait for their answers; what comes beyond is logged and gets
/// none, so that one contact cannot fill the disk or take the tenant's whole rate.
pub(super) const PER_CHAT: i64 = 100;

/// How long an answered message is remembered, so that its redelivery is known for one: WhatsApp
/// keeps undelivered messages for 30 days.
const REMEMBER_MS: i64 = 45 * 24 * 3_600_000;

/// A message as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The chat's WhatsApp address.
    pub chat: String,
    /// Who wrote it.
    pub sender: String,
    /// WhatsApp's id, unique within chat and sender.
    pub message_id: String,
    /// The text.
    pub text: String,
    /// When it was sent, as WhatsApp says.
    pub at: DateTime<Utc>,
    /// Whether it is to be answered.
    pub wants_answer: bool,
}

/// A message that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its row.
    pub seq: i64,
    /// Its chat.
    pub chat: String,
}

impl BotStore {
    /// Stores messages and their events, all or none; those that are there already are passed over.
    /// How many were new is returned.
    ///
    /// # Errors
    /// See [`StoreError`]; then nothing was stored.
    pub fn receive(&self, messages: &[Incoming], now: DateTime<Utc>) -> Result<usize, StoreError> {
        let new = self.transact(|transaction| {
            let mut new = 0;
            for message in messages {
                new += usize::from(receive(transaction, message, now)?);
            }
            Ok(new)
        })?;
        if new > 0 {
            self.events.notify_one();
            self.inbox.notify_one();
        }
        Ok(new)
    }

    /// The oldest message that waits for its answer and whose chat has no answer under way.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn next_pending(&self) -> Result<Option<Pending>, StoreError> {
        let sql = "SELECT seq, chat FROM inbox WHERE pending
                   AND chat NOT IN (SELECT chat FROM outbox WHERE pending) ORDER BY seq LIMIT 1";
        let connection = self.lock();
        let mut statement = connection.prepare(sql)?;
        let row = statement
            .query_row([], |row| Ok(Pending { seq: row.get(0)?, chat: row.get(1)? }))
            .optional()?;
        Ok(row)
    }

    /// The message gets no answer.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn pass_over(&self, pending: &Pending) -> Result<(), StoreError> {
        settle(&self.lock(), pending.seq)
    }

    /// Forgets messages that were answered so long ago that WhatsApp does not redeliver them.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn forget_old(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let before = now.timestamp_millis() - REMEMBER_MS;
        self.transact(|transaction| {
            transaction.execute(
                "DELETE FROM outbox WHERE NOT pending AND inbox_seq IN
                 (SELECT seq FROM inbox WHERE NOT pending AND received_at < ?1)",
                [before],
            )?;
            transaction.execute(
                "DELETE FROM inbox WHERE NOT pending AND received_at < ?1
                 AND seq NOT IN (SELECT inbox_seq FROM outbox)",
                [before],
            )?;
            Ok(())
        })
    }
}

/// The message needs nothing more; its text is not kept longer than needed.
pub(super) fn settle(connection: &Connection, seq: i64) -> Result<(), StoreError> {
    let sql = "UPDATE inbox SET pending = 0, text = '' WHERE seq = ?1";
    connection.prepare(sql)?.execute([seq])?;
    Ok(())
}

fn receive(
    connection: &Connection,
    message: &Incoming,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let waiting: i64 = connection
        .prepare("SELECT count(*) FROM inbox WHERE pending AND chat = ?1")?
        .query_row([&message.chat], |row| row.get(0))?;
    let pending = message.wants_answer && waiting < PER_CHAT;
    let text = if pending { message.text.as_str() } else { "" };
    let sql = "INSERT INTO inbox (chat, sender, message_id, text, at, received_at, pending)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
    let inserted = connection.prepare(sql)?.execute(params![
        message.chat,
        message.sender,
        message.message_id,
        text,
        message.at.timestamp_millis(),
        now.timestamp_millis(),
        pending
    ])?;
    if inserted == 0 {
        return Ok(false);
    }
    let kind = LinkEventKind::Message {
        message_id: message.message_id.clone(),
        chat: message.chat.clone(),
        direction: Direction::In,
        text: message.text.clone(),
    };
    events::insert(connection, &kind, message.at)?;
    // Said by the message that fills the queue, once, not by each that finds it full.
    if pending && waiting + 1 == PER_CHAT {
        let detail = format!(
            "{PER_CHAT} messages of {} wait for answers; until some are sent, further ones are logged but not answered",
            message.chat
        );
        let kind = LinkEventKind::Note { name: "chat.flooded".to_owned(), detail };
        events::insert(connection, &kind, now)?;
    }
    Ok(true)
}
