//! The outbox: every answer, with the id it is sent under, before it is sent. An answer that is sent
//! again after a crash has the same id, by which the recipient's WhatsApp knows it.

use api::link::LinkEventKind;
use api::records::{Direction, MessageState};
use chrono::{DateTime, Utc};
use rules::MediaReply;
use rusqlite::{Connection, OptionalExtension, params};

use crate::sends::Shape;

use super::{
    BotStore, Change, Pending, StoreError, chats, events, inbox, receipts, sends, webhooks,
};

/// An answer that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its row.
    pub seq: i64,
    /// To which chat.
    pub chat: String,
    /// Under which id.
    pub message_id: String,
    /// The text, or the caption.
    pub text: String,
    /// The file that is sent.
    pub media: Option<MediaReply>,
    /// What else it is, when it comes from outside.
    pub shape: Shape,
    /// How often it was tried in vain while WhatsApp was connected.
    pub tries: u32,
    /// Whether it is a message from outside, which no contact waits for.
    pub from_outside: bool,
}

/// What is sent, under which id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// WhatsApp's id for it.
    pub message_id: String,
    /// The text, or the caption.
    pub text: String,
    /// The file.
    pub media: Option<MediaReply>,
}

/// What was decided about a message; it is stored all at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// What is sent.
    pub answer: Option<Answer>,
    /// What changes about the chat.
    pub change: Change,
    /// What the control plane hears: name and detail of an event.
    pub note: Option<(&'static str, String)>,
    /// The rule that asks the webhook; the message waits for its answer.
    pub ask: Option<String>,
}

impl BotStore {
    /// Stores what was decided about a message. An answer is bound to it: from here on it is sent
    /// under its id, whatever happens.
    ///
    /// # Errors
    /// See [`StoreError`]; then nothing was stored.
    pub fn settle(
        &self,
        pending: &Pending,
        settlement: &Settlement,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.transact(|transaction| {
            if let Some(rule) = &settlement.ask {
                return webhooks::ask(transaction, pending, rule, now);
            }
            if let Some(answer) = &settlement.answer {
                bind(transaction, pending, answer, now)?;
            }
            let alias = pending.alias.as_deref();
            chats::change(transaction, &pending.chat, alias, settlement.change, now)?;
            if settlement.change == Change::OptedOut {
                sends::drop_opted_out(transaction, &pending.chat, alias, now)?;
            }
            if let Some((name, detail)) = &settlement.note {
                let (name, detail) = ((*name).to_owned(), detail.clone());
                events::insert(transaction, &LinkEventKind::Note { name, detail }, now)?;
            }
            webhooks::forget(transaction, pending.seq)?;
            inbox::settle(transaction, pending.seq)
        })?;
        if settlement.ask.is_some() {
            self.questions.notify_one();
        }
        if settlement.note.is_some() {
            self.events.notify_one();
        }
        Ok(())
    }

    /// The oldest answer that is due; messages from outside come after all answers. A chat's second message is not
    /// due before its first is done.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn next_outgoing(&self, now: DateTime<Utc>) -> Result<Option<Outgoing>, StoreError> {
        let sql = "SELECT seq, chat, message_id, text, tries, media, shape, send_id IS NOT NULL FROM outbox AS o
                   WHERE pending AND due_at <= ?1 AND NOT EXISTS
                   (SELECT 1 FROM outbox AS p WHERE p.pending AND p.chat = o.chat AND p.seq < o.seq)
                   ORDER BY send_id IS NOT NULL, seq LIMIT 1";
        let connection = self.lock();
        let mut statement = connection.prepare(sql)?;
        let row = statement.query_row([now.timestamp_millis()], |row| {
            let outgoing = Outgoing {
                seq: row.get(0)?,
                chat: row.get(1)?,
                message_id: row.get(2)?,
                text: row.get(3)?,
                tries: row.get(4)?,
                from_outside: row.get(7)?,
                media: None,
                shape: Shape::default(),
            };
            Ok((outgoing, row.get::<_, Option<String>>(5)?, row.get::<_, Option<String>>(6)?))
        });
        let Some((outgoing, media, shape)) = row.optional()? else { return Ok(None) };
        let damaged = |error: serde_json::Error| {
            StoreError::Damaged(format!("outbox {}: {error}", outgoing.seq))
        };
        let media = media.map(|text| serde_json::from_str(&text)).transpose().map_err(damaged)?;
        let shape = shape.map(|text| serde_json::from_str(&text)).transpose().map_err(damaged)?;
        Ok(Some(Outgoing { media, shape: shape.unwrap_or_default(), ..outgoing }))
    }

    /// When the next answer that waits becomes due.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn next_due(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let sql = "SELECT min(due_at) FROM outbox WHERE pending";
        let due: Option<i64> = self.lock().prepare(sql)?.query_row([], |row| row.get(0))?;
        Ok(due.map(super::time))
    }

    /// Notes that the answer goes out now, for the rate limit of a process that comes after.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn trying(&self, outgoing: &Outgoing, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE outbox SET tried_at = ?2 WHERE seq = ?1";
        let values = params![outgoing.seq, now.timestamp_millis()];
        self.lock().prepare(sql)?.execute(values)?;
        Ok(())
    }

    /// When answers went out since `since`, in milliseconds since the epoch.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn tried_since(&self, since: DateTime<Utc>) -> Result<Vec<i64>, StoreError> {
        let connection = self.lock();
        let mut statement =
            connection.prepare("SELECT tried_at FROM outbox WHERE tried_at > ?1")?;
        let rows = statement.query_map([since.timestamp_millis()], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// WhatsApp has the answer: it is done, and the control plane will hear of it.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn sent(&self, outgoing: &Outgoing, now: DateTime<Utc>) -> Result<(), StoreError> {
        let kind = LinkEventKind::Message {
            message_id: outgoing.message_id.clone(),
            chat: outgoing.chat.clone(),
            direction: Direction::Out,
            text: logged(outgoing),
        };
        self.finish(outgoing, Some(&kind), MessageState::Sent, None, now)
    }

    /// The answer is given up, and the control plane will hear why.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn give_up(
        &self,
        outgoing: &Outgoing,
        why: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let detail =
            format!("the answer {} to {} was not sent: {why}", outgoing.message_id, outgoing.chat);
        let note = LinkEventKind::Note { name: "answer.failed".to_owned(), detail };
        self.finish(outgoing, Some(&note), MessageState::Failed, Some(why), now)
    }

    /// The answer failed and is tried again at `due`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn retry(&self, outgoing: &Outgoing, due: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE outbox SET tries = tries + 1, due_at = ?2 WHERE seq = ?1";
        let values = params![outgoing.seq, due.timestamp_millis()];
        self.lock().prepare(sql)?.execute(values)?;
        Ok(())
    }

    /// The answer in this row was not tried in earnest, and is at `due`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn postpone(&self, outgoing: i64, due: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE outbox SET due_at = ?2 WHERE seq = ?1";
        let values = params![outgoing, due.timestamp_millis()];
        self.lock().prepare(sql)?.execute(values)?;
        Ok(())
    }

    fn finish(
        &self,
        outgoing: &Outgoing,
        kind: Option<&LinkEventKind>,
        state: MessageState,
        reason: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.transact(|transaction| {
            let word = if state == MessageState::Sent { "sent" } else { "failed" };
            // A receipt may have been faster than the acknowledgement.
            let sql = "UPDATE outbox SET pending = 0, text = '', reason = ?3,
                       state = CASE WHEN state IN ('delivered', 'read') THEN state ELSE ?2 END
                       WHERE seq = ?1 AND pending";
            if transaction.prepare(sql)?.execute(params![outgoing.seq, word, reason])? == 1 {
                if let Some(kind) = kind {
                    events::insert(transaction, kind, now)?;
                }
                let (message_id, reason) = (outgoing.message_id.clone(), reason.map(str::to_owned));
                events::insert(
                    transaction,
                    &LinkEventKind::State { message_id, state, reason },
                    now,
                )?;
                // Said before the message was, it was not heard.
                receipts::repeat(transaction, &outgoing.message_id, now)?;
            }
            Ok(())
        })?;
        self.events.notify_one();
        self.sends.notify_one();
        Ok(())
    }
}

fn bind(
    connection: &Connection,
    pending: &Pending,
    answer: &Answer,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let media = answer.media.as_ref().map(serde_json::to_string).transpose();
    let media = media.map_err(|error| StoreError::Damaged(error.to_string()))?;
    let sql = "INSERT INTO outbox (inbox_seq, chat, message_id, text, media, pending, due_at)
               VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6)";
    let now = now.timestamp_millis();
    let values = params![pending.seq, pending.chat, answer.message_id, answer.text, media, now];
    connection.prepare(sql)?.execute(values)?;
    Ok(())
}

/// The answer as the message log shows it.
fn logged(outgoing: &Outgoing) -> String {
    match (&outgoing.media, outgoing.text.as_str()) {
        (None, text) => text.to_owned(),
        (Some(media), "") => format!("[{}]", media.kind.as_str()),
        (Some(media), caption) => format!("[{}] {caption}", media.kind.as_str()),
    }
}
