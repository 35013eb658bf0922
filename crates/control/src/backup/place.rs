//! A home that nothing runs on, and what is in the way in it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::{BackupError, failed};
use crate::config::Home;
use crate::startup::{self, HomeLock};
use crate::{StartError, launch};

/// What makes a home one that is in use; folders count when something is in them.
const KEPT: [&str; 9] = [
    "tenantry.toml",
    "tenantry.db",
    "admin.token",
    "link.key",
    "people.key",
    "keys",
    "media",
    "sessions",
    "run/journal",
];

/// The locks in `run/`: moved away they would keep nobody off.
const LOCKS: [&str; 2] = ["server.lock", "supervisor.lock"];

/// Keeps every control plane off a home for as long as this lives.
///
/// # Errors
/// [`StartError::AlreadyRunning`] when one works on it.
pub fn hold(home: &Home) -> Result<HomeLock, StartError> {
    launch::own_dir(home.root())?;
    launch::private_dir(&home.run())?;
    startup::lock(home)
}

/// A home that nothing runs on, and will not while this lives.
pub(super) struct Quiet {
    _server: HomeLock,
    _others: Vec<File>,
}

impl Quiet {
    /// Looks whether anything runs on the home: a server, a supervisor, a worker.
    pub(super) fn make(home: &Home) -> Result<Self, BackupError> {
        let server = hold(home).map_err(|error| BackupError::Running(error.to_string()))?;
        let mut quiet = Self { _server: server, _others: Vec::new() };
        let supervisor = home.run().join("supervisor.lock");
        quiet.add(&supervisor, || {
            let home = home.root().display();
            format!(
                "a supervisor works on {home}; stop the workers and run `tenantry kill`, or restore into another home"
            )
        })?;
        quiet.keep_workers_off(&home.sessions())?;
        Ok(quiet)
    }

    /// The same for the workers of a folder of sessions.
    pub(super) fn keep_workers_off(&mut self, sessions: &Path) -> Result<(), BackupError> {
        for session in fs::read_dir(sessions).into_iter().flatten().flatten() {
            let lock = session.path().join("worker.lock");
            self.add(&lock, || {
                let session = session.path();
                let session = session.display();
                format!("a worker holds the session {session}; stop it first")
            })?;
        }
        Ok(())
    }

    fn add(&mut self, lock: &Path, held: impl FnOnce() -> String) -> Result<(), BackupError> {
        let file = match File::options().write(true).open(lock) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(());
            }
            opened => opened.map_err(failed("open", lock))?,
        };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => self._others.push(file),
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(BackupError::Running(held())),
            Err(error) => return Err(failed("lock", lock)(error.into())),
        }
        Ok(())
    }
}

/// What of an installation is in a home.
pub(super) fn found(home: &Home) -> Vec<&'static str> {
    let is_there = |name: &&&str| {
        let path = home.root().join(name);
        if path.is_dir() { !is_empty(&path) } else { path.exists() }
    };
    KEPT.iter().filter(is_there).copied().collect()
}

/// Whether there is nothing in a folder, or no such folder.
pub(super) fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

/// Moves what is in the home into a folder in it, but for what `keep` names. Gives the folder.
pub(super) fn set_aside(home: &Home, stamp: &str, keep: &[&Path]) -> Result<PathBuf, BackupError> {
    let aside = home.root().join(format!("before-restore-{stamp}"));
    launch::private_dir(&aside.join("run"))
        .map_err(|error| failed("make", &aside)(io::Error::other(error.to_string())))?;
    for (from, to) in [(home.root().to_owned(), aside.clone()), (home.run(), aside.join("run"))] {
        for entry in fs::read_dir(&from).map_err(failed("look into", &from))? {
            let entry = entry.map_err(failed("look into", &from))?;
            let (path, name) = (entry.path(), entry.file_name());
            let stays = path == home.run()
                || keep.contains(&path.as_path())
                || name.to_string_lossy().starts_with("before-restore-")
                || from == home.run() && LOCKS.iter().any(|lock| name == *lock);
            if !stays {
                fs::rename(&path, to.join(&name)).map_err(failed("move", &path))?;
            }
        }
    }
    Ok(aside)
}

/// Moves a file or folder to its place, also onto another disk. What is there is not replaced.
pub(super) fn move_to(from: &Path, to: &Path) -> Result<(), BackupError> {
    if to.is_dir() && is_empty(to) {
        fs::remove_dir(to).map_err(failed("replace", to))?;
    }
    if to.exists() {
        let (place, found) = (to.to_owned(), "it is there already".to_owned());
        return Err(BackupError::NotEmpty { place, found });
    }
    if let Some(folder) = to.parent() {
        launch::own_dir(folder)
            .map_err(|error| failed("make", folder)(io::Error::other(error.to_string())))?;
    }
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => copy_to(from, to),
        moved => moved.map_err(failed("move", from)),
    }
}

fn copy_to(from: &Path, to: &Path) -> Result<(), BackupError> {
    if from.is_dir() {
        launch::private_dir(to)
            .map_err(|error| failed("make", to)(io::Error::other(error.to_string())))?;
        for entry in fs::read_dir(from).map_err(failed("look into", from))? {
            let entry = entry.map_err(failed("look into", from))?;
            copy_to(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    // With its permissions.
    fs::copy(from, to).map_err(failed("copy", from))?;
    File::open(to).and_then(|file| file.sync_all()).map_err(failed("write", to))
}
