//! Questions to the tenant's webhook: each is a row from the decision to ask until what came of it
//! is stored, so that a crash asks again, about the same message under the same id.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::inbox::{self, Pending};
use super::{BotStore, StoreError, events, time};
use api::link::LinkEventKind;

/// A question that waits for the webhook's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The message that it is about.
    pub message: Pending,
    /// The rule that asks.
    pub rule: String,
    /// How often it was asked in vain.
    pub tries: u32,
}

impl BotStore {
    /// Waits until a question was stored since the last wait.
    pub async fn question_came(&self) {
        self.questions.notified().await;
    }

    /// The oldest questions that are due, at most `limit`. One that is due in a day is of a clock
    /// that was wrong, and so is due now.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn due_questions(
        &self,
        now: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Question>, StoreError> {
        let sql = format!(
            "SELECT {}, w.rule, w.tries FROM webhook w JOIN inbox i ON i.seq = w.inbox_seq
             WHERE w.answer IS NULL AND (w.due_at <= ?1 OR w.due_at > ?1 + 86400000) ORDER BY w.due_at, w.inbox_seq LIMIT ?2",
            inbox::COLUMNS
        );
        let connection = self.lock();
        let mut statement = connection.prepare(&sql)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![now.timestamp_millis(), limit], question)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// When the next question becomes due that is not yet.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn next_question_due(
        &self,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let sql = "SELECT min(due_at) FROM webhook WHERE answer IS NULL AND due_at > ?1";
        let now = now.timestamp_millis();
        let due: Option<i64> = self.lock().prepare(sql)?.query_row([now], |row| row.get(0))?;
        Ok(due.map(time))
    }

    /// The webhook answered; the answer is bound to the message when it can be sent.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn question_answered(&self, question: &Question, answer: &str) -> Result<(), StoreError> {
        let sql = "UPDATE webhook SET answer = ?2 WHERE inbox_seq = ?1";
        self.lock().prepare(sql)?.execute(params![question.message.seq, answer])?;
        self.inbox.notify_one();
        Ok(())
    }

    /// The webhook did not answer; it is asked again at `due`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn ask_again(&self, question: &Question, due: DateTime<Utc>) -> Result<(), StoreError> {
        let sql = "UPDATE webhook SET tries = tries + 1, due_at = ?2 WHERE inbox_seq = ?1";
        let values = params![question.message.seq, due.timestamp_millis()];
        self.lock().prepare(sql)?.execute(values)?;
        Ok(())
    }

    /// The question is given up: the message gets no answer, and the control plane hears why.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn question_failed(
        &self,
        question: &Question,
        why: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let message = &question.message;
        let detail = format!(
            "rule {:?} asked the webhook about the message {} of {}: {why}; it gets no answer",
            question.rule, message.message_id, message.chat
        );
        let kind = LinkEventKind::Note { name: "webhook.failed".to_owned(), detail };
        self.transact(|transaction| {
            forget(transaction, message.seq)?;
            inbox::settle(transaction, message.seq)?;
            events::insert(transaction, &kind, now)
        })?;
        self.events.notify_one();
        // The chat's next message has its turn.
        self.inbox.notify_one();
        Ok(())
    }
}

fn question(row: &Row<'_>) -> rusqlite::Result<Question> {
    Ok(Question { message: inbox::pending(row)?, rule: row.get("rule")?, tries: row.get("tries")? })
}

/// Puts a question.
pub(super) fn ask(
    connection: &Connection,
    message: &Pending,
    rule: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO webhook (inbox_seq, chat, rule, due_at) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT DO NOTHING";
    let values = params![message.seq, message.chat, rule, now.timestamp_millis()];
    connection.prepare(sql)?.execute(values)?;
    Ok(())
}

/// What the webhook answered about the message in row `seq`.
pub(super) fn answer(connection: &Connection, seq: i64) -> Result<Option<String>, StoreError> {
    let sql = "SELECT answer FROM webhook WHERE inbox_seq = ?1";
    let found: Option<Option<String>> =
        connection.prepare(sql)?.query_row([seq], |row| row.get(0)).optional()?;
    Ok(found.flatten())
}

/// Forgets a question.
pub(super) fn forget(connection: &Connection, seq: i64) -> Result<(), StoreError> {
    connection.prepare("DELETE FROM webhook WHERE inbox_seq = ?1")?.execute([seq])?;
    Ok(())
}
