//! Files that take another's place, are kept for whoever can mend them, or are to be gone.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::{LOGIN, SafekeepingError};

/// So many damaged files of one database are kept, the newest.
const KEPT: usize = 3;

/// What is between a database's name and the time at which it was set aside.
const DAMAGED: &str = ".damaged-";

/// Renames a database with its log, and gives the new name; of those that were set aside before, the
/// oldest make place. Without a database a log that a crash left behind is set aside alone: it must not
/// be taken for that of the file that comes in its place.
pub(super) fn set_aside(path: &Path, now: DateTime<Utc>) -> Result<String, SafekeepingError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let kept = format!("{name}{DAMAGED}{}", now.format("%Y%m%dT%H%M%SZ"));
    let log = path.with_file_name(format!("{name}-wal"));
    if fs::metadata(&log).is_ok_and(|log| log.len() == 0) {
        // Made by looking at the database.
        remove(&log)?;
    }
    for suffix in ["", "-wal"] {
        let from = path.with_file_name(format!("{name}{suffix}"));
        let to = path.with_file_name(format!("{kept}{suffix}"));
        remove(&to)?;
        unless_missing(fs::rename(&from, &to)).map_err(failed("set aside", &from))?;
    }
    // The index of the log is made from the log.
    remove(&path.with_file_name(format!("{name}-shm")))?;
    let dir = folder(path);
    let mut times = BTreeSet::new();
    for file in names(dir, &format!("{name}{DAMAGED}"))? {
        times.insert(file.split('-').nth(1).unwrap_or_default().to_owned());
    }
    for time in times.iter().rev().skip(KEPT) {
        for file in names(dir, &format!("{name}{DAMAGED}{time}"))? {
            remove(&dir.join(file))?;
        }
    }
    Ok(kept)
}

/// The databases that were set aside, without their logs.
pub(super) fn kept(dir: &Path, name: &str) -> Result<Vec<String>, SafekeepingError> {
    let mut kept = names(dir, &format!("{name}{DAMAGED}"))?;
    kept.retain(|file| !file.ends_with("-wal") && !file.ends_with("-shm"));
    Ok(kept)
}

/// Deletes everything that holds keys of the login: the database, its copies, and what was set aside.
///
/// # Errors
/// When the system refuses; then something may be left, and the database is.
pub fn delete_login(dir: &Path) -> io::Result<()> {
    // The main file last: as long as it is there, a delete that was cut short is done again.
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != LOGIN && name.to_string_lossy().starts_with(LOGIN) {
            unless_missing(fs::remove_file(entry.path()))?;
        }
    }
    unless_missing(fs::remove_file(dir.join(LOGIN)))
}

/// Copies `copy` to the place of `path`, whole or not at all; it stays, for it may be needed again.
pub(super) fn put_back(copy: &Path, path: &Path) -> Result<(), SafekeepingError> {
    let new = path.with_extension("db.new");
    fs::copy(copy, &new).map_err(failed("put back", path))?;
    take_place(&new, path)
}

/// Lets a whole file take its place, on the disk when this returns.
pub(super) fn take_place(new: &Path, path: &Path) -> Result<(), SafekeepingError> {
    File::open(new)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(new, path))
        .and_then(|()| File::open(folder(path))?.sync_all())
        .map_err(failed("put back", path))
}

/// Makes an empty file that nobody else may read; SQLite would give it the usual permissions.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    unless_missing(fs::remove_file(path))?;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(())
}

/// Deletes a file, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), SafekeepingError> {
    unless_missing(fs::remove_file(path)).map_err(failed("delete", path))
}

fn names(dir: &Path, prefix: &str) -> Result<Vec<String>, SafekeepingError> {
    let list = || -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with(prefix) {
                names.push(name);
            }
        }
        Ok(names)
    };
    list().map_err(failed("look into", dir))
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

fn unless_missing(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SafekeepingError {
    let path: PathBuf = path.to_owned();
    move |source| SafekeepingError::Io { what, path, source }
}
