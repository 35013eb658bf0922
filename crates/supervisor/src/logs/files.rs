//! All log files that are written to, by path. Only so many of them are open at once.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use super::archive::Archive;
use super::file::LogFile;
use super::plan::Rotation;

/// Most files that are open at once.
pub(super) const MOST_OPEN: usize = 1024;

/// The log files.
#[derive(Debug)]
pub(super) struct Files {
    /// Boxed, since a table has up to twice as many places as it has entries.
    files: HashMap<Arc<Path>, Box<LogFile>>,
    /// Those that are open, and perhaps some that no longer are. The first are closed first.
    open: VecDeque<Arc<Path>>,
    most_open: usize,
    archive: Archive,
}

impl Files {
    pub(super) fn new(archive: Archive, most_open: usize) -> Self {
        Self { files: HashMap::new(), open: VecDeque::new(), most_open, archive }
    }

    /// One more stream writes to this file.
    pub(super) fn acquire(&mut self, path: &Path, rotation: Rotation) -> Arc<Path> {
        let path = match self.files.get_key_value(path) {
            Some((path, _)) => path.clone(),
            None => Arc::from(path),
        };
        let archive = &self.archive;
        let file = self
            .files
            .entry(path.clone())
            .or_insert_with(|| Box::new(LogFile::new(path.clone(), rotation, archive.clone())));
        file.set_rotation(rotation);
        file.users += 1;
        path
    }

    /// One stream less writes to it.
    pub(super) fn release(&mut self, path: &Arc<Path>) {
        if let Some(file) = self.files.get_mut(path) {
            file.users -= 1;
            if file.users == 0 {
                self.files.remove(path);
            }
        }
    }

    /// Calls `act` with a file that was acquired, and sees to it that not too many stay open.
    pub(super) fn with<T>(
        &mut self,
        path: &Arc<Path>,
        act: impl FnOnce(&mut LogFile) -> T,
    ) -> Option<T> {
        let file = self.files.get_mut(path)?;
        let was_open = file.is_open();
        let result = act(file);
        if file.is_open() && !was_open {
            self.open.push_back(path.clone());
            self.close_some();
        }
        Some(result)
    }

    /// Closes files that were not used since it last came by them.
    fn close_some(&mut self) {
        while self.open.len() > self.most_open {
            let Some(path) = self.open.pop_front() else {
                return;
            };
            let Some(file) = self.files.get_mut(&path).filter(|file| file.is_open()) else {
                continue;
            };
            if std::mem::take(&mut file.used) {
                self.open.push_back(path);
            } else {
                file.close();
            }
        }
    }

    /// Looks after the rotated files of all.
    pub(super) fn tend(&self) {
        for (path, file) in &self.files {
            self.archive.tend(path, file.rotation());
        }
    }

    #[cfg(test)]
    pub(super) fn count_open(&self) -> usize {
        self.files.values().filter(|file| file.is_open()).count()
    }
}
