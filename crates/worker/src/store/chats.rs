//! What is known of each chat: whether it is new, opted out, or handed over to a person.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use super::{StoreError, time};

/// How a chat stands when one of its messages is decided about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether the message is the first of the contact.
    pub first_contact: bool,
    /// Whether the contact has opted out.
    pub opted_out: bool,
    /// Until when the chat is handed over.
    pub handed_over_until: Option<DateTime<Utc>>,
}

/// What a decision changes about a chat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    #[default]
    Nothing,
    /// A person takes over until then.
    HandedOver(DateTime<Utc>),
    /// The contact opts out.
    OptedOut,
    /// The contact opts in again. A hand-over ends with it.
    OptedIn,
}

/// Notes a message of a chat; the row of its inbox is `seq`.
pub(super) fn meet(connection: &Connection, chat: &str, seq: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO chat (chat, first_seq) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    connection.prepare(sql)?.execute(params![chat, seq])?;
    Ok(())
}

/// How a chat stands for the message in row `seq`.
pub(super) fn standing(
    connection: &Connection,
    chat: &str,
    seq: i64,
) -> Result<Standing, StoreError> {
    let sql = "SELECT first_seq, opted_out_at, handed_over_until FROM chat WHERE chat = ?1";
    let found = connection.prepare(sql)?.query_row([chat], |row| {
        let first: i64 = row.get(0)?;
        let opted_out: Option<i64> = row.get(1)?;
        let until: Option<i64> = row.get(2)?;
        Ok(Standing {
            first_contact: first == seq,
            opted_out: opted_out.is_some(),
            handed_over_until: until.map(time),
        })
    });
    let unmet = Standing { first_contact: true, ..Standing::default() };
    Ok(found.optional()?.unwrap_or(unmet))
}

/// Makes a decision's change.
pub(super) fn change(
    connection: &Connection,
    chat: &str,
    change: Change,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (sql, at) = match change {
        Change::Nothing => return Ok(()),
        Change::HandedOver(until) => {
            ("UPDATE chat SET handed_over_until = ?2 WHERE chat = ?1", Some(until))
        }
        Change::OptedOut => ("UPDATE chat SET opted_out_at = ?2 WHERE chat = ?1", Some(now)),
        Change::OptedIn => {
            ("UPDATE chat SET opted_out_at = ?2, handed_over_until = ?2 WHERE chat = ?1", None)
        }
    };
    let at = at.map(|at| at.timestamp_millis());
    connection.prepare(sql)?.execute(params![chat, at])?;
    Ok(())
}
