//! What becomes of an outgoing message: each change of its state is told to the control plane by an
//! event of the same transaction.

use api::link::LinkEventKind;
use api::records::{Direction, MessageState};
use chrono::{DateTime, Utc};
use rules::MediaReply;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{BotStore, Outgoing, StoreError, events};

/// A row, as far as its state needs it.
struct Standing {
    seq: i64,
    chat: String,
    state: MessageState,
    text: String,
    media: Option<String>,
}

impl BotStore {
    /// WhatsApp has the message.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn sent(&self, outgoing: &Outgoing, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.advance(&[&outgoing.message_id], MessageState::Sent, now)?;
        Ok(())
    }

    /// The messages of these ids have come to `next`, as far as they are ours and had not. How many
    /// that were is returned. Whoever hears that a message arrived need not hear that it was sent.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn advance(
        &self,
        message_ids: &[impl AsRef<str>],
        next: MessageState,
        now: DateTime<Utc>,
    ) -> Result<usize, StoreError> {
        let changed = self.transact(|transaction| {
            let mut changed = 0;
            for id in message_ids {
                changed += usize::from(change(transaction, id.as_ref(), next, None, now)?);
            }
            Ok(changed)
        })?;
        self.told(changed);
        Ok(changed)
    }

    /// The message is given up, and the control plane will hear why.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn give_up(
        &self,
        outgoing: &Outgoing,
        why: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (id, chat) = (&outgoing.message_id, &outgoing.chat);
        let detail = format!("the answer {id} to {chat} was not sent: {why}");
        let changed = self.transact(|transaction| {
            let changed = change(transaction, id, MessageState::Failed, Some(why), now)?;
            if changed {
                let name = "answer.failed".to_owned();
                events::insert(transaction, &LinkEventKind::Note { name, detail }, now)?;
            }
            Ok(changed)
        })?;
        self.told(usize::from(changed));
        Ok(())
    }

    fn told(&self, changed: usize) {
        if changed > 0 {
            self.events.notify_one();
            self.sends.notify_one();
        }
    }
}

fn change(
    connection: &Connection,
    message_id: &str,
    next: MessageState,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let sql = "SELECT seq, chat, state, text, media FROM outbox WHERE message_id = ?1";
    let row = connection.prepare(sql)?.query_row([message_id], standing).optional()?;
    let Some(row) = row.filter(|row| row.state.may_become(next)) else { return Ok(false) };
    // Its text is not kept longer than needed.
    let sql = "UPDATE outbox SET pending = 0, text = '', state = ?2, reason = ?3 WHERE seq = ?1";
    connection.prepare(sql)?.execute(params![row.seq, next.as_str(), reason])?;
    if row.state == MessageState::Queued && next != MessageState::Failed {
        let kind = LinkEventKind::Message {
            message_id: message_id.to_owned(),
            text: logged(&row)?,
            chat: row.chat,
            direction: Direction::Out,
        };
        events::insert(connection, &kind, now)?;
    }
    let kind = LinkEventKind::State {
        message_id: message_id.to_owned(),
        state: next,
        reason: reason.map(str::to_owned),
    };
    events::insert(connection, &kind, now)?;
    Ok(true)
}

fn standing(row: &Row<'_>) -> rusqlite::Result<Standing> {
    let word: String = row.get(2)?;
    let state = MessageState::ALL.into_iter().find(|state| state.as_str() == word);
    Ok(Standing {
        seq: row.get(0)?,
        chat: row.get(1)?,
        // A word of a later program: nothing is said of a state that is not understood.
        state: state.unwrap_or(MessageState::Failed),
        text: row.get(3)?,
        media: row.get(4)?,
    })
}

/// The message as the message log shows it.
fn logged(row: &Standing) -> Result<String, StoreError> {
    let Some(media) = &row.media else { return Ok(row.text.clone()) };
    let media: MediaReply = serde_json::from_str(media)
        .map_err(|error| StoreError::Damaged(format!("outbox {}: {error}", row.seq)))?;
    Ok(match row.text.as_str() {
        "" => format!("[{}]", media.kind.as_str()),
        caption => format!("[{}] {caption}", media.kind.as_str()),
    })
}
