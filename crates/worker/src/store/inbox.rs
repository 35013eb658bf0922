//! The inbox: every message that came in, before WhatsApp hears that it did.

use api::link::LinkEventKind;
use api::records::Direction;
use chrono::{DateTime, Utc};
use rules::Media;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::addresses::{self, is_group};
use super::{BotStore, Standing, StoreError, chats, events, sends, time, webhooks};

/// So many messages of one chat may wait for their answers; what comes beyond is logged and gets
/// none, so that one contact cannot fill the disk or take the tenant's whole rate.
pub(super) const PER_CHAT: i64 = 100;

/// How long an answered message is remembered, so that its redelivery is known for one: WhatsApp
/// keeps undelivered messages for 30 days.
const REMEMBER_MS: i64 = 45 * 24 * 3_600_000;

/// A message as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The group that it was written in.
    pub group: Option<String>,
    /// The address of who wrote it.
    pub author: String,
    /// The author's other address, where WhatsApp says it: the number of a LID, the LID of a number.
    pub alias: Option<String>,
    /// WhatsApp's id, unique within chat and author.
    pub message_id: String,
    /// What kind it is.
    pub media: Media,
    /// The text or caption; may be empty unless it is a text.
    pub text: String,
    /// What the contact calls themselves.
    pub name: String,
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
    /// Its chat: a contact, under whatever address it writes, or a group.
    pub chat: String,
    /// See [`Incoming::author`].
    pub author: String,
    /// The author's phone number, digits only; empty where it is not known.
    pub number: String,
    /// WhatsApp's id.
    pub message_id: String,
    /// What kind it is.
    pub media: Media,
    /// The text or caption.
    pub text: String,
    /// What the contact calls themselves.
    pub name: String,
    /// When it was sent.
    pub at: DateTime<Utc>,
}

impl Pending {
    /// Where the answer goes: to the address that was written from, whatever the chat is known by.
    #[must_use]
    pub fn address(&self) -> &str {
        if is_group(&self.chat) { &self.chat } else { &self.author }
    }
}

/// The columns of a [`Pending`], of the table `inbox` as `i`.
pub(super) const COLUMNS: &str =
    "i.seq, i.chat, i.author, i.message_id, i.media, i.text, i.name, i.at,
     (SELECT address FROM address AS a
      WHERE a.chat = i.sender AND a.address LIKE '%@s.whatsapp.net' LIMIT 1) AS number";

/// A message from its row.
pub(super) fn pending(row: &Row<'_>) -> rusqlite::Result<Pending> {
    let media: String = row.get("media")?;
    let media = Media::ALL.iter().find(|kind| kind.as_str() == media);
    let number: Option<String> = row.get("number")?;
    let digits = number.as_deref().and_then(|number| number.split_once('@'));
    Ok(Pending {
        seq: row.get("seq")?,
        chat: row.get("chat")?,
        author: row.get("author")?,
        number: digits.map(|(digits, _)| digits.to_owned()).unwrap_or_default(),
        message_id: row.get("message_id")?,
        media: media.copied().unwrap_or(Media::Text),
        text: row.get("text")?,
        name: row.get("name")?,
        at: time(row.get("at")?),
    })
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

    /// The oldest message after the row `after` that waits for its answer and whose chat has no answer
    /// or question under way. A chat's second message is not offered before its first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn pending_after(&self, after: i64) -> Result<Option<Pending>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM inbox AS i WHERE pending AND seq > ?1
             AND NOT EXISTS (SELECT 1 FROM inbox AS e
                             WHERE e.pending AND e.chat = i.chat AND e.seq < i.seq)
             AND chat NOT IN (SELECT chat FROM outbox WHERE pending AND send_id IS NULL)
             AND chat NOT IN (SELECT chat FROM webhook WHERE answer IS NULL)
             ORDER BY seq LIMIT 1"
        );
        let connection = self.lock();
        let mut statement = connection.prepare(&sql)?;
        Ok(statement.query_row([after], pending).optional()?)
    }

    /// How the message's chat stands.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn standing(&self, pending: &Pending) -> Result<Standing, StoreError> {
        chats::standing(&self.lock(), &pending.chat, pending.seq)
    }

    /// What the webhook answered about the message, if it was asked.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn webhook_answer(&self, pending: &Pending) -> Result<Option<String>, StoreError> {
        webhooks::answer(&self.lock(), pending.seq)
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
                 AND seq NOT IN (SELECT inbox_seq FROM outbox WHERE inbox_seq IS NOT NULL)",
                [before],
            )?;
            sends::forget_old(transaction, now)?;
            Ok(())
        })
    }
}

/// The message needs nothing more; its text is not kept longer than needed.
pub(super) fn settle(connection: &Connection, seq: i64) -> Result<(), StoreError> {
    let sql = "UPDATE inbox SET pending = 0, text = '', name = '' WHERE seq = ?1";
    connection.prepare(sql)?.execute([seq])?;
    Ok(())
}

fn receive(
    connection: &Connection,
    message: &Incoming,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let sender = addresses::resolve(connection, &message.author, message.alias.as_deref())?;
    let chat = message.group.as_ref().unwrap_or(&sender);
    let waiting: i64 = connection
        .prepare("SELECT count(*) FROM inbox WHERE pending AND chat = ?1")?
        .query_row([chat], |row| row.get(0))?;
    let pending = message.wants_answer && waiting < PER_CHAT;
    let kept = |text| if pending { text } else { "" };
    let sql = "INSERT INTO inbox
               (chat, sender, message_id, text, at, received_at, pending, author, media, name)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING";
    let inserted = connection.prepare(sql)?.execute(params![
        chat,
        sender,
        message.message_id,
        kept(message.text.as_str()),
        message.at.timestamp_millis(),
        now.timestamp_millis(),
        pending,
        message.author,
        message.media.as_str(),
        kept(message.name.as_str()),
    ])?;
    if inserted == 0 {
        return Ok(false);
    }
    chats::meet(connection, chat, connection.last_insert_rowid())?;
    let kind = LinkEventKind::Message {
        message_id: message.message_id.clone(),
        chat: chat.clone(),
        direction: Direction::In,
        text: logged(message),
    };
    events::insert(connection, &kind, message.at)?;
    // Said by the message that fills the queue, once, not by each that finds it full.
    if pending && waiting + 1 == PER_CHAT {
        let detail = format!(
            "{PER_CHAT} messages of {chat} wait for answers; until some are sent, further ones are logged but not answered"
        );
        let kind = LinkEventKind::Note { name: "chat.flooded".to_owned(), detail };
        events::insert(connection, &kind, now)?;
    }
    Ok(true)
}

/// The message as the message log shows it; in a group, with its author.
fn logged(message: &Incoming) -> String {
    let text = match (message.media, message.text.as_str()) {
        (Media::Text, text) => text.to_owned(),
        (media, "") => format!("[{}]", media.as_str()),
        (media, caption) => format!("[{}] {caption}", media.as_str()),
    };
    if message.group.is_none() {
        return text;
    }
    let who = if message.name.is_empty() { &message.author } else { &message.name };
    format!("{who}: {text}")
}
