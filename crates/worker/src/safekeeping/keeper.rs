//! Copies the login while it is in use: what is a good copy is decided by SQLite, which reads every page for it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::watch;
use tokio::time::sleep;

use super::aside::make_private;
use super::{COPYING, LOGIN, LOGIN_COPY};
use crate::session::Snapshot;

/// The first copy is made so soon after the connection, when the login's first keys are settled.
const FIRST: Duration = Duration::from_secs(10);

/// Makes copies of the login.
pub struct Keeper {
    /// The session's directory.
    pub dir: PathBuf,
    /// The session.
    pub session: watch::Receiver<Snapshot>,
    /// The time between two copies while the session is connected.
    pub interval: Duration,
}

/// Why there is no new copy; the one before stays.
#[derive(Debug, thiserror::Error)]
enum CopyError {
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the copying was broken off")]
    BrokenOff,
}

impl Keeper {
    /// Makes copies, without end.
    pub async fn run(mut self) {
        let mut pause = FIRST.min(self.interval);
        loop {
            // An error means that the worker is ending, and this task with it.
            if self.session.wait_for(is_in_use).await.is_err() {
                return;
            }
            tokio::select! {
                () = sleep(pause) => {}
                // A session that is lost or ended meanwhile has to settle again first.
                changed = self.session.wait_for(|now| !is_in_use(now)) => {
                    if changed.is_err() { return }
                    pause = FIRST.min(self.interval);
                    continue;
                }
            }
            pause = self.interval;
            match self.copy().await {
                Ok(()) => tracing::debug!("the login was copied"),
                Err(error) => {
                    tracing::warn!(%error, "the login could not be copied; the copy before stays");
                }
            }
        }
    }

    async fn copy(&self) -> Result<(), CopyError> {
        let dir = self.dir.clone();
        let copied = tokio::task::spawn_blocking(move || copy(&dir));
        copied.await.map_err(|_| CopyError::BrokenOff)??;
        // A login that was ended meanwhile must not live on in its copy.
        if self.session.borrow().login.is_none() {
            fs::remove_file(self.dir.join(LOGIN_COPY))?;
        }
        Ok(())
    }
}

fn is_in_use(now: &Snapshot) -> bool {
    now.is_connected() && now.login.is_some()
}

/// Makes a copy beside the last one, and lets it take its place when it is whole and on the disk.
fn copy(dir: &Path) -> Result<(), CopyError> {
    let (new, good) = (dir.join(COPYING), dir.join(LOGIN_COPY));
    make_private(&new)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(dir.join(LOGIN), flags)?;
    connection.execute_batch("PRAGMA cache_size = -64;")?;
    connection.execute("VACUUM INTO ?1", [new.to_string_lossy()])?;
    drop(connection);
    File::open(&new)?.sync_all()?;
    fs::rename(&new, &good)?;
    File::open(dir)?.sync_all()?;
    Ok(())
}

/// A copy as the keeper makes it.
#[cfg(test)]
pub(super) fn copy_now(dir: &Path) {
    copy(dir).unwrap();
}
