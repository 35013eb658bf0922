//! What can still be read of a damaged database goes into a new one.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};

use crate::store::StoreError;

/// Copies every row of `damaged` that can be read into the tables of `fresh`, which has the layout of this program,
/// and says how many they were. The numbering of events begins anew: of the old one it is not known how far it had come.
///
/// # Errors
/// See [`StoreError`]: the fresh database fails, or the damaged one cannot even be opened.
pub(super) fn rows(damaged: &Path, fresh: &Path) -> Result<usize, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let damaged = Connection::open_with_flags(damaged, flags)?;
    let mut fresh = Connection::open(fresh)?;
    let transaction = fresh.transaction()?;
    let mut saved = 0;
    for table in names(&transaction, "SELECT name FROM sqlite_schema WHERE type = 'table'", "name")?
    {
        if !table.starts_with("sqlite_") {
            saved += copy(&damaged, &transaction, &table)?;
        }
    }
    transaction.commit()?;
    Ok(saved)
}

/// Copies the rows of one table until one cannot be read.
fn copy(damaged: &Connection, fresh: &Connection, table: &str) -> Result<usize, StoreError> {
    let ours = names(fresh, &format!("PRAGMA table_info({table})"), "name")?;
    // A table of an older layout, or an unreadable one, has fewer columns, or none.
    let theirs = names(damaged, &format!("PRAGMA table_info({table})"), "name").unwrap_or_default();
    let columns: Vec<&str> =
        ours.iter().filter(|name| theirs.contains(name)).map(String::as_str).collect();
    if columns.is_empty() {
        return Ok(0);
    }
    let list = columns.join(", ");
    let places = vec!["?"; columns.len()].join(", ");
    let mut insert =
        fresh.prepare(&format!("INSERT OR IGNORE INTO {table} ({list}) VALUES ({places})"))?;
    let Ok(mut select) = damaged.prepare(&format!("SELECT {list} FROM {table}")) else {
        return Ok(0);
    };
    let mut saved = 0;
    let Ok(mut found) = select.query([]) else { return Ok(0) };
    while let Ok(Some(row)) = found.next() {
        let values = (0..columns.len()).map(|index| row.get::<_, Value>(index));
        let Ok(values) = values.collect::<Result<Vec<_>, _>>() else { break };
        saved += insert.execute(params_from_iter(values))?;
    }
    Ok(saved)
}

fn names(connection: &Connection, sql: &str, column: &str) -> Result<Vec<String>, rusqlite::Error> {
    let mut statement = connection.prepare(sql)?;
    statement.query_map([], |row| row.get(column))?.collect()
}
