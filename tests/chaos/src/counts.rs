//! How many lines each incarnation of a worker has written, by its own account.
//!
//! A file an incarnation: the number of the line that was begun last, then of the one that was written last. They
//! outlive a kill at any instant, and differ by one at most: by the line that may be in the log or not, or in part.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// What an incarnation says that it has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// No line after this was begun.
    pub begun: u64,
    /// All up to this were written.
    pub done: u64,
}

/// By incarnation.
pub type Counts = BTreeMap<u64, Count>;

/// The writing side.
#[derive(Debug)]
pub struct Counter(File);

impl Counter {
    /// The counter of a new incarnation.
    ///
    /// # Errors
    /// When there is one already: two processes are the same incarnation.
    pub fn create(folder: &Path, name: &str, incarnation: u64) -> io::Result<Self> {
        let file = File::create_new(path(folder, name, incarnation))?;
        file.write_all_at(&[0; 16], 0)?;
        Ok(Self(file))
    }

    /// This line is about to be written.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn begin(&self, number: u64) -> io::Result<()> {
        self.0.write_all_at(&number.to_le_bytes(), 0)
    }

    /// This line was written.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(&self, number: u64) -> io::Result<()> {
        self.0.write_all_at(&number.to_le_bytes(), 8)
    }
}

fn path(folder: &Path, name: &str, incarnation: u64) -> PathBuf {
    folder.join(format!("{name}.{incarnation}"))
}

/// The counts of all workers, by name.
///
/// # Errors
/// When the folder cannot be read.
pub fn read(folder: &Path) -> io::Result<BTreeMap<String, Counts>> {
    let mut all: BTreeMap<String, Counts> = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file_name = entry.file_name();
        let parts = file_name.to_str().and_then(|name| name.rsplit_once('.'));
        let Some((name, Ok(incarnation))) = parts.map(|(name, n)| (name, n.parse())) else {
            continue;
        };
        let file = File::open(entry.path())?;
        // The later number first: what is begun meanwhile must not look as if it had been done before.
        let number = |at| -> io::Result<u64> {
            let mut bytes = [0; 8];
            match file.read_exact_at(&mut bytes, at) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
                read => read.map(|()| u64::from_le_bytes(bytes)),
            }
        };
        let done = number(8)?;
        let count = Count { begun: number(0)?, done };
        all.entry(name.to_owned()).or_default().insert(incarnation, count);
    }
    Ok(all)
}
