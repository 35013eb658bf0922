//! Rows that were saved from a damaged database, and may lack the rows that they belong to, become rows
//! that this program could have written.

use api::link::LinkEventKind;
use api::records::MessageState;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::{BotStore, StoreError, events};

/// What became of messages whose other half is lost: a stable word, and more.
const LOST: &str = "worker_lost_it: the worker's database (bot.db) was damaged with the message in it; it may or may not have been sent";

/// What was found about the saved rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mended {
    /// Messages that seemed to wait for an answer, and had one.
    pub settled: usize,
    /// Messages from outside of which it is not known whether they were sent.
    pub unknown: usize,
}

/// Numbers that rows refer to are not given again: an answer is bound to its message by its number.
const NUMBERS: &str = "
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'inbox', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'inbox');
UPDATE sqlite_sequence SET seq = max(seq,
    (SELECT coalesce(max(seq), 0) FROM inbox),
    (SELECT coalesce(max(inbox_seq), 0) FROM outbox),
    (SELECT coalesce(max(inbox_seq), 0) FROM webhook),
    (SELECT coalesce(max(first_seq), 0) FROM chat)) WHERE name = 'inbox';
";

/// A message waits exactly as long as no answer is bound to it, for both are written at once: one that waits is
/// answered. That its answer, or that of a later message of its chat, is there shows that its row is an old one.
const ANSWERED: &str = "
UPDATE inbox SET pending = 0, text = '', name = '' WHERE pending AND EXISTS
    (SELECT 1 FROM outbox AS o WHERE o.chat = inbox.chat AND o.inbox_seq >= inbox.seq)";

/// A question without its message would hold up its chat for ever.
const QUESTIONS: &str =
    "DELETE FROM webhook WHERE inbox_seq NOT IN (SELECT seq FROM inbox WHERE pending)";

/// Whoever wrote before is no newcomer.
const CHATS: &str = "
INSERT OR IGNORE INTO chat (chat, first_seq) SELECT DISTINCT chat, 0 FROM inbox;
INSERT OR IGNORE INTO chat (chat, first_seq) SELECT DISTINCT alias, 0 FROM inbox WHERE alias IS NOT NULL;
";

/// A message from outside that is in the outbox waits no more, and is known when it comes again.
const SENDS: &str = "
UPDATE send SET waits = 0, body = '' WHERE waits AND send_id IN
    (SELECT send_id FROM outbox WHERE send_id IS NOT NULL);
INSERT OR IGNORE INTO send
    (send_id, message_id, chat, body, received_at, expires_at, due_at, waits)
    SELECT send_id, message_id, chat, '', due_at, due_at + 86400000, due_at, 0
    FROM outbox WHERE send_id IS NOT NULL;
";

impl BotStore {
    /// Makes saved rows fit each other. `is_anew`: the numbering of events begins anew, so that the control plane
    /// takes the messages from outside that were handed over for failed; then they are, and are not sent.
    ///
    /// # Errors
    /// See [`StoreError`]; then nothing was changed.
    pub fn mend(&self, is_anew: bool, now: DateTime<Utc>) -> Result<Mended, StoreError> {
        self.transact(|transaction| {
            transaction.execute_batch(NUMBERS)?;
            let settled = transaction.execute(ANSWERED, [])?;
            transaction.execute(QUESTIONS, [])?;
            transaction.execute_batch(CHATS)?;
            transaction.execute_batch(SENDS)?;
            if is_anew {
                let sql = "UPDATE outbox SET pending = 0, text = '', media = NULL, shape = NULL,
                           state = 'failed', reason = ?1 WHERE pending AND send_id IS NOT NULL";
                transaction.execute(sql, [LOST])?;
                let sql = "UPDATE send SET waits = 0, body = '', reason = ?1 WHERE waits";
                transaction.execute(sql, [LOST])?;
            }
            let unknown = fail_lost(transaction, now)?;
            tell_states(transaction, now)?;
            Ok(Mended { settled, unknown })
        })
    }
}

/// Fails what left the waiting room, and of which nothing shows where it came to.
fn fail_lost(connection: &Connection, now: DateTime<Utc>) -> Result<usize, StoreError> {
    let sql =
        "SELECT seq, message_id FROM send WHERE NOT waits AND reason IS NULL AND send_id NOT IN
               (SELECT send_id FROM outbox WHERE send_id IS NOT NULL)";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows = rows.collect::<Result<Vec<(i64, String)>, _>>()?;
    for (seq, message_id) in &rows {
        connection.execute("UPDATE send SET reason = ?2 WHERE seq = ?1", params![seq, LOST])?;
        tell(connection, message_id.clone(), MessageState::Failed, Some(LOST.to_owned()), now)?;
    }
    Ok(rows.len())
}

/// Tells once more how far the messages from outside have come, for the events of it may be lost.
fn tell_states(connection: &Connection, now: DateTime<Utc>) -> Result<(), StoreError> {
    let sql = "SELECT message_id, state, reason FROM outbox
               WHERE send_id IS NOT NULL AND state <> 'queued' ORDER BY seq";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, word, reason): (String, String, Option<String>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        if let Some(state) = MessageState::ALL.into_iter().find(|state| state.as_str() == word) {
            tell(connection, id, state, reason, now)?;
        }
    }
    Ok(())
}

fn tell(
    connection: &Connection,
    message_id: String,
    state: MessageState,
    reason: Option<String>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    events::insert(connection, &LinkEventKind::State { message_id, state, reason }, now)
}
