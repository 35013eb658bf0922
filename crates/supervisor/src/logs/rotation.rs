//! The files that came before a log file: `<file>.1` (the youngest) to `<file>.<keep>`, all but the first as `.gz`
//! where they are compressed.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

/// Held while rotated files get other names. The thread that compresses them holds it too, only as long as it
/// renames.
pub(super) static NAMES: Mutex<()> = Mutex::new(());

/// No log keeps more files.
const MOST: u32 = 1000;

/// The name of the `number`th rotated file.
pub(crate) fn rotated(path: &Path, number: u32) -> PathBuf {
    with_suffix(path, &format!(".{number}"))
}

/// Its name once it is compressed.
pub(crate) fn compressed(path: &Path, number: u32) -> PathBuf {
    with_suffix(path, &format!(".{number}.gz"))
}

/// The name of a compressed file that is being written.
pub(super) fn half_compressed(path: &Path) -> PathBuf {
    with_suffix(path, ".gz.tmp")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes room for a new `<file>.1`, then gives that name to the file. To be called with [`NAMES`] held.
pub(super) fn shift(path: &Path, keep: u32) -> io::Result<()> {
    let last = count(path);
    for number in (1..=last).rev() {
        let (plain, packed) = (rotated(path, number), compressed(path, number));
        if number >= keep {
            remove_existing(&plain)?;
            remove_existing(&packed)?;
            continue;
        }
        // Both are there when we were killed after the compression: the packed one is complete.
        if packed.exists() {
            remove_existing(&plain)?;
            fs::rename(packed, compressed(path, number + 1))?;
        } else {
            fs::rename(plain, rotated(path, number + 1))?;
        }
    }
    fs::rename(path, rotated(path, 1))
}

/// Removes rotated files that were last written longer ago. To be called with [`NAMES`] held.
pub(super) fn expire(path: &Path, retention: Duration, now: SystemTime) -> io::Result<()> {
    if retention.is_zero() {
        return Ok(());
    }
    // From the oldest on, so that the numbers stay without a gap.
    for number in (1..=count(path)).rev() {
        for path in [rotated(path, number), compressed(path, number)] {
            let Some(written) = metadata(&path).and_then(|metadata| metadata.modified().ok())
            else {
                continue;
            };
            if now.duration_since(written).unwrap_or_default() < retention {
                return Ok(());
            }
            remove_existing(&path)?;
        }
    }
    Ok(())
}

/// How many rotated files there are: the numbers have no gap.
pub(super) fn count(path: &Path) -> u32 {
    let exists = |number: &u32| {
        metadata(&rotated(path, *number)).is_some()
            || metadata(&compressed(path, *number)).is_some()
    };
    (1..=MOST).take_while(exists).last().unwrap_or(0)
}

fn metadata(path: &Path) -> Option<Metadata> {
    fs::symlink_metadata(path).ok()
}

/// Removes a file that may be gone already.
pub(super) fn remove_existing(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
