//! A worker's log, read from the file that PM2 writes.

use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt as _};

/// The most of a file that is looked at for its last lines, and the most that is read at once.
const MOST: u64 = 1024 * 1024;
/// A longer line is cut into several.
const LONGEST_LINE: usize = 64 * 1024;
/// Time between two looks at a followed file.
const LOOK: Duration = Duration::from_millis(500);

/// Makes the file, closed to everybody else, where it is not there yet: PM2 would leave it open.
pub(super) fn prepare(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.append(true).create(true).mode(0o600).open(path).map(drop)
}

/// The last lines, oldest first. A file that is not there is empty.
pub(super) fn tail(path: &Path, lines: usize) -> io::Result<Vec<String>> {
    let mut follower = Follower::new(path.to_owned());
    let mut all = follower.last()?;
    // What has no end yet is a line to somebody who does not wait for it.
    all.extend(follower.rest());
    Ok(all.split_off(all.len().saturating_sub(lines)))
}

/// The last lines, and then every new one. Ends when the file cannot be read.
pub(super) fn follow(path: PathBuf, lines: usize) -> io::Result<BoxStream<'static, String>> {
    let mut follower = Follower::new(path);
    let mut last = follower.last()?;
    let last = last.split_off(last.len().saturating_sub(lines));
    let new = stream::unfold(follower, |mut follower| async {
        tokio::time::sleep(LOOK).await;
        match follower.new_lines() {
            Ok(lines) => Some((lines, follower)),
            Err(error) => {
                tracing::warn!(path = %follower.path.display(), %error, "a log cannot be followed");
                None
            }
        }
    });
    Ok(stream::iter(last).chain(new.flat_map(stream::iter)).boxed())
}

/// Where a reader of a file has got to.
struct Follower {
    path: PathBuf,
    file: Option<(File, Metadata)>,
    position: u64,
    /// The beginning of a line whose end has not been written yet.
    partial: Vec<u8>,
}

impl Follower {
    fn new(path: PathBuf) -> Self {
        Self { path, file: None, position: 0, partial: Vec::new() }
    }

    /// The whole lines at the end of the file, and sets the position behind them.
    fn last(&mut self) -> io::Result<Vec<String>> {
        self.open()?;
        let size = self.file.as_ref().map_or(0, |(_, metadata)| metadata.len());
        self.position = size.saturating_sub(MOST);
        let cut = self.position > 0;
        let mut lines = self.read()?;
        if cut && !lines.is_empty() {
            // Its beginning lies before what was read.
            lines.remove(0);
        }
        Ok(lines)
    }

    fn new_lines(&mut self) -> io::Result<Vec<String>> {
        let now = match std::fs::metadata(&self.path) {
            Ok(now) => Some(now),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let mut lines = self.read()?;
        let moved = match (&self.file, &now) {
            (Some((_, known)), Some(now)) => (known.dev(), known.ino()) != (now.dev(), now.ino()),
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if moved || now.is_some_and(|now| now.len() < self.position) {
            // Renamed or emptied: what stands there now is read from its beginning.
            lines.extend(self.rest());
            self.open()?;
            self.position = 0;
            lines.extend(self.read()?);
        }
        Ok(lines)
    }

    fn open(&mut self) -> io::Result<()> {
        self.file = match File::open(&self.path) {
            Ok(file) => {
                let metadata = file.metadata()?;
                Some((file, metadata))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(())
    }

    /// The whole lines from the position on.
    fn read(&mut self) -> io::Result<Vec<String>> {
        let Some((file, _)) = &mut self.file else { return Ok(Vec::new()) };
        file.seek(SeekFrom::Start(self.position))?;
        let mut bytes = Vec::new();
        self.position += file.take(MOST).read_to_end(&mut bytes)? as u64;
        let mut lines = Vec::new();
        for byte in bytes {
            if byte == b'\n' || self.partial.len() == LONGEST_LINE {
                lines.extend(self.rest_or_empty());
            }
            if byte != b'\n' {
                self.partial.push(byte);
            }
        }
        Ok(lines)
    }

    fn rest(&mut self) -> Option<String> {
        if self.partial.is_empty() { None } else { self.rest_or_empty() }
    }

    fn rest_or_empty(&mut self) -> Option<String> {
        let line = std::mem::take(&mut self.partial);
        Some(String::from_utf8_lossy(&line).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Follower, tail};

    #[test]
    fn a_tail_is_the_last_lines_and_nothing_without_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        assert!(tail(&path, 5).unwrap().is_empty());
        fs::write(&path, "one\n\ntwo\nthr").unwrap();
        assert_eq!(tail(&path, 3).unwrap(), ["", "two", "thr"]);
        assert_eq!(tail(&path, 0).unwrap(), [""; 0]);
        fs::write(&path, "x".repeat(2 * 1024 * 1024) + "\nlast\n").unwrap();
        assert_eq!(tail(&path, 1).unwrap(), ["last"]);
    }

    #[test]
    fn a_follower_survives_truncation_and_rename() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        fs::write(&path, "old\n").unwrap();
        let mut follower = Follower::new(path.clone());
        assert_eq!(follower.last().unwrap(), ["old"]);
        fs::write(&path, "old\none\npart").unwrap();
        assert_eq!(follower.new_lines().unwrap(), ["one"]);
        fs::write(&path, "a\n").unwrap();
        assert_eq!(follower.new_lines().unwrap(), ["part", "a"]);
        fs::rename(&path, dir.path().join("a.log.1")).unwrap();
        assert!(follower.new_lines().unwrap().is_empty());
        fs::write(&path, "b\n").unwrap();
        assert_eq!(follower.new_lines().unwrap(), ["b"]);
    }
}
