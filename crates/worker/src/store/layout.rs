//! The tables, and how those of an earlier program become ours.

use rusqlite::{Connection, Transaction};

use super::StoreError;

/// The layout of the tables that this program knows.
pub(super) const LAYOUT: i64 = 6;

/// What makes the tables of layout 1.
const FIRST: &str = "
CREATE TABLE inbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    chat TEXT NOT NULL,
    sender TEXT NOT NULL,
    message_id TEXT NOT NULL,
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    pending INTEGER NOT NULL,
    UNIQUE (chat, sender, message_id)
);
CREATE INDEX inbox_pending ON inbox (chat, seq) WHERE pending;
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    inbox_seq INTEGER NOT NULL UNIQUE,
    chat TEXT NOT NULL,
    message_id TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL,
    pending INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    tried_at INTEGER
);
CREATE INDEX outbox_pending ON outbox (chat, seq) WHERE pending;
CREATE TABLE event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    is_note INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
";

/// From layout 1 to 2: what rules look at, what is known of each chat, and questions to the webhook.
/// Whoever wrote before is no newcomer.
const RULES: &str = "
ALTER TABLE inbox ADD COLUMN alias TEXT;
ALTER TABLE inbox ADD COLUMN media TEXT NOT NULL DEFAULT 'text';
ALTER TABLE inbox ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN media TEXT;
CREATE TABLE chat (
    chat TEXT PRIMARY KEY,
    first_seq INTEGER NOT NULL,
    opted_out_at INTEGER,
    handed_over_until INTEGER
) WITHOUT ROWID;
INSERT INTO chat (chat, first_seq) SELECT chat, min(seq) FROM inbox GROUP BY chat;
CREATE TABLE webhook (
    inbox_seq INTEGER PRIMARY KEY,
    chat TEXT NOT NULL,
    rule TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    answer TEXT
);
";

/// From layout 2 to 3: an outgoing message need not answer one that came in, and has a state.
const STATES: &str = "
CREATE TABLE outbox_3 (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    inbox_seq INTEGER UNIQUE,
    send_id TEXT UNIQUE,
    chat TEXT NOT NULL,
    message_id TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL,
    media TEXT,
    pending INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    tried_at INTEGER,
    state TEXT NOT NULL DEFAULT 'queued',
    reason TEXT
);
INSERT INTO outbox_3 (seq, inbox_seq, chat, message_id, text, media, pending, tries, due_at, tried_at, state)
    SELECT seq, inbox_seq, chat, message_id, text, media, pending, tries, due_at, tried_at,
           CASE WHEN pending THEN 'queued' ELSE 'sent' END FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_3 RENAME TO outbox;
CREATE INDEX outbox_pending ON outbox (chat, seq) WHERE pending;
";

/// From layout 3 to 4: messages from outside, before they are in the outbox.
const SENDS: &str = "
CREATE TABLE send (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    send_id TEXT NOT NULL UNIQUE,
    message_id TEXT NOT NULL UNIQUE,
    chat TEXT NOT NULL,
    body TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    waits INTEGER NOT NULL,
    reason TEXT
);
CREATE INDEX send_waits ON send (seq) WHERE waits;
CREATE INDEX send_chat ON send (chat, seq);
ALTER TABLE outbox ADD COLUMN shape TEXT;
";

/// From layout 4 to 5: what pacing counts. `cold`: it went to a contact who had not written by then.
const PACING: &str = "
ALTER TABLE outbox ADD COLUMN cold INTEGER NOT NULL DEFAULT 0;
CREATE INDEX outbox_tried ON outbox (tried_at) WHERE tried_at IS NOT NULL;
UPDATE outbox SET pending = 0 WHERE state <> 'queued';
CREATE INDEX inbox_waiting ON inbox (seq) WHERE pending;
";

/// From layout 5 to 6: one chat for all addresses of a contact, see [`super::addresses`]. What was known
/// of each address was known of both.
const ADDRESSES: &str = "
CREATE TABLE address (address TEXT PRIMARY KEY, chat TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX address_chat ON address (chat);
CREATE INDEX inbox_alias ON inbox (alias, chat) WHERE alias IS NOT NULL;
INSERT INTO address (address, chat) SELECT chat, coalesce(
    (SELECT alias FROM inbox AS i WHERE i.chat = c.chat AND c.chat LIKE '%@lid'
     AND i.alias LIKE '%@s.whatsapp.net' ORDER BY i.seq DESC LIMIT 1),
    (SELECT i.chat FROM inbox AS i WHERE i.alias = c.chat AND c.chat LIKE '%@lid'
     AND i.chat LIKE '%@s.whatsapp.net' ORDER BY i.seq DESC LIMIT 1),
    chat) FROM chat AS c;
INSERT OR IGNORE INTO address (address, chat) SELECT chat, chat FROM address;
INSERT OR IGNORE INTO address (address, chat)
    SELECT chat, chat FROM send WHERE chat NOT LIKE '%@g.us';
DELETE FROM chat WHERE chat IN (SELECT address FROM address WHERE address <> chat);
DROP INDEX inbox_alias;
ALTER TABLE inbox DROP COLUMN alias;
ALTER TABLE inbox ADD COLUMN author TEXT NOT NULL DEFAULT '';
UPDATE inbox SET author = chat;
UPDATE OR IGNORE inbox SET
    chat = coalesce((SELECT a.chat FROM address AS a WHERE a.address = author), chat),
    sender = coalesce((SELECT a.chat FROM address AS a WHERE a.address = author), chat);
UPDATE webhook SET chat = coalesce((SELECT a.chat FROM address AS a WHERE a.address = webhook.chat), chat);
ALTER TABLE outbox ADD COLUMN address TEXT NOT NULL DEFAULT '';
UPDATE outbox SET address = chat;
UPDATE outbox SET chat = coalesce((SELECT a.chat FROM address AS a WHERE a.address = outbox.address), chat);
UPDATE send SET chat = coalesce((SELECT a.chat FROM address AS a WHERE a.address = send.chat), chat);
";

/// Brings the tables to [`LAYOUT`], or makes them: all of it, or nothing.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction()?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if !(0..=LAYOUT).contains(&found) {
        return Err(StoreError::Newer { found });
    }
    let steps: [&str; LAYOUT as usize] = [FIRST, RULES, STATES, SENDS, PACING, ADDRESSES];
    for step in steps.iter().skip(usize::try_from(found).unwrap_or_default()) {
        transaction.execute_batch(step)?;
    }
    finish(transaction, found)
}

fn finish(transaction: Transaction<'_>, found: i64) -> Result<(), StoreError> {
    if found != LAYOUT {
        transaction.pragma_update(None, "user_version", LAYOUT)?;
    }
    transaction.commit()?;
    Ok(())
}

/// What a program of layout 1 would have left.
#[cfg(test)]
pub(super) fn make_first(connection: &Connection) {
    connection.execute_batch(FIRST).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
}
