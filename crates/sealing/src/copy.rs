//! Copying a database while it is in use, sealed or not, without the process's own files being sealed.

use std::ffi::CString;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::key::Key;
use crate::vfs::Named;

/// How long the copy waits for a writer that has the database for itself, in milliseconds.
const BUSY: u32 = 10_000;

/// Why there is no copy, or why a database is not sound.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The database is damaged: only its bytes as they are can be copied.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// SQLite cannot read or write.
    #[error("{}: {source}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What copies and looks at databases: those of one key, or those without.
pub struct Copier {
    vfs: Option<Named>,
}

impl Copier {
    /// For databases that are sealed with `key`, or not at all.
    ///
    /// # Errors
    /// When SQLite does not take the key.
    pub fn new(key: Option<&Key>) -> Result<Self, crate::RegisterError> {
        Ok(Self { vfs: key.map(Named::register).transpose()? })
    }

    /// Makes a copy of the database at `source`, as it is at one moment, in a new file at `target`: sealed like it,
    /// one file without a log, closed to everybody else. Those who use it are not held up, and nothing of it is changed.
    ///
    /// # Errors
    /// See [`CopyError`].
    pub fn copy(&self, source: &Path, target: &Path) -> Result<(), CopyError> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(target)
            .map_err(|error| CopyError::Io { path: target.to_owned(), source: error })?;
        let copied = self.open(source).and_then(|connection| {
            connection.execute("VACUUM INTO ?1", [target.to_string_lossy()]).map(drop)
        });
        copied.map_err(|error| {
            // What was begun is of no use; that it stays is no worse.
            let _ = fs::remove_file(target);
            told(source, error)
        })
    }

    /// Looks through a whole database that nobody uses.
    ///
    /// # Errors
    /// See [`CopyError`].
    pub fn check(&self, path: &Path) -> Result<(), CopyError> {
        let ask = |connection: Connection| {
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
        };
        match self.open(path).and_then(ask) {
            Ok(said) if said == "ok" => Ok(()),
            Ok(reason) => Err(CopyError::Damaged { path: path.to_owned(), reason }),
            Err(error) => Err(told(path, error)),
        }
    }

    fn open(&self, path: &Path) -> Result<Connection, rusqlite::Error> {
        // A log can be read by a writer alone.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let system = CString::from(c"unix");
        let name = self.vfs.as_ref().map_or(system.as_c_str(), Named::name);
        let connection = Connection::open_with_flags_and_vfs(path, flags, name)?;
        connection.execute_batch(&format!(
            "PRAGMA cache_size = -64; PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = {BUSY};"
        ))?;
        // The last to close a database empties its log, which would be a change.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(connection)
    }
}

/// Whether a file begins as a database does that is not sealed.
///
/// # Errors
/// When it cannot be read.
pub fn is_database(path: &Path) -> io::Result<bool> {
    crate::vault::begins_plain(path)
}

fn told(path: &Path, error: rusqlite::Error) -> CopyError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            CopyError::Damaged { path, reason: error.to_string() }
        }
        _ => CopyError::Database { path, source: error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Vault;

    fn fill(connection: &Connection, rows: u32) {
        connection
            .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS t (a TEXT);")
            .unwrap();
        for row in 0..rows {
            connection.execute("INSERT INTO t VALUES (?1)", [format!("secret {row}")]).unwrap();
        }
    }

    fn rows(copier: &Copier, path: &Path) -> u32 {
        let connection = copier.open(path).unwrap();
        connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_database_is_copied_while_it_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let (source, target) = (folder.path().join("a.db"), folder.path().join("b.db"));
        let connection = Connection::open(&source).unwrap();
        fill(&connection, 300);
        connection.execute_batch("BEGIN IMMEDIATE; INSERT INTO t VALUES ('later');").unwrap();
        let copier = Copier::new(None).unwrap();
        copier.copy(&source, &target).unwrap();
        copier.check(&target).unwrap();
        connection.execute_batch("COMMIT").unwrap();
        assert_eq!(rows(&copier, &target), 300);
        assert_eq!(rows(&copier, &source), 301);
        assert!(is_database(&target).unwrap());
    }

    #[test]
    fn sealed_databases_of_several_keys_stay_sealed() {
        let folder = tempfile::tempdir().unwrap();
        for byte in [1, 2, 3] {
            let tenant = folder.path().join(byte.to_string());
            fs::create_dir(&tenant).unwrap();
            let (source, target) = (tenant.join("a.db"), tenant.join("b.db"));
            fill(&Connection::open(&source).unwrap(), 20);
            let key = Key::from_bytes([byte; 32]);
            Vault::open(&tenant, &["a.db"], &[], Some(&key)).unwrap();
            let copier = Copier::new(Some(&key)).unwrap();
            // More of it stands in a log that is sealed too.
            let open = copier.open(&source).unwrap();
            fill(&open, 20);
            copier.copy(&source, &target).unwrap();
            copier.check(&target).unwrap();
            assert_eq!(rows(&copier, &target), 40);
            assert!(!is_database(&target).unwrap());
            let bytes = fs::read(&target).unwrap();
            assert!(!bytes.windows(6).any(|part| part == b"secret"));
            drop(copier);
            let other = Copier::new(Some(&Key::from_bytes([9; 32]))).unwrap();
            assert!(matches!(other.check(&target), Err(CopyError::Damaged { .. })));
        }
    }

    #[test]
    fn a_damaged_database_is_told_as_one_and_leaves_no_copy() {
        let folder = tempfile::tempdir().unwrap();
        let (source, target) = (folder.path().join("a.db"), folder.path().join("b.db"));
        fill(&Connection::open(&source).unwrap(), 2000);
        let mut bytes = fs::read(&source).unwrap();
        bytes[4096..].fill(0xa5);
        fs::write(&source, &bytes).unwrap();
        let copier = Copier::new(None).unwrap();
        let refused = copier.copy(&source, &target).unwrap_err();
        assert!(matches!(refused, CopyError::Damaged { .. }), "{refused}");
        assert!(!target.exists());
        assert_eq!(fs::read(&source).unwrap(), bytes);
        assert!(copier.check(&source).is_err());
    }
}
