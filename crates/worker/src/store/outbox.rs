//! The outbox: every answer, with the id it is sent under, before it is sent. An answer that is sent
//! again after a crash has the same id, by which the recipient's WhatsApp knows it.

use api::link::LinkEventKind;
use chrono::{DateTime, Utc};
use rules::MediaReply;
use rusqlite::{Connection, Row, params};

use crate::sends::{Quote, Shape};

use super::addresses::is_group;
use super::{BotStore, Change, Pending, StoreError, chats, events, inbox, sends, webhooks};

/// An answer that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its row.
    pub seq: i64,
    /// To which chat.
    pub chat: String,
    /// To which of the chat's addresses.
    pub address: String,
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
    /// Whether it has not been tried at all.
    pub fresh: bool,
    /// Whether it comes from outside: no contact waits for it.
    pub from_outside: bool,
    /// Whether it goes, from outside, to a contact who never wrote.
    pub cold: bool,
}

/// A message that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// To which chat.
    pub chat: String,
    /// When it was tried last, in milliseconds since the epoch.
    pub at_ms: i64,
    /// See [`Outgoing::cold`].
    pub cold: bool,
}

/// No message is due later than this from now, in milliseconds: what seems to be was stored by a clock
/// that was wrong, and is due now.
const LATEST_MS: i64 = 5 * 60_000;

/// So many characters of a message are quoted, at most.
const QUOTED: usize = 1_000;

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
    /// under its id, whatever happens. It is given back to be sent at once, and counts as tried.
    ///
    /// # Errors
    /// See [`StoreError`]; then nothing was stored.
    pub fn settle(
        &self,
        pending: &Pending,
        settlement: &Settlement,
        now: DateTime<Utc>,
    ) -> Result<Option<Outgoing>, StoreError> {
        let outgoing = self.transact(|transaction| {
            if let Some(rule) = &settlement.ask {
                webhooks::ask(transaction, pending, rule, now)?;
                return Ok(None);
            }
            let answer = settlement.answer.as_ref();
            let outgoing =
                answer.map(|answer| bind(transaction, pending, answer, now)).transpose()?;
            chats::change(transaction, &pending.chat, settlement.change, now)?;
            if settlement.change == Change::OptedOut {
                sends::drop_opted_out(transaction, &pending.chat, now)?;
            }
            if let Some((name, detail)) = &settlement.note {
                let (name, detail) = ((*name).to_owned(), detail.clone());
                events::insert(transaction, &LinkEventKind::Note { name, detail }, now)?;
            }
            webhooks::forget(transaction, pending.seq)?;
            inbox::settle(transaction, pending.seq)?;
            Ok(outgoing)
        })?;
        if settlement.ask.is_some() {
            self.questions.notify_one();
        }
        if settlement.note.is_some() {
            self.events.notify_one();
        }
        if settlement.change == Change::OptedOut {
            // What was dropped makes room for others.
            self.sends.notify_one();
        }
        Ok(outgoing)
    }

    /// What is due: first answers, then what comes from outside to contacts who wrote, then the cold;
    /// each in its order. A chat's second message is not due before its first is done, but an answer
    /// does not wait for what comes from outside.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn due(&self, now: DateTime<Utc>) -> Result<Vec<Outgoing>, StoreError> {
        let sql = "SELECT seq, chat, message_id, text, tries, media, shape, tried_at IS NULL, send_id IS NOT NULL AS is_outside,
                   send_id IS NOT NULL AND chat NOT LIKE '%@g.us' AND NOT EXISTS
                   (SELECT 1 FROM chat AS c WHERE c.chat = o.chat) AS is_cold, address
                   FROM outbox AS o
                   WHERE pending AND (due_at <= ?1 OR due_at > ?1 + ?2) AND NOT EXISTS
                   (SELECT 1 FROM outbox AS p WHERE p.pending AND p.chat = o.chat AND p.seq < o.seq
                    AND (o.send_id IS NOT NULL OR p.send_id IS NULL))
                   ORDER BY is_outside, is_cold, seq";
        let connection = self.lock();
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query(params![now.timestamp_millis(), LATEST_MS])?;
        let mut due = Vec::new();
        while let Some(row) = rows.next()? {
            due.push(outgoing(row)?);
        }
        Ok(due)
    }

    /// When the next message that waits becomes due.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn next_due(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, StoreError> {
        let sql = "SELECT min(due_at) FROM outbox WHERE pending AND due_at > ?1";
        let now = now.timestamp_millis();
        let due: Option<i64> = self.lock().prepare(sql)?.query_row([now], |row| row.get(0))?;
        Ok(due.map(super::time))
    }

    /// Notes that the message goes out now, for the limits of a process that comes after.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn trying(&self, outgoing: &Outgoing, now: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE outbox SET tried_at = ?2, cold = ?3 WHERE seq = ?1";
        let values = params![outgoing.seq, now.timestamp_millis(), outgoing.cold];
        self.lock().prepare(sql)?.execute(values)?;
        Ok(())
    }

    /// What was tried since `since`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn tried_since(&self, since: DateTime<Utc>) -> Result<Vec<Tried>, StoreError> {
        let connection = self.lock();
        let sql = "SELECT chat, tried_at, cold FROM outbox WHERE tried_at > ?1 ORDER BY tried_at";
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map([since.timestamp_millis()], |row| {
            Ok(Tried { chat: row.get(0)?, at_ms: row.get(1)?, cold: row.get(2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
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
}

/// A message from its row.
fn outgoing(row: &Row<'_>) -> Result<Outgoing, StoreError> {
    let seq: i64 = row.get(0)?;
    let damaged = |error: serde_json::Error| StoreError::Damaged(format!("outbox {seq}: {error}"));
    let (media, shape): (Option<String>, Option<String>) = (row.get(5)?, row.get(6)?);
    let media = media.map(|text| serde_json::from_str(&text)).transpose().map_err(damaged)?;
    let shape = shape.map(|text| serde_json::from_str(&text)).transpose().map_err(damaged)?;
    Ok(Outgoing {
        seq,
        chat: row.get(1)?,
        address: row.get(10)?,
        message_id: row.get(2)?,
        text: row.get(3)?,
        media,
        shape: shape.unwrap_or_default(),
        tries: row.get(4)?,
        fresh: row.get(7)?,
        from_outside: row.get(8)?,
        cold: row.get(9)?,
    })
}

fn bind(
    connection: &Connection,
    pending: &Pending,
    answer: &Answer,
    now: DateTime<Utc>,
) -> Result<Outgoing, StoreError> {
    let media = answer.media.as_ref().map(serde_json::to_string).transpose();
    let media = media.map_err(|error| StoreError::Damaged(error.to_string()))?;
    let shape = shape(pending);
    let as_text = serde_json::to_string(&shape);
    let as_text = as_text.map_err(|error| StoreError::Damaged(error.to_string()))?;
    let sql = "INSERT INTO outbox
               (inbox_seq, chat, address, message_id, text, media, shape, pending, due_at, tried_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?8)";
    connection.prepare(sql)?.execute(params![
        pending.seq,
        pending.chat,
        pending.address(),
        answer.message_id,
        answer.text,
        media,
        (shape != Shape::default()).then_some(as_text),
        now.timestamp_millis(),
    ])?;
    Ok(Outgoing {
        seq: connection.last_insert_rowid(),
        chat: pending.chat.clone(),
        address: pending.address().to_owned(),
        message_id: answer.message_id.clone(),
        text: answer.text.clone(),
        media: answer.media.clone(),
        shape,
        tries: 0,
        fresh: false,
        from_outside: false,
        cold: false,
    })
}

/// In a group an answer names the message that it answers.
fn shape(pending: &Pending) -> Shape {
    let quote = is_group(&pending.chat).then(|| Quote {
        message_id: pending.message_id.clone(),
        author: pending.author.clone(),
        text: pending.text.chars().take(QUOTED).collect(),
    });
    Shape { quote, ..Shape::default() }
}
