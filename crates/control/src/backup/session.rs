//! One session's files, taken while its worker goes on.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sealing::{Copier, CopyError, Key};

use super::archive::Writer;
use super::{BackupError, failed};

/// The names of the sealed databases of a session.
const SEALED: [&str; 4] = ["whatsapp.db", "whatsapp.db.good", "bot.db", "bot.db.salvaging"];

/// What lives only as long as its process, or is half made.
const TRANSIENT: [&str; 4] =
    ["worker.lock", "whatsapp.db.copying", "whatsapp.db.new", "bot.db.new"];

/// What belongs to a database that SQLite copies together with it.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A file up to so many bytes is read at once; a longer one is copied first, for it may grow.
const SMALL: u64 = 1024 * 1024;

/// Takes the session in `folder` into the archive below `prefix`. `scratch` is a folder for copies.
///
/// # Errors
/// What cannot be written; what cannot be read as it should be is a warning.
pub(super) fn take(
    writer: &mut Writer,
    folder: &Path,
    prefix: &str,
    key_file: &Path,
    scratch: &Path,
    warnings: &mut Vec<String>,
) -> Result<(), BackupError> {
    let copier = copier(folder, key_file, warnings)?;
    let mut taking = Taking { writer, copier, folder, key_file, scratch, warnings };
    taking.folder(folder, prefix)
}

/// What copies the session's databases. A sealed one without its key can be copied as bytes alone.
fn copier(
    folder: &Path,
    key_file: &Path,
    warnings: &mut Vec<String>,
) -> Result<Option<(Copier, bool)>, BackupError> {
    if !sealing::is_sealed(folder) {
        return Ok(Some((Copier::new(None)?, false)));
    }
    match Key::read(key_file) {
        Ok(key) => Ok(Some((Copier::new(Some(&key))?, true))),
        Err(error) => {
            let session = folder.display();
            warnings.push(format!("{session} is sealed and was copied as it is: {error}"));
            Ok(None)
        }
    }
}

struct Taking<'a> {
    writer: &'a mut Writer,
    /// With whether the databases are sealed.
    copier: Option<(Copier, bool)>,
    folder: &'a Path,
    key_file: &'a Path,
    scratch: &'a Path,
    warnings: &'a mut Vec<String>,
}

impl Taking<'_> {
    fn folder(&mut self, folder: &Path, prefix: &str) -> Result<(), BackupError> {
        let mut entries = Vec::new();
        match fs::read_dir(folder) {
            // Deleted meanwhile, with its tenant.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            found => {
                for entry in found.map_err(failed("look into", folder))? {
                    entries.push(entry.map_err(failed("look into", folder))?.path());
                }
            }
        }
        entries.sort();
        for path in entries {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                self.warnings.push(format!("{} was left out: its name is no text", path.display()));
                continue;
            };
            let below = format!("{prefix}/{name}");
            let Ok(found) = fs::symlink_metadata(&path) else { continue };
            if found.is_dir() {
                self.folder(&path, &below)?;
            } else if !found.is_file() {
                // A socket or a pipe is of no use elsewhere; where a link leads to is not the session's.
                if found.is_symlink() {
                    self.warnings.push(format!("{} was left out: it is a link", path.display()));
                }
            } else if !self.is_left_out(&path, name) {
                self.file(&path, name, &below)?;
            }
        }
        Ok(())
    }

    fn is_left_out(&self, path: &Path, name: &str) -> bool {
        let is_beside = |suffix: &&str| {
            name.strip_suffix(*suffix).is_some_and(|of| {
                let of = path.with_file_name(of);
                of.exists() && self.is_copied_by_sqlite(&of)
            })
        };
        TRANSIENT.contains(&name) && path.parent() == Some(self.folder)
            || name.ends_with(".sealing")
            || BESIDE.iter().any(is_beside)
    }

    /// Whether a file is a database that SQLite can copy. What was set aside is damaged, and is kept as it is.
    fn is_copied_by_sqlite(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_empty = fs::metadata(path).map_or(true, |found| found.len() == 0);
        match &self.copier {
            None => false,
            Some(_) if is_empty || name.contains(".damaged-") => false,
            Some((_, true)) => SEALED.contains(&&*name) && path.parent() == Some(self.folder),
            Some((_, false)) => sealing::is_database(path).unwrap_or(false),
        }
    }

    fn file(&mut self, path: &Path, name: &str, below: &str) -> Result<(), BackupError> {
        if !self.is_copied_by_sqlite(path) {
            return self.bytes(path, below);
        }
        let copy = self.scratch.join("copy");
        match self.copy(path, &copy) {
            Ok(()) => {
                let added = self.bytes(&copy, below);
                let _ = fs::remove_file(&copy);
                return added;
            }
            Err(CopyError::Io { path, source }) => return Err(failed("write", &path)(source)),
            Err(error) => {
                let _ = fs::remove_file(&copy);
                if !path.exists() {
                    return Ok(());
                }
                let told = "its worker mends what can be mended when it starts";
                self.warnings.push(format!("{error}; copied as it is, {told}"));
            }
        }
        self.bytes(path, below)?;
        for suffix in ["-wal", "-journal"] {
            let beside = path.with_file_name(format!("{name}{suffix}"));
            if beside.exists() {
                self.bytes(&beside, &format!("{below}{suffix}"))?;
            }
        }
        Ok(())
    }

    /// Copies a database and looks through the copy.
    fn copy(&mut self, path: &Path, copy: &Path) -> Result<(), CopyError> {
        let _ = fs::remove_file(copy);
        let Some((copier, sealed)) = &self.copier else { return Ok(()) };
        let made = copier.copy(path, copy).and_then(|()| copier.check(copy));
        // A worker that has just started may have sealed the session since we looked.
        if made.is_err()
            && !sealed
            && sealing::is_sealed(self.folder)
            && let Ok(Some(copier)) = self::copier(self.folder, self.key_file, self.warnings)
        {
            let _ = fs::remove_file(copy);
            let again = copier.0.copy(path, copy).and_then(|()| copier.0.check(copy));
            self.copier = Some(copier);
            return again;
        }
        made
    }

    /// A file's bytes.
    fn bytes(&mut self, path: &Path, below: &str) -> Result<(), BackupError> {
        add_file(self.writer, path, below, self.scratch)
    }
}

/// Adds a file as it is; one that is gone meanwhile is left out.
pub(super) fn add_file(
    writer: &mut Writer,
    path: &Path,
    below: &str,
    scratch: &Path,
) -> Result<(), BackupError> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened.map_err(failed("read", path))?,
    };
    let size = file.metadata().map_err(failed("read", path))?.len();
    if path.starts_with(scratch) {
        return writer.add(below, size, &mut file);
    }
    if size <= SMALL {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed("read", path))?;
        return writer.add(below, bytes.len() as u64, &mut bytes.as_slice());
    }
    let still: PathBuf = scratch.join("still");
    let mut copy = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&still)
        .map_err(failed("write", &still))?;
    let size = io::copy(&mut file, &mut copy).map_err(failed("copy", path))?;
    let mut copy = File::open(&still).map_err(failed("read", &still))?;
    let added = writer.add(below, size, &mut copy);
    let _ = fs::remove_file(&still);
    added
}
