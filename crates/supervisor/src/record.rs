//! What is known of a process's present incarnation, kept for the next supervisor.
//!
//! One file for all, with a place of fixed size for each, overwritten by a single `write` without fsync: it has to outlive
//! this program, not a power cut (after which no pid means anything). Should a record ever be unreadable,
//! the process is looked for by the mark in its environment instead.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{FallocateFlags, fallocate};
use serde::{Deserialize, Serialize};

use crate::identity::Identity;
use crate::process::Exit;

/// Every record has this size, so that a shorter one leaves nothing of a longer one behind.
const SIZE: usize = 512;
/// So many bytes are given back to the file system when no record is left in them: what it allocates at a time, mostly.
const BLOCK: usize = 4096;

/// What the next supervisor finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Number of the spawn.
    pub(crate) incarnation: u64,
    /// The boot that it was written in: pages that were never synced are lost with the power.
    pub(crate) boot_id: Arc<str>,
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

/// The records of a run directory's processes.
#[derive(Debug)]
pub(crate) struct Records {
    file: File,
}

impl Records {
    /// Opens the file, and makes it (0600) where it is missing.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        Ok(Self { file: options.open(path)? })
    }

    /// Writes a process's record.
    pub(crate) fn write(&self, id: u32, record: &Record) -> io::Result<()> {
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
        self.file.write_all_at(&bytes, place(id))
    }

    /// Reads a process's record; `None` when there is none or it makes no sense.
    pub(crate) fn read(&self, id: u32) -> io::Result<Option<Record>> {
        let mut bytes = [0; SIZE];
        match self.file.read_exact_at(&mut bytes, place(id)) {
            Ok(()) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes the record of a process that is forgotten.
    pub(crate) fn forget(&self, id: u32) -> io::Result<()> {
        self.file.write_all_at(&[0; SIZE], place(id))?;
        let start = place(id) - place(id) % BLOCK as u64;
        let mut block = [0; BLOCK];
        let length = self.file.read_at(&mut block, start)?;
        if block.iter().take(length).all(|byte| *byte == 0) {
            // Not every file system can; then it stays allocated.
            let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            let _ = fallocate(&self.file, punch, start, BLOCK as u64);
        }
        Ok(())
    }
}

/// Where a process's record is.
fn place(id: u32) -> u64 {
    u64::from(id) * SIZE as u64
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn ended(incarnation: u64) -> Record {
        let stage = Stage::Ended { exit: None, errored: None };
        Record { incarnation, boot_id: "b".repeat(36).into(), restarts: 0, stage }
    }

    #[test]
    fn a_shorter_record_overwrites_a_longer_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("records");
        let records = Records::open(&path).unwrap();
        assert_eq!(records.read(1).unwrap(), None);
        let identity =
            Identity { pid: 1 << 22, start_ticks: u64::MAX, boot_id: "b".repeat(36).into() };
        let stage = Stage::Spawned { identity, started_at: i64::MAX };
        let boot_id: Arc<str> = "b".repeat(36).into();
        let long =
            Record { incarnation: u64::MAX, boot_id: boot_id.clone(), restarts: u32::MAX, stage };
        records.write(1, &long).unwrap();
        assert_eq!(records.read(1).unwrap(), Some(long));
        let short = Record { incarnation: 2, boot_id, restarts: 0, stage: Stage::Spawning };
        records.write(1, &short).unwrap();
        assert_eq!(Records::open(&path).unwrap().read(1).unwrap(), Some(short));
        assert_eq!((records.read(0).unwrap(), records.read(2).unwrap()), (None, None));
        std::fs::write(&path, [b'x'; 2 * SIZE]).unwrap();
        assert_eq!(records.read(1).unwrap(), None);
    }

    #[test]
    fn a_forgotten_record_is_gone_and_its_neighbours_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("records");
        let records = Records::open(&path).unwrap();
        let ids = 0..u32::try_from(64 * BLOCK / SIZE).unwrap();
        ids.clone().for_each(|id| records.write(id, &ended(id.into())).unwrap());
        let full = std::fs::metadata(&path).unwrap().blocks();
        for id in ids.clone().filter(|id| *id != 9) {
            records.forget(id).unwrap();
        }
        for id in ids {
            assert_eq!(records.read(id).unwrap(), (id == 9).then(|| ended(9)), "{id}");
        }
        assert!(std::fs::metadata(&path).unwrap().blocks() < full, "nothing was given back");
    }

    #[test]
    fn a_reason_that_is_too_long_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let records = Records::open(&dir.path().join("records")).unwrap();
        let stage = Stage::Ended { exit: None, errored: Some("a reason\n".repeat(100)) };
        records.write(0, &Record { stage, ..ended(1) }).unwrap();
        let Some(Record { stage: Stage::Ended { errored: Some(reason), .. }, .. }) =
            records.read(0).unwrap()
        else {
            panic!("no reason");
        };
        assert!(reason.starts_with("a reason") && reason.len() <= 60, "{reason}");
    }
}
