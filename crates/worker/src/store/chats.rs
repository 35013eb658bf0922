//! What is known of each chat: whether it is new, opted out, or handed over to a person.
//!
//! A contact may write under a phone number or under a LID, and WhatsApp often says both. Each address
//! has a row, and what is written of one is written of both, so that nobody who opted out is
//! written to because they come by the other.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

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
pub(super) fn meet(
    connection: &Connection,
    chat: &str,
    alias: Option<&str>,
    seq: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO chat (chat, first_seq) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    let mut statement = connection.prepare(sql)?;
    let mut new = statement.execute(params![chat, seq])?;
    let Some(alias) = alias else { return Ok(()) };
    new += statement.execute(params![alias, seq])?;
    if new == 0 {
        return Ok(());
    }
    // A new address of a known contact: it takes over what is known by the other.
    let sql = "UPDATE chat SET
         first_seq = (SELECT min(first_seq) FROM chat WHERE chat IN (?1, ?2)),
         opted_out_at = (SELECT max(opted_out_at) FROM chat WHERE chat IN (?1, ?2)),
         handed_over_until = (SELECT max(handed_over_until) FROM chat WHERE chat IN (?1, ?2))
         WHERE chat IN (?1, ?2)";
    connection.prepare(sql)?.execute([chat, alias])?;
    Ok(())
}

/// How a chat stands for the message in row `seq`.
pub(super) fn standing(
    connection: &Connection,
    chat: &str,
    alias: Option<&str>,
    seq: i64,
) -> Result<Standing, StoreError> {
    let sql = "SELECT min(first_seq), max(opted_out_at), max(handed_over_until)
               FROM chat WHERE chat IN (?1, ?2)";
    let found = connection.prepare(sql)?.query_row([chat, alias.unwrap_or(chat)], |row| {
        let first: Option<i64> = row.get(0)?;
        let opted_out: Option<i64> = row.get(1)?;
        let until: Option<i64> = row.get(2)?;
        Ok(Standing {
            first_contact: first.is_none_or(|first| first == seq),
            opted_out: opted_out.is_some(),
            handed_over_until: until.map(time),
        })
    })?;
    Ok(found)
}

/// Makes a decision's change.
pub(super) fn change(
    connection: &Connection,
    chat: &str,
    alias: Option<&str>,
    change: Change,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let alias = alias.unwrap_or(chat);
    let set = |sql: &str, at: DateTime<Utc>| -> Result<(), StoreError> {
        connection.prepare(sql)?.execute(params![chat, alias, at.timestamp_millis()])?;
        Ok(())
    };
    match change {
        Change::Nothing => Ok(()),
        Change::HandedOver(until) => {
            set("UPDATE chat SET handed_over_until = ?3 WHERE chat IN (?1, ?2)", until)
        }
        Change::OptedOut => set("UPDATE chat SET opted_out_at = ?3 WHERE chat IN (?1, ?2)", now),
        Change::OptedIn => {
            let sql = "UPDATE chat SET opted_out_at = NULL, handed_over_until = NULL
                       WHERE chat IN (?1, ?2)";
            connection.prepare(sql)?.execute([chat, alias])?;
            Ok(())
        }
    }
}
