//! The note beside a log file that says how far a line is written whose end is still to come.
//!
//! A line that is longer than a pipe is written in pieces. Should we be killed meanwhile, the next supervisor finds
//! here where the last whole piece ends, cuts off what may be there of another (it is still in the pipe), and
//! goes on inside the line.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A line that is begun in a log file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unfinished {
    /// The FIFO that the rest will come from. Nobody else may write to the file before.
    pub(super) owner: Arc<str>,
    /// The file's length up to which the line is written.
    pub(super) length: u64,
    /// How long the line is.
    pub(super) line_length: u64,
    /// What ends it.
    pub(super) end: String,
}

impl Unfinished {
    /// The note beside this log file. One that cannot be understood counts as none.
    pub(super) fn load(log: &Path) -> io::Result<Option<Self>> {
        match fs::read(name(log)) {
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the note, in one piece.
    pub(super) fn save(&self, log: &Path) -> io::Result<()> {
        let path = name(log);
        let mut fresh = OsString::from(&path);
        fresh.push(".new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        fs::rename(fresh, path)
    }
}

/// Removes the note.
pub(super) fn remove(log: &Path) -> io::Result<()> {
    match fs::remove_file(name(log)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn name(log: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(log.file_name().unwrap_or_default());
    name.push(".unfinished");
    log.with_file_name(name)
}
