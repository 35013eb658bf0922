//! A folder of databases, sealed with one key or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::cipher::{BLOCK, Cipher, Kind};
use crate::key::Key;

/// The file that says with which key the folder is sealed: the key's fingerprint.
const MARK: &str = "sealed";

/// What a database begins with that is not sealed.
const PLAIN: &[u8; 16] = b"SQLite format 3\0";

/// What the log of a database begins with that is not sealed; the last bit says in which order its sums are made.
const PLAIN_LOG: [u8; 4] = [0x37, 0x7f, 0x06, 0x82];

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
    /// `databases` that are not sealed yet become so, and so do those that were `set_aside` because they are
    /// damaged; what a crash left half sealed is done again. Nobody else may have them open. A damaged database is
    /// sealed as it is, with its log: whoever looks at it later finds the damage.
    ///
    /// # Errors
    /// See [`VaultError`]; nothing was changed then but that some databases may have been sealed.
    pub fn open(
        folder: &Path,
        databases: &[&str],
        set_aside: &[String],
        key: Option<&Key>,
    ) -> Result<Self, VaultError> {
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
        let is_first = found.is_none();
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
            let path = folder.join(name);
            if start(&path, key).map_err(failed("read", &path))? == Start::Plain {
                empty_log(&path)?;
            }
            seal(&path, key, is_first)?;
        }
        for name in set_aside {
            seal(&folder.join(name), key, is_first)?;
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

/// Seals a database that is not sealed yet, as it is, and then its log.
fn seal(path: &Path, key: &Key, is_first: bool) -> Result<(), VaultError> {
    let is_plain = match start(path, key).map_err(failed("read", path))? {
        Start::Plain => true,
        // Its beginning is damaged. Later it cannot be known from one that was damaged when it was sealed.
        Start::Neither => is_first,
        Start::Nothing | Start::Sealed => false,
    };
    if is_plain {
        encrypt(path, key, Kind::Database).map_err(failed("seal", path))?;
    }
    let log = with_suffix(path, "-wal");
    if is_plain_log(&log).map_err(failed("read", &log))? {
        encrypt(&log, key, Kind::Log).map_err(failed("seal", &log))?;
    }
    Ok(())
}

/// Encrypts a file, whole or not at all.
fn encrypt(path: &Path, key: &Key, kind: Kind) -> io::Result<()> {
    let new = with_suffix(path, ".sealing");
    let cipher = Cipher::new(key, kind);
    let mut source = File::open(path)?;
    let mut target =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    let mut offset = 0;
    let mut piece = Vec::with_capacity(PIECE);
    while Read::by_ref(&mut source).take(PIECE as u64).read_to_end(&mut piece)? > 0 {
        // A database is whole pages, one that is not is damaged and stays so; of a log only whole parts count.
        piece.resize(piece.len().next_multiple_of(BLOCK), 0);
        cipher.encrypt(offset, &mut piece);
        target.write_all(&piece)?;
        offset += piece.len() as u64;
        piece.clear();
    }
    target.sync_all()?;
    fs::rename(&new, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

/// What a database begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// There is none, or it is empty, or as good as: SQLite will begin it anew.
    Nothing,
    /// It is not sealed.
    Plain,
    /// It is sealed with the key.
    Sealed,
    /// It begins with what no database begins with.
    Neither,
}

fn start(path: &Path, key: &Key) -> io::Result<Start> {
    let Some(mut start) = first::<BLOCK>(path)? else { return Ok(Start::Nothing) };
    if start == *PLAIN {
        return Ok(Start::Plain);
    }
    Cipher::new(key, Kind::Database).decrypt(0, &mut start);
    Ok(if start == *PLAIN { Start::Sealed } else { Start::Neither })
}

/// Whether a file begins as a database does that is not sealed.
pub(crate) fn begins_plain(path: &Path) -> io::Result<bool> {
    Ok(first::<BLOCK>(path)? == Some(*PLAIN))
}

fn is_plain_log(path: &Path) -> io::Result<bool> {
    let Some(mut start) = first::<4>(path)? else { return Ok(false) };
    start[3] &= !1;
    Ok(start == PLAIN_LOG)
}

/// The first bytes of a file, if it has as many.
fn first<const COUNT: usize>(path: &Path) -> io::Result<Option<[u8; COUNT]>> {
    let mut start = [0; COUNT];
    match File::open(path).and_then(|mut file| file.read_exact(&mut start)) {
        Ok(()) => Ok(Some(start)),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Brings what stands in the database's log into the database, and deletes the log. A database that is too
/// damaged for it keeps its log.
fn empty_log(path: &Path) -> Result<(), VaultError> {
    let empty = || -> Result<(), rusqlite::Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        // The system's own file system, also where ours is registered already.
        let connection = Connection::open_with_flags_and_vfs(path, flags, c"unix")?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        // The mode stands in the database; leaving it deletes the log and its index.
        connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))
    };
    match empty() {
        Err(error) if is_damage(&error) => Ok(()),
        done => done.map_err(|source| VaultError::Database { path: path.to_owned(), source }),
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
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
