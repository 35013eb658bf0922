//! What can still be read of a damaged database goes into a new one.

use std::fmt;
use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Transaction, params_from_iter};

use crate::store::{BotStore, Mended, StoreError};

/// What was saved.
#[derive(Debug)]
pub(super) struct Saved {
    rows: usize,
    /// The tables of which something is lost.
    incomplete: Vec<String>,
    mended: Mended,
}

impl fmt::Display for Saved {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of its rows could be read and were kept", self.rows)?;
        if !self.incomplete.is_empty() {
            let tables = self.incomplete.join(", ");
            write!(formatter, ", something is lost of the tables {tables}")?;
        }
        if self.incomplete.iter().any(|table| table == "chat") {
            formatter.write_str(
                "; contacts who opted out may be answered again: the events contact.opted_out name them",
            )?;
        }
        let Mended { settled, unknown } = self.mended;
        if settled > 0 {
            write!(formatter, "; {settled} messages that seemed to wait had their answers")?;
        }
        if unknown > 0 {
            write!(
                formatter,
                "; of {unknown} messages from outside it is not known whether they were sent, and they are not sent again"
            )?;
        }
        Ok(())
    }
}

/// Makes a database at `fresh`, an empty file, with every row of `damaged` that can be read. It is whole and
/// without a log when this returns. The damaged one is left as it is.
///
/// # Errors
/// See [`StoreError`]: it is the fresh database that fails.
pub(super) fn rows(damaged: &Path, fresh: &Path, now: DateTime<Utc>) -> Result<Saved, StoreError> {
    drop(BotStore::open(fresh)?);
    let mut connection = Connection::open(fresh)?;
    let transaction = connection.transaction()?;
    let (mut rows, mut incomplete) = (0, Vec::new());
    let damaged = open_damaged(damaged);
    for table in names(&transaction, "SELECT name FROM sqlite_schema WHERE type = 'table'")? {
        if table.starts_with("sqlite_") {
            continue;
        }
        let (saved, whole) = match &damaged {
            Ok(damaged) => Table::new(damaged, &transaction, &table)?.copy()?,
            Err(_) => (0, false),
        };
        rows += saved;
        if !whole {
            incomplete.push(table);
        }
    }
    let goes_on = match &damaged {
        Ok(damaged) => go_on_counting(damaged, &transaction)?,
        Err(_) => false,
    };
    transaction.commit()?;
    drop(connection);
    let mended = BotStore::open(fresh)?.mend(!goes_on, now)?;
    // Leaving this mode deletes the log, so that one file is all there is.
    Connection::open(fresh)?.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    Ok(Saved { rows, incomplete, mended })
}

fn open_damaged(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let damaged = Connection::open_with_flags(path, flags)?;
    // What is kept for whoever can mend it keeps its log.
    damaged.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(damaged)
}

/// One table, from the damaged database to the fresh one.
struct Table<'a> {
    damaged: &'a Connection,
    fresh: &'a Connection,
    name: &'a str,
    /// The columns that both have.
    columns: Vec<String>,
    /// Their types.
    types: Vec<String>,
    /// The order of the rows on the disk.
    key: String,
}

impl<'a> Table<'a> {
    fn new(
        damaged: &'a Connection,
        fresh: &'a Connection,
        name: &'a str,
    ) -> Result<Self, StoreError> {
        // A table of an older layout, or an unreadable one, has fewer columns, or none.
        let sql = format!("SELECT name FROM pragma_table_info('{name}')");
        let theirs = names(damaged, &sql).unwrap_or_default();
        let ours = names(fresh, &sql)?;
        let columns: Vec<String> = ours.into_iter().filter(|it| theirs.contains(it)).collect();
        let of = |column: &String| -> Result<String, rusqlite::Error> {
            let sql = format!("SELECT type FROM pragma_table_info('{name}') WHERE name = ?1");
            fresh.query_row(&sql, [column], |row| row.get(0))
        };
        let types = columns.iter().map(of).collect::<Result<_, _>>()?;
        let sql = format!("SELECT name FROM pragma_table_info('{name}') WHERE pk = 1");
        let key = fresh.query_row(&sql, [], |row| row.get(0))?;
        Ok(Self { damaged, fresh, name, columns, types, key })
    }

    /// Copies the rows from the first on until one cannot be read, and then from the last on: the newest are worth
    /// most. Gives how many were new, and whether all could be read.
    fn copy(&self) -> Result<(usize, bool), StoreError> {
        if self.columns.is_empty() {
            return Ok((0, false));
        }
        let (first, whole) = self.pass("ASC")?;
        if whole {
            return Ok((first, true));
        }
        Ok((first + self.pass("DESC")?.0, false))
    }

    fn pass(&self, order: &str) -> Result<(usize, bool), StoreError> {
        let (name, key, list) = (self.name, &self.key, self.columns.join(", "));
        let places = vec!["?"; self.columns.len()].join(", ");
        let sql = format!("INSERT OR IGNORE INTO {name} ({list}) VALUES ({places})");
        let mut insert = self.fresh.prepare(&sql)?;
        let sql = format!("SELECT {list} FROM {name} ORDER BY {key} {order}");
        let Ok(mut select) = self.damaged.prepare(&sql) else { return Ok((0, false)) };
        let Ok(mut found) = select.query([]) else { return Ok((0, false)) };
        let (mut saved, mut whole) = (0, true);
        loop {
            let row = match found.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok((saved, whole)),
                Err(_) => return Ok((saved, false)),
            };
            let values = (0..self.columns.len()).map(|index| row.get::<_, Value>(index));
            match values.collect::<Result<Vec<_>, _>>() {
                Ok(values) if values.iter().zip(&self.types).all(fits) => {
                    saved += insert.execute(params_from_iter(values))?;
                }
                // One row that makes no sense.
                _ => whole = false,
            }
        }
    }
}

/// Whether a value can be of this column: one that is not would upset whoever reads it.
fn fits((value, kind): (&Value, &String)) -> bool {
    match value {
        Value::Null => true,
        Value::Integer(_) => kind == "INTEGER",
        Value::Text(_) => kind == "TEXT",
        Value::Real(_) => kind == "REAL",
        Value::Blob(_) => kind == "BLOB",
    }
}

/// Goes on with the numbering of events, if the old one is known; else it begins anew, with an id of its own, and
/// the control plane takes what it last knew of as lost.
fn go_on_counting(damaged: &Connection, fresh: &Transaction<'_>) -> Result<bool, StoreError> {
    let id = "SELECT value FROM setting WHERE name = 'store_id'";
    let seq = "SELECT seq FROM sqlite_sequence WHERE name = 'event'";
    let (Ok(id), Ok(seq)) = (
        damaged.query_row(id, [], |row| row.get::<_, String>(0)),
        damaged.query_row(seq, [], |row| row.get::<_, i64>(0)),
    ) else {
        return Ok(false);
    };
    if id.parse::<uuid::Uuid>().is_err() || !(0..i64::MAX / 2).contains(&seq) {
        return Ok(false);
    }
    fresh.execute("UPDATE setting SET value = ?1 WHERE name = 'store_id'", [id])?;
    // A disk that spoils pages may also bring back an old one: numbers only have to grow.
    let sql = "INSERT INTO event (seq, at, is_note, body)
               SELECT 1000000 + max(?1, coalesce(max(seq), 0)), 0, 1, '' FROM event";
    fresh.execute(sql, [seq])?;
    fresh.execute("DELETE FROM event WHERE body = ''", [])?;
    Ok(true)
}

fn names(connection: &Connection, sql: &str) -> Result<Vec<String>, rusqlite::Error> {
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}
