//! Who is behind an address. WhatsApp writes of one contact now by phone number, now by LID; the same
//! message can come again under the other address, and a bot that takes the two for two people answers
//! it twice, or writes to somebody who opted out.
//!
//! So each contact has one address that it is known by here, its *chat*, which orders, limits, dedups
//! and names everything of it. It is the phone number where that was known when the contact was met,
//! else the LID, and stays: only when two that were met apart turn out to be one, the one that is known
//! by its number takes over the other. What is sent goes to the address that was written from.

use rusqlite::{Connection, OptionalExtension, params};

use super::StoreError;

/// Whether a chat is a group, which is known by its only address.
pub(crate) fn is_group(chat: &str) -> bool {
    chat.ends_with("@g.us")
}

fn is_number(address: &str) -> bool {
    address.ends_with("@s.whatsapp.net")
}

/// The chat of whoever has this address and, if WhatsApp says one, this other; both are known from now
/// on.
pub(super) fn resolve(
    connection: &Connection,
    address: &str,
    alias: Option<&str>,
) -> Result<String, StoreError> {
    let known = chat_of(connection, address)?;
    let Some(alias) = alias.filter(|alias| *alias != address) else {
        return match known {
            Some(chat) => Ok(chat),
            None => note(connection, address, address),
        };
    };
    match (known, chat_of(connection, alias)?) {
        (Some(chat), Some(other)) if chat == other => Ok(chat),
        (Some(chat), Some(other)) => merge(connection, chat, other),
        (Some(chat), None) => note(connection, alias, &chat),
        (None, Some(chat)) => note(connection, address, &chat),
        (None, None) => {
            let chat = if is_number(alias) { alias } else { address };
            note(connection, address, chat)?;
            note(connection, alias, chat)
        }
    }
}

fn chat_of(connection: &Connection, address: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT chat FROM address WHERE address = ?1";
    Ok(connection.prepare(sql)?.query_row([address], |row| row.get(0)).optional()?)
}

fn note(connection: &Connection, address: &str, chat: &str) -> Result<String, StoreError> {
    let sql = "INSERT INTO address (address, chat) VALUES (?1, ?2)";
    connection.prepare(sql)?.execute([address, chat])?;
    Ok(chat.to_owned())
}

/// Two that were met apart are one. A message that came by both is one as well.
fn merge(connection: &Connection, one: String, two: String) -> Result<String, StoreError> {
    let (chat, other) = if is_number(&two) && !is_number(&one) { (two, one) } else { (one, two) };
    let both = params![chat, other];
    for sql in [
        "UPDATE address SET chat = ?1 WHERE chat = ?2",
        // What is known of either holds; who never wrote by this address has no row yet.
        "INSERT OR IGNORE INTO chat (chat, first_seq)
         SELECT ?1, first_seq FROM chat WHERE chat = ?2",
        "UPDATE chat SET
         first_seq = (SELECT min(first_seq) FROM chat WHERE chat IN (?1, ?2)),
         opted_out_at = (SELECT max(opted_out_at) FROM chat WHERE chat IN (?1, ?2)),
         handed_over_until = (SELECT max(handed_over_until) FROM chat WHERE chat IN (?1, ?2))
         WHERE chat = ?1",
        "DELETE FROM chat WHERE chat = ?2",
        "UPDATE OR IGNORE inbox SET chat = ?1, sender = ?1 WHERE chat = ?2",
        "UPDATE OR IGNORE inbox SET sender = ?1 WHERE sender = ?2 AND chat <> ?2",
        // What is left came by both. It is answered once: not at all if either was decided about.
        "UPDATE inbox SET pending = 0 WHERE chat = ?1 AND pending AND EXISTS
         (SELECT 1 FROM inbox AS twin
          WHERE twin.chat = ?2 AND twin.message_id = inbox.message_id AND NOT twin.pending)",
        "DELETE FROM webhook WHERE inbox_seq IN (SELECT seq FROM inbox WHERE chat = ?2 AND pending)",
        "UPDATE inbox SET pending = 0 WHERE chat = ?2",
        "UPDATE webhook SET chat = ?1 WHERE chat = ?2",
        "UPDATE outbox SET chat = ?1 WHERE chat = ?2",
        "UPDATE send SET chat = ?1 WHERE chat = ?2",
    ] {
        connection.prepare(sql)?.execute(both)?;
    }
    Ok(chat)
}
