//! Compresses rotated log files, on a thread of its own that yields to everything else.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::SystemTime;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::plan::Rotation;
use super::rotation::{
    NAMES, compressed, count, expire, half_compressed, remove_existing, rotated,
};

/// Files that may wait for it. One that finds no room is looked at again at its next rotation.
const QUEUE: usize = 256;

/// A log whose rotated files are to be looked at.
#[derive(Debug)]
struct Job {
    path: PathBuf,
    rotation: Rotation,
}

/// Hands work to the thread, which ends when this is dropped.
#[derive(Debug, Clone)]
pub(super) struct Archive {
    jobs: SyncSender<Job>,
}

impl Archive {
    pub(super) fn start() -> io::Result<Self> {
        let (jobs, queue) = sync_channel(QUEUE);
        std::thread::Builder::new().name("log-archive".to_owned()).spawn(move || work(&queue))?;
        Ok(Self { jobs })
    }

    /// Has the rotated files of a log compressed and the too old ones removed. Never blocks.
    pub(super) fn tend(&self, path: &Path, rotation: Rotation) {
        if rotation.compress || !rotation.retention.is_zero() {
            // Full: see `QUEUE`.
            let _ = self.jobs.try_send(Job { path: path.to_owned(), rotation });
        }
    }
}

fn work(queue: &Receiver<Job>) {
    // Of this thread alone, as Linux has it. If it may not, it does its work all the same.
    let _ = rustix::process::setpriority_process(None, 19);
    for job in queue {
        if let Err(error) = tend(&job.path, job.rotation, SystemTime::now()) {
            tracing::warn!(%error, file = %job.path.display(), "cannot tend rotated log files; it is tried again at the next rotation");
        }
    }
}

pub(super) fn tend(path: &Path, rotation: Rotation, now: SystemTime) -> io::Result<()> {
    {
        let _names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        expire(path, rotation.retention, now)?;
    }
    // One that was left when we were killed; nobody else writes any.
    remove_existing(&half_compressed(path))?;
    if !rotation.compress {
        return Ok(());
    }
    for number in 2..=count(path) {
        match File::open(rotated(path, number)) {
            Ok(plain) => compress(path, plain)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The file may get another number meanwhile, so it is known by its inode.
fn compress(path: &Path, plain: File) -> io::Result<()> {
    let half = half_compressed(path);
    let metadata = plain.metadata()?;
    let packed =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
    let mut encoder = GzEncoder::new(packed, Compression::default());
    io::copy(&mut BufReader::with_capacity(64 << 10, plain), &mut encoder)?;
    let packed = encoder.finish()?;
    // Its age is what the retention goes by.
    packed.set_modified(metadata.modified()?)?;
    packed.sync_all()?;
    let _names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    for number in 1..=count(path) {
        let plain = rotated(path, number);
        if fs::metadata(&plain).is_ok_and(|found| found.ino() == metadata.ino()) {
            fs::rename(half, compressed(path, number))?;
            return fs::remove_file(plain);
        }
    }
    // It has been removed.
    fs::remove_file(half)
}
