//! The session's directory: private to its owner, and held by one worker at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use api::TenantId;
use rustix::fs::{FlockOperation, flock};

#[cfg(test)]
mod tests;

/// The lock's file name.
const LOCK: &str = "worker.lock";

/// Why a session directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SessionDirError {
    /// Another worker holds it.
    #[error(
        "another worker ({holder}) holds the session {}; two workers on one session would break its keys: stop the other one first", dir.display()
    )]
    Held {
        /// The directory.
        dir: PathBuf,
        /// `pid N`, or words when the holder did not say.
        holder: String,
    },
    /// The system refuses.
    #[error("cannot {what} {}: {source}; make SESSIONS_PATH a folder that this worker owns, with room on its disk", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A session directory that this process holds; let go when dropped or when the process ends,
/// however it ends.
#[derive(Debug)]
pub struct SessionDir {
    path: PathBuf,
    /// The lock lives as long as this descriptor.
    _lock: File,
}

impl SessionDir {
    /// Makes `<sessions>/<tenant>` if it is missing, makes it private, and takes its lock.
    ///
    /// # Errors
    /// See [`SessionDirError`].
    pub fn hold(sessions: &Path, tenant: TenantId) -> Result<Self, SessionDirError> {
        let path = sessions.join(tenant.to_string());
        private_dir(&path)?;
        let at = path.join(LOCK);
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&at)
            .map_err(failed("open", &at))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(SessionDirError::Held { dir: path, holder: holder(&mut lock) });
            }
            Err(error) => return Err(failed("lock", &at)(error.into())),
        }
        // For the error message of a second worker only; the lock itself is the kernel's.
        let pid = std::process::id().to_string();
        lock.set_len(0)
            .and_then(|()| lock.write_all(pid.as_bytes()))
            .map_err(failed("write", &at))?;
        Ok(Self { path, _lock: lock })
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of `name` in the directory, as a file that exists and that nobody else may read:
    /// SQLite gives its side files the same permissions.
    ///
    /// # Errors
    /// [`SessionDirError::Io`] when the file cannot be made or its permissions not be set.
    pub fn private_file(&self, name: &str) -> Result<PathBuf, SessionDirError> {
        let path = self.path.join(name);
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .and_then(|file| file.set_permissions(Permissions::from_mode(0o600)))
            .map_err(failed("make private", &path))?;
        Ok(path)
    }
}

/// Who holds the lock, as far as it said.
fn holder(lock: &mut File) -> String {
    let mut text = String::new();
    let read = lock.rewind().and_then(|()| lock.take(20).read_to_string(&mut text));
    match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(pid)) => format!("pid {pid}"),
        _ => "its pid is not known".to_owned(),
    }
}

fn private_dir(path: &Path) -> Result<(), SessionDirError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(failed("make the directory", path))?;
    let mode = fs::metadata(path).map_err(failed("look at", path))?.permissions().mode();
    if mode & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o700))
            .map_err(failed("make private", path))?;
    }
    Ok(())
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SessionDirError {
    move |source| SessionDirError::Io { what, path: path.to_owned(), source }
}
