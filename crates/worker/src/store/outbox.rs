//! The outbox: every answer, with the id it is sent under, before it is sent. An answer that is sent
//! again after a crash has the same id, by which the recipient's WhatsApp knows it.

use api::link::LinkEventKind;
use api::records::Direction;
use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, params};

use super::{BotStore, Pending, StoreError, events, inbox};

/// An answer that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its row.
    pub seq: i64,
    /// To which chat.
    pub chat: String,
    /// Under which id.
    pub message_id: String,
    /// The text.
    pub text: String,
    /// How often it was tried in vain while WhatsApp was connected.
    pub tries: u32,
}

impl BotStore {
    /// Binds an answer to a message: from here on it is sent under `message_id`, whatever happens.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn answer(
        &self,
        pending: &Pending,
        message_id: &str,
        text: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.transact(|transaction| {
            let sql = "INSERT INTO outbox (inbox_seq, chat, message_id, text, pending, due_at)
                       VALUES (?1, ?2, ?3, ?4, 1, ?5)";
            let now = now.timestamp_millis();
            transaction.prepare(sql)?.execute(params![
                pending.seq,
                pending.chat,
                message_id,
                text,
                now
            ])?;
            inbox::settle(transaction, pending.seq)
        })
    }

    /// The oldest answer that is due. A chat's second answer is not due before its first is done.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn next_outgoing(&self, now: DateTime<Utc>) -> Result<Option<Outgoing>, StoreError> {
        let sql = "SELECT seq, chat, message_id, text, tries FROM outbox AS o
                   WHERE pending AND due_at <= ?1 AND NOT EXISTS
                   (SELECT 1 FROM outbox AS p WHERE p.pending AND p.chat = o.chat AND p.seq < o.seq)
                   ORDER BY seq LIMIT 1";
        let connection = self.lock();
        let mut statement = connection.prepare(sql)?;
        let row = statement.query_row([now.timestamp_millis()], |row| {
            Ok(Outgoing {
                seq: row.get(0)?,
                chat: row.get(1)?,
                message_id: row.get(2)?,
                text: row.get(3)?,
                tries: row.get(4)?,
            })
        });
        Ok(row.optional()?)
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
            text: outgoing.text.clone(),
        };
        self.finish(outgoing, &kind, now)
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
        self.finish(
            outgoing,
            &LinkEventKind::Note { name: "answer.failed".to_owned(), detail },
            now,
        )
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

    /// The answer was not tried in earnest, and is at `due`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn postpone(&self, outgoing: &Outgoing, due: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE outbox SET due_at = ?2 WHERE seq = ?1";
        let values = params![outgoing.seq, due.timestamp_millis()];
        self.lock().prepare(sql)?.execute(values)?;
        Ok(())
    }

    fn finish(
        &self,
        outgoing: &Outgoing,
        kind: &LinkEventKind,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.transact(|transaction| {
            let sql = "UPDATE outbox SET pending = 0, text = '' WHERE seq = ?1 AND pending";
            if transaction.prepare(sql)?.execute([outgoing.seq])? == 1 {
                events::insert(transaction, kind, now)?;
            }
            Ok(())
        })?;
        self.events.notify_one();
        Ok(())
    }
}
