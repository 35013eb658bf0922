//! A folder of databases, sealed with one key or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::cipher::{BLOCK, Cipher, Kind};
use crate::key::Key;

/// The file that says with which key the folder is sealed: the key's fingerprint.
const MARK: &str = "sealed";

/// What a database begins with that is not sealed.
const PLAIN: &[u8; 16] = b"SQLite format 3\0";

/// How many bytes are sealed at a time.
const PIECE: usize = 64 * 1024;

/// Why the databases of a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The folder is sealed, and there is no key.
    #[error("{} is sealed, but no key was given", folder.display())]
    NoKey {
        /// The folder.
        folder: PathBuf,
    },
    /// It is sealed with another key.
    #[error("{} is sealed with another key than the one given", folder.display())]
    OtherKey {
        /// The folder.
        folder: PathBuf,
    },
    /// The system refuses.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A database that is to be sealed cannot be read.
    #[error("cannot seal {}: {source}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

/// A folder whose databases can be used by whoever holds this.
#[derive(Debug)]
pub struct Vault {
    sealed: bool,
}

impl Vault {
    /// Looks whether the folder can be used with this key, or without one. With a key, those of its
    /// `databases` that are not sealed yet become so; what a crash left half sealed is done again. Nobody else may
    /// have them open.
    ///
    /// # Errors
    /// See [`VaultError`]; nothing was changed then but that some databases may have been sealed.
    pub fn open(folder: &Path, databases: &[&str], key: Option<&Key>) -> Result<Self, VaultError> {
        let mark = folder.join(MARK);
        let found = match fs::read_to_string(&mark) {
            Ok(found) => Some(found.trim().to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed("read", &mark)(error)),
        };
        let Some(key) = key else {
            return match found {
                Some(_) => Err(VaultError::NoKey { folder: folder.to_owned() }),
                None => Ok(Self { sealed: false }),
            };
        };
        match found {
            Some(found) if found != key.fingerprint() => {
                return Err(VaultError::OtherKey { folder: folder.to_owned() });
            }
            Some(_) => {}
            // Written before anything is sealed: a sealed file without the mark would be taken for a damaged one.
            None => write_whole(&mark, format!("{}\n", key.fingerprint()).as_bytes())
                .map_err(failed("write", &mark))?,
        }
        for name in databases {
            seal(&folder.join(name), key)?;
        }
        Ok(Self { sealed: true })
    }

    /// Whether the databases are sealed.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.sealed
    }
}

/// Whether a folder is sealed, with whatever key.
#[must_use]
pub fn is_sealed(folder: &Path) -> bool {
    folder.join(MARK).exists()
}

/// Seals a database that is not sealed yet.
fn seal(path: &Path, key: &Key) -> Result<(), VaultError> {
    if !is_plain(path).map_err(failed("read", path))? {
        return Ok(());
    }
    empty_log(path).map_err(|source| VaultError::Database { path: path.to_owned(), source })?;
    let new = with_suffix(path, ".sealing");
    let sealed = || -> io::Result<()> {
        let cipher = Cipher::new(key, Kind::Database);
        let mut source = File::open(path)?;
        let mut target =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        let mut offset = 0;
        let mut piece = Vec::with_capacity(PIECE);
        while Read::by_ref(&mut source).take(PIECE as u64).read_to_end(&mut piece)? > 0 {
            // A database is whole pages; one that is not is damaged, and stays so.
            piece.resize(piece.len().next_multiple_of(BLOCK), 0);
            cipher.encrypt(offset, &mut piece);
            target.write_all(&piece)?;
            offset += piece.len() as u64;
            piece.clear();
        }
        target.sync_all()?;
        fs::rename(&new, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    sealed().map_err(failed("seal", path))
}

/// Whether the file is a database that is not sealed.
fn is_plain(path: &Path) -> io::Result<bool> {
    let mut start = [0; PLAIN.len()];
    match File::open(path).and_then(|mut file| file.read_exact(&mut start)) {
        Ok(()) => Ok(start == *PLAIN),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        // Empty, or as good as: SQLite will begin it anew.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Brings what stands in the database's log into the database, and deletes the log.
fn empty_log(path: &Path) -> Result<(), rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // The system's own file system, also where ours is registered already.
    let connection = Connection::open_with_flags_and_vfs(path, flags, c"unix")?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    // The mode stands in the database; leaving it deletes the log and its index.
    connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))
}

/// Writes a file as a whole or not at all, on the disk when this returns.
fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = with_suffix(path, ".new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> VaultError {
    move |source| VaultError::Io { what, path: path.to_owned(), source }
}
