//! What is known of a process's present incarnation, kept for the next supervisor.
//!
//! One small file per process, overwritten in place by a single `write` without fsync: it has to outlive
//! this program, not a power cut (after which no pid means anything). Should a record ever be unreadable,
//! the process is looked for by the mark in its environment instead.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::identity::Identity;
use crate::process::Exit;

/// Every record has this size, so that a shorter one leaves nothing of a longer one behind.
const SIZE: usize = 512;

/// What the next supervisor finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Number of the spawn.
    pub(crate) incarnation: u64,
    /// The boot that it was written in: pages that were never synced are lost with the power.
    pub(crate) boot_id: String,
    /// Restarts so far, for the list.
    pub(crate) restarts: u32,
    /// How far the incarnation got.
    pub(crate) stage: Stage,
}

/// How far an incarnation got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// About to be executed; it may or may not live.
    Spawning,
    /// Executed.
    Spawned {
        identity: Identity,
        /// Unix milliseconds.
        started_at: i64,
    },
    /// Ended, and its tree is gone.
    Ended {
        exit: Option<Exit>,
        /// Why it is errored, if it is.
        #[serde(default)]
        errored: Option<String>,
    },
}

/// Writes a process's record.
pub(crate) fn write(path: &Path, record: &Record) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(record)?;
    if bytes.len() >= SIZE
        && let Stage::Ended { exit, errored: Some(reason) } = &record.stage
    {
        let short: String = reason.chars().take(60).filter(|c| !c.is_control()).collect();
        let stage = Stage::Ended { exit: *exit, errored: Some(short) };
        bytes = serde_json::to_vec(&Record { stage, ..record.clone() })?;
    }
    if bytes.len() >= SIZE {
        return Err(io::Error::other("a process record does not fit"));
    }
    bytes.resize(SIZE - 1, b' ');
    bytes.push(b'\n');
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    file.write_all_at(&bytes, 0)
}

/// Reads a process's record; `None` when there is none or it makes no sense.
pub(crate) fn read(path: &Path) -> io::Result<Option<Record>> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The files of a run directory.
#[derive(Debug, Clone)]
pub(crate) struct RunDir {
    root: PathBuf,
}

impl RunDir {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Makes the folders, for their owner alone.
    pub(crate) fn create(&self) -> io::Result<()> {
        use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
        for folder in [self.root.clone(), self.root.join("processes")] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("supervisor.lock")
    }

    pub(crate) fn pid(&self) -> PathBuf {
        self.root.join("supervisor.pid")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        crate::daemon::socket_path(&self.root)
    }

    pub(crate) fn notify_socket(&self) -> PathBuf {
        self.root.join("notify.sock")
    }

    pub(crate) fn holder_socket(&self) -> PathBuf {
        self.root.join("holder.sock")
    }

    pub(crate) fn record(&self, id: u32) -> PathBuf {
        self.root.join(format!("processes/{id}.json"))
    }

    pub(crate) fn out_fifo(&self, id: u32) -> PathBuf {
        self.root.join(format!("processes/{id}.out"))
    }

    pub(crate) fn error_fifo(&self, id: u32) -> PathBuf {
        self.root.join(format!("processes/{id}.err"))
    }

    /// Whether a process has FIFOs for its output.
    pub(crate) fn has_output(&self, id: u32) -> bool {
        self.out_fifo(id).exists() || self.error_fifo(id).exists()
    }

    pub(crate) fn input_fifo(&self, id: u32) -> PathBuf {
        self.root.join(format!("processes/{id}.in"))
    }

    /// Removes what belongs to a forgotten process. What is not there need not be removed.
    pub(crate) fn forget(&self, id: u32) {
        let fifos = [self.out_fifo(id), self.error_fifo(id)];
        let removed = fifos.map(|path| (crate::logs::fifo::remove(&path), path));
        let others = [self.input_fifo(id), self.record(id)];
        let others = others.map(|path| (fs::remove_file(&path), path));
        for (removed, path) in removed.into_iter().chain(others) {
            if let Err(error) = removed
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, path = %path.display(), "cannot remove a file");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shorter_record_overwrites_a_longer_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("1.json");
        assert_eq!(read(&path).unwrap(), None);
        let identity = Identity { pid: 1 << 22, start_ticks: u64::MAX, boot_id: "b".repeat(36) };
        let stage = Stage::Spawned { identity, started_at: i64::MAX };
        let boot_id = "b".repeat(36);
        let long =
            Record { incarnation: u64::MAX, boot_id: boot_id.clone(), restarts: u32::MAX, stage };
        write(&path, &long).unwrap();
        assert_eq!(read(&path).unwrap(), Some(long));
        let short = Record { incarnation: 2, boot_id, restarts: 0, stage: Stage::Spawning };
        write(&path, &short).unwrap();
        assert_eq!(read(&path).unwrap(), Some(short));
        fs::write(&path, b"torn").unwrap();
        assert_eq!(read(&path).unwrap(), None);
    }
}
