//! Whether a database is as it should be.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// Nothing is wrong, or nothing that a copy would mend: a full disk, no permission.
    Sound,
    /// There is nothing in it, or no file.
    Empty,
    /// It is damaged: why.
    Damaged(String),
}

/// Looks at the whole database; for those of a session that is a millisecond or two.
pub(super) fn health(path: &Path) -> Health {
    if !path.exists() {
        return Health::Empty;
    }
    let look = || -> Result<Health, rusqlite::Error> {
        // Not made when it vanishes meanwhile; with its log, which only a writer can read.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if tables == 0 {
            return Ok(Health::Empty);
        }
        let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        Ok(if said == "ok" { Health::Sound } else { Health::Damaged(said.replace('\n', " ")) })
    };
    match look() {
        Ok(health) => health,
        Err(error) if is_damage(&error) => Health::Damaged(error.to_string()),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "a database could not be looked at");
            Health::Sound
        }
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
