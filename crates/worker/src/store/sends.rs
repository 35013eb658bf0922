//! Messages from outside, from the moment that the control plane hands one over until it is in the
//! outbox like any answer, or is refused.
//!
//! A row is written before the control plane hears that the worker has the message, with the id that
//! WhatsApp will know it by. It stays when the message is decided about, so that a command that is
//! said again (nobody heard that it was obeyed) is known for the same.

use api::link::{LinkEventKind, OutsideMessage};
use api::records::MessageState;
use chrono::{DateTime, Utc};
use rules::MediaReply;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::sends::Shape;

use super::addresses::{self, is_group};
use super::room::{CANDIDATE, Room};
use super::{BotStore, StoreError, chats, events};

/// How long a message that was decided about is remembered: longer than the control plane says it again.
const REMEMBER_MS: i64 = 45 * 24 * 3_600_000;

/// A message that waits for the look at its recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its row.
    pub seq: i64,
    /// Its recipient's chat.
    pub chat: String,
    /// The message.
    pub message: OutsideMessage,
    /// The id that it is sent under.
    pub message_id: String,
    /// How often its recipient was looked up in vain.
    pub tries: u32,
}

/// A message from outside as the outbox takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSend {
    /// The text, or the caption.
    pub text: String,
    /// The file.
    pub media: Option<MediaReply>,
    /// What else it is.
    pub shape: Shape,
}

impl BotStore {
    /// Takes a message from outside, once. That it is here is told each time; of one that is decided
    /// about, also what became of it.
    ///
    /// # Errors
    /// See [`StoreError`]; then it was not taken.
    pub fn accept(
        &self,
        message: &OutsideMessage,
        message_id: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let body = serde_json::to_string(message)
            .map_err(|error| StoreError::Damaged(error.to_string()))?;
        let send_id = message.send_id.to_string();
        self.transact(|transaction| {
            let sql = "INSERT INTO send
                       (send_id, message_id, chat, body, received_at, expires_at, due_at, waits)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?5, 1) ON CONFLICT (send_id) DO NOTHING";
            let (at, end) = (now.timestamp_millis(), message.expires_at.timestamp_millis());
            let chat = if is_group(&message.to) {
                message.to.clone()
            } else {
                addresses::resolve(transaction, &message.to, None)?
            };
            let values = params![send_id, message_id, chat, body, at, end];
            let is_new = transaction.prepare(sql)?.execute(values)? == 1;
            let sql = "SELECT message_id FROM send WHERE send_id = ?1";
            let message_id: String =
                transaction.prepare(sql)?.query_row([&send_id], |row| row.get(0))?;
            let kind = LinkEventKind::Accepted {
                send_id: message.send_id,
                message_id: message_id.clone(),
            };
            events::insert(transaction, &kind, now)?;
            if !is_new && let Some((state, reason)) = became(transaction, &send_id)? {
                let kind = LinkEventKind::State { message_id, state, reason };
                events::insert(transaction, &kind, now)?;
            }
            Ok(())
        })?;
        self.events.notify_one();
        self.sends.notify_one();
        Ok(())
    }

    /// The oldest message that waits, whose time has come and whose recipients there is room for. A
    /// contact's second does not overtake its first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn next_waiting(
        &self,
        room: Room,
        now: DateTime<Utc>,
    ) -> Result<Option<Waiting>, StoreError> {
        let sql = format!(
            "SELECT seq, body, message_id, tries, chat FROM send AS s
             WHERE {CANDIDATE} AND due_at <= ?3 ORDER BY seq LIMIT 1"
        );
        let values = params![room.known, room.strangers, now.timestamp_millis()];
        let row = self.lock().prepare(&sql)?.query_row(values, |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        });
        let Some((seq, body, message_id, tries, chat)) = row.optional()? else { return Ok(None) };
        let message = serde_json::from_str(&body)
            .map_err(|error| StoreError::Damaged(format!("send {seq}: {error}")))?;
        Ok(Some(Waiting { seq, chat, message, message_id, tries }))
    }

    /// When the next message that there is room for is due.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn next_send_due(&self, room: Room) -> Result<Option<DateTime<Utc>>, StoreError> {
        let sql = format!("SELECT min(due_at) FROM send AS s WHERE {CANDIDATE}");
        let values = [room.known, room.strangers];
        let due: Option<i64> = self.lock().prepare(&sql)?.query_row(values, |row| row.get(0))?;
        Ok(due.map(super::time))
    }

    /// When the next deadline of a message that was not tried is over.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn next_deadline(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let sql = "SELECT min(at) FROM (
                     SELECT expires_at AS at FROM send WHERE waits
                     UNION ALL
                     SELECT s.expires_at FROM outbox AS o JOIN send AS s ON s.send_id = o.send_id
                     WHERE o.pending AND o.tried_at IS NULL)";
        let due: Option<i64> = self.lock().prepare(sql)?.query_row([], |row| row.get(0))?;
        Ok(due.map(super::time))
    }

    /// Whether a contact is known to be on WhatsApp: it wrote, or was written to.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn is_acquainted(&self, chat: &str) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM chat WHERE chat = ?1) OR EXISTS
                   (SELECT 1 FROM send WHERE chat = ?1 AND NOT waits AND reason IS NULL)";
        Ok(self.lock().prepare(sql)?.query_row([chat], |row| row.get(0))?)
    }

    /// Whether a chat has opted out.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn has_opted_out(&self, chat: &str) -> Result<bool, StoreError> {
        Ok(chats::standing(&self.lock(), chat, 0)?.opted_out)
    }

    /// The chat of whoever has both addresses, which WhatsApp said of a number.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn same_contact(&self, address: &str, other: &str) -> Result<String, StoreError> {
        self.transact(|transaction| addresses::resolve(transaction, address, Some(other)))
    }

    /// Who wrote a message of a chat: a contact's address, or `None` inside for the bot itself; nothing
    /// when the message is not known.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn author(
        &self,
        chat: &str,
        message_id: &str,
    ) -> Result<Option<Option<String>>, StoreError> {
        let connection = self.lock();
        let sql = "SELECT author FROM inbox WHERE chat = ?1 AND message_id = ?2 LIMIT 1";
        let mut statement = connection.prepare(sql)?;
        if let Some(author) =
            statement.query_row([chat, message_id], |row| row.get(0)).optional()?
        {
            return Ok(Some(Some(author)));
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM outbox WHERE message_id = ?1)";
        let ours: bool = connection.prepare(sql)?.query_row([message_id], |row| row.get(0))?;
        Ok(ours.then_some(None))
    }

    /// The message could not be decided about, in earnest or not; it waits until `due`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn look_up_later(
        &self,
        waiting: &Waiting,
        was_try: bool,
        due: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE send SET tries = tries + ?3, due_at = ?2 WHERE seq = ?1";
        let values = params![waiting.seq, due.timestamp_millis(), i64::from(was_try)];
        self.lock().prepare(sql)?.execute(values)?;
        Ok(())
    }

    /// Moves a message that may go to the outbox.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn admit(
        &self,
        waiting: &Waiting,
        new: &NewSend,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let json = |error: serde_json::Error| StoreError::Damaged(error.to_string());
        let media = new.media.as_ref().map(serde_json::to_string).transpose().map_err(json)?;
        let shape = serde_json::to_string(&new.shape).map_err(json)?;
        self.transact(|transaction| {
            if settle(transaction, waiting.seq, None)? {
                // Its chat may have become another since it was looked at.
                let sql = "INSERT INTO outbox
                           (send_id, chat, address, message_id, text, media, shape, pending, due_at)
                           SELECT send_id, chat, ?2, message_id, ?3, ?4, ?5, 1, ?6
                           FROM send WHERE seq = ?1";
                let (seq, to) = (waiting.seq, &waiting.message.to);
                let values = params![seq, to, new.text, media, shape, now.timestamp_millis()];
                transaction.prepare(sql)?.execute(values)?;
            }
            Ok(())
        })?;
        self.inbox.notify_one();
        Ok(())
    }

    /// The message is not sent, and the control plane hears why: a stable word, `: `, and more.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn refuse(
        &self,
        waiting: &Waiting,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.transact(|transaction| {
            if settle(transaction, waiting.seq, Some(reason))? {
                failed(transaction, &waiting.message_id, reason, now)?;
            }
            Ok(())
        })?;
        self.events.notify_one();
        Ok(())
    }

    /// Fails what was not sent before its deadline. What was tried already is left to the tries.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn expire_sends(&self, now: DateTime<Utc>) -> Result<usize, StoreError> {
        let reason = "expired: it was not sent before its deadline (expires_at)";
        let expired = self.transact(|transaction| {
            // Two halves, each of which has its index: this is asked at each step.
            let sql = "SELECT seq, message_id FROM send WHERE waits AND expires_at <= ?1
                       UNION ALL
                       SELECT s.seq, s.message_id FROM outbox AS o JOIN send AS s ON s.send_id = o.send_id
                       WHERE o.pending AND o.tried_at IS NULL AND s.expires_at <= ?1 LIMIT 100";
            let mut statement = transaction.prepare(sql)?;
            let rows = statement.query_map([now.timestamp_millis()], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
            })?;
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            for (seq, message_id) in &rows {
                settle(transaction, *seq, Some(reason))?;
                drop_unsent(transaction, message_id, reason, now)?;
            }
            Ok(rows.len())
        })?;
        if expired > 0 {
            self.events.notify_one();
        }
        Ok(expired)
    }

    /// Whether a message's own copy of its file is still needed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn is_open(&self, send_id: Uuid) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM send WHERE send_id = ?1 AND waits) OR EXISTS
                   (SELECT 1 FROM outbox WHERE send_id = ?1 AND pending)";
        Ok(self.lock().prepare(sql)?.query_row([send_id.to_string()], |row| row.get(0))?)
    }

    /// Waits until a message from outside came, or one left the outbox, since the last wait.
    pub async fn sends_changed(&self) {
        self.sends.notified().await;
    }
}

/// Forgets messages that were decided about long ago.
pub(super) fn forget_old(connection: &Connection, now: DateTime<Utc>) -> Result<(), StoreError> {
    let before = now.timestamp_millis() - REMEMBER_MS;
    let sql = "DELETE FROM outbox WHERE NOT pending AND send_id IN
               (SELECT send_id FROM send WHERE expires_at < ?1)";
    connection.prepare(sql)?.execute([before])?;
    let sql = "DELETE FROM send WHERE NOT waits AND expires_at < ?1 AND send_id NOT IN
               (SELECT send_id FROM outbox WHERE pending AND send_id IS NOT NULL)";
    connection.prepare(sql)?.execute([before])?;
    Ok(())
}

/// The message waits no more; what it said is not kept here longer than needed.
pub(super) fn settle(
    connection: &Connection,
    seq: i64,
    reason: Option<&str>,
) -> Result<bool, StoreError> {
    let sql = "UPDATE send SET waits = 0, body = '', reason = ?2 WHERE seq = ?1 AND waits";
    Ok(connection.prepare(sql)?.execute(params![seq, reason])? == 1)
}

/// Fails the messages of a contact who opted out just now. One that is on its way may have arrived.
pub(super) fn drop_opted_out(
    connection: &Connection,
    chat: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "SELECT message_id FROM outbox WHERE pending AND send_id IS NOT NULL
               AND tried_at IS NULL AND chat = ?1";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([chat], |row| row.get(0))?;
    let reason = format!("opted_out: {chat} has opted out of messages; nothing was sent");
    for message_id in rows.collect::<Result<Vec<String>, _>>()? {
        drop_unsent(connection, &message_id, &reason, now)?;
    }
    Ok(())
}

/// Takes a message out of the outbox, if it is there, and tells that it failed.
fn drop_unsent(
    connection: &Connection,
    message_id: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "UPDATE outbox SET pending = 0, text = '', media = NULL, shape = NULL,
               state = 'failed', reason = ?2 WHERE message_id = ?1 AND pending";
    connection.prepare(sql)?.execute([message_id, reason])?;
    failed(connection, message_id, reason, now)
}

fn failed(
    connection: &Connection,
    message_id: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let kind = LinkEventKind::State {
        message_id: message_id.to_owned(),
        state: MessageState::Failed,
        reason: Some(reason.to_owned()),
    };
    events::insert(connection, &kind, now)
}

/// What became of a message that was decided about.
fn became(
    connection: &Connection,
    send_id: &str,
) -> Result<Option<(MessageState, Option<String>)>, StoreError> {
    let sql = "SELECT o.state, coalesce(o.reason, s.reason) FROM send AS s
               LEFT JOIN outbox AS o ON o.send_id = s.send_id WHERE s.send_id = ?1";
    let (state, reason): (Option<String>, Option<String>) =
        connection.prepare(sql)?.query_row([send_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some(word) = state else {
        return Ok(reason.map(|reason| (MessageState::Failed, Some(reason))));
    };
    let state = serde_json::from_value(serde_json::Value::String(word))
        .map_err(|error| StoreError::Damaged(format!("outbox of send {send_id}: {error}")))?;
    Ok(Some((state, reason)).filter(|(state, _)| *state != MessageState::Queued))
}
