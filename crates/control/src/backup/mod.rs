//! A backup: everything that an installation cannot do without, in one file.
//!
//! ```text
//! age, if it is encrypted
//! └─ gzip
//!    └─ tar
//!       ├─ tenantry-backup.json   Header: format, version, schema, the tables
//!       ├─ tables/<table>/<n>     rows, a line of JSON each, as they were at one moment
//!       ├─ sessions/<tenant>/…    the databases copied by SQLite while workers use them
//!       ├─ home/…                 settings, keys, tokens, uploaded files
//!       └─ manifest.json          Manifest: size and SHA-256 of each file, rows and sum of each table
//! ```
//! [`create()`] takes the database first and the sessions after it: a worker numbers what it tells, and what the
//! restored database has not seen it takes then; the other way round it would take new events for known ones.
//! [`restore()`] unpacks into a folder of its own, verifies all of it, fills the database, and only then moves
//! anything to its place.

mod archive;
mod cipher;
mod create;
mod extract;
mod kept;
mod place;
mod restore;
mod session;

#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use store::{Sum, Table};

pub use cipher::{Passphrase, Protection, Recipient, Unlock};
pub use create::{Create, create};
pub use kept::Kept;
pub(crate) use kept::list;
pub use place::hold;
pub use restore::{Restore, Restored, restore};

/// The format that this program writes, and the newest that it reads.
const FORMAT: u32 = 1;
/// The first file of an archive.
const HEADER: &str = "tenantry-backup.json";
/// The last file of an archive.
const MANIFEST: &str = "manifest.json";

/// What an archive begins with.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Header {
    /// The version of the format.
    format: u32,
    /// The program's version.
    program: String,
    /// The version of the database's schema.
    schema: String,
    /// When the backup was begun.
    created_at: DateTime<Utc>,
    /// The tables, in the order in which they can be filled.
    tables: Vec<DumpedTable>,
}

/// A table of the archive.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct DumpedTable {
    /// Its columns.
    #[serde(flatten)]
    table: Table,
    /// The last number that the database gave to one of its rows.
    last_number: Option<i64>,
}

/// What an archive ends with.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Manifest {
    /// Every other file, in the archive's order.
    files: Vec<FileEntry>,
    /// The rows of each table.
    tables: Vec<TableSum>,
    /// What could not be taken as it should be.
    warnings: Vec<String>,
}

/// A file of the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileEntry {
    path: String,
    /// In bytes.
    size: u64,
    /// In hexadecimal digits.
    sha256: String,
}

/// A table's rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct TableSum {
    table: String,
    #[serde(flatten)]
    sum: Sum,
}

/// How far a backup or a restore has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A part begins, which has so many steps where that is known.
    Part(&'static str, Option<u64>),
    /// So many steps of the part are done.
    Done(u64),
}

/// What is told of the progress.
pub type Tell<'a> = &'a mut dyn FnMut(Progress);

/// What a backup is, or what was restored of it.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The file.
    pub file: PathBuf,
    /// Its length in bytes.
    pub size: u64,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// When the backup was begun.
    pub created_at: DateTime<Utc>,
    /// The version of the program that made it.
    pub program: String,
    /// The version of the database's schema.
    pub schema: String,
    /// How many rows of the database are in it.
    pub rows: u64,
    /// How many sessions.
    pub sessions: u64,
    /// How many files, the tables' among them.
    pub files: u64,
    /// What could not be taken as it should be.
    pub warnings: Vec<String>,
}

/// Why there is no backup, or why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or folder cannot be read or written.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is there already.
    #[error("{} is there already; name another file, or give --force to replace it", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The database does not do its work.
    #[error("{0}")]
    Store(#[from] store::StoreError),
    /// A session's key is of no use.
    #[error("{0}")]
    Register(#[from] sealing::RegisterError),
    /// The backup cannot be encrypted.
    #[error("the backup cannot be encrypted: {0}")]
    Encrypt(String),
    /// The backup is encrypted.
    #[error(
        "{} is encrypted; say with --passphrase-file or --identity what opens it", path.display()
    )]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be decrypted.
    #[error("{} cannot be decrypted: {reason}", path.display())]
    Decrypt {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It is not as it was written.
    #[error("{} is damaged or cut short: {reason}; use another copy of the backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// It was made by a newer program.
    #[error("{} was made by a newer program, tenantry {program} ({what}); upgrade tenantry", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of the program that made it.
        program: String,
        /// What of it is not known here.
        what: String,
    },
    /// Something runs on the home.
    #[error("{0}")]
    Running(String),
    /// There is something in the way.
    #[error(
        "{} is not empty ({found}); restore into another home, or give --force, which moves what is there aside", place.display()
    )]
    NotEmpty {
        /// The home or another folder.
        place: PathBuf,
        /// What was found.
        found: String,
    },
    /// The settings of the backup cannot be used here.
    #[error("the settings of the backup cannot be used here: {0}")]
    Settings(String),
}

/// Says what was tried on what.
fn failed(
    what: &'static str,
    path: &std::path::Path,
) -> impl FnOnce(io::Error) -> BackupError + use<> {
    let path = path.to_owned();
    move |source| BackupError::Io { what, path, source }
}
