//! A log file that bytes are moved into by `splice(2)`, with rotation by size.
//!
//! Bytes go from the pipe to the file inside the kernel, so none is ever in this program's memory alone:
//! whenever it is killed, a byte is either still in the pipe or already in the file.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::pipe::{SpliceFlags, splice};

/// How much one `splice` may move at most: more than any pipe holds by default.
const CHUNK: usize = 1 << 20;

/// One log file and its rotated predecessors `<file>.1` (youngest) to `<file>.<keep>`.
#[derive(Debug)]
pub(crate) struct Sink {
    path: PathBuf,
    file: File,
    max_bytes: u64,
    keep: u32,
}

impl Sink {
    /// Opens the file for appending, and creates it (0600) and its folder (0700) where missing.
    ///
    /// Not with `O_APPEND`, which `splice` refuses; so nobody else may write to it.
    pub(crate) fn open(path: &Path, max_bytes: u64, keep: u32) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        Ok(Self { path: path.to_owned(), file: open_file(path)?, max_bytes, keep })
    }

    /// Moves what the pipe holds, at most one chunk. `None`: the pipe is empty.
    pub(crate) fn take_from(&mut self, fifo: BorrowedFd<'_>) -> io::Result<Option<usize>> {
        // To the end each time: should somebody truncate the file, no hole is left.
        let before = self.file.seek(SeekFrom::End(0))?;
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        let moved = loop {
            match splice(fifo, None, &self.file, None, CHUNK, flags) {
                Ok(0) | Err(Errno::AGAIN) => return Ok(None),
                Ok(moved) => break moved,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        };
        self.rotate_if_due(before + moved as u64)?;
        Ok(Some(moved))
    }

    /// Rotates a full file where a line ends; one that has twice its size without such a chance, anywhere.
    fn rotate_if_due(&mut self, size: u64) -> io::Result<()> {
        if self.max_bytes == 0 || size < self.max_bytes {
            return Ok(());
        }
        let mut last = [0_u8];
        self.file.read_exact_at(&mut last, size - 1)?;
        if last == [b'\n'] || size >= self.max_bytes.saturating_mul(2) {
            self.rotate()?;
        }
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        if self.keep == 0 {
            return self.file.set_len(0);
        }
        for number in (1..self.keep).rev() {
            rename_existing(&rotated(&self.path, number), &rotated(&self.path, number + 1))?;
        }
        rename_existing(&self.path, &rotated(&self.path, 1))?;
        self.file = open_file(&self.path)?;
        Ok(())
    }
}

/// The name of the `number`th rotated file.
pub(crate) fn rotated(path: &Path, number: u32) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn rename_existing(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsFd;

    use super::*;

    fn sink(max_bytes: u64, keep: u32) -> (tempfile::TempDir, PathBuf, Sink) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("logs/app.log");
        let sink = Sink::open(&path, max_bytes, keep).unwrap();
        (dir, path, sink)
    }

    fn feed(sink: &mut Sink, bytes: &[u8]) {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        File::from(writer).write_all(bytes).unwrap();
        while sink.take_from(reader.as_fd()).unwrap().is_some() {}
    }

    #[test]
    fn rotates_at_a_line_end_and_keeps_so_many() {
        let (_dir, path, mut sink) = sink(10, 2);
        feed(&mut sink, b"first file\n");
        feed(&mut sink, b"second, cut");
        assert_eq!(fs::read(rotated(&path, 1)).unwrap(), b"first file\n");
        assert_eq!(fs::read(&path).unwrap(), b"second, cut");
        feed(&mut sink, b" here\n");
        feed(&mut sink, b"third file\n");
        feed(&mut sink, b"4\n");
        assert_eq!(fs::read(rotated(&path, 2)).unwrap(), b"second, cut here\n");
        assert_eq!(fs::read(rotated(&path, 1)).unwrap(), b"third file\n");
        assert_eq!(fs::read(&path).unwrap(), b"4\n");
        assert!(!rotated(&path, 3).exists());
    }

    #[test]
    fn an_endless_line_rotates_at_twice_the_limit() {
        let (_dir, path, mut sink) = sink(10, 1);
        feed(&mut sink, &[b'x'; 19]);
        assert!(!rotated(&path, 1).exists());
        feed(&mut sink, b"x");
        assert_eq!(fs::read(rotated(&path, 1)).unwrap().len(), 20);
    }

    #[test]
    fn a_file_truncated_by_others_gets_no_hole() {
        let (_dir, path, mut sink) = sink(0, 1);
        feed(&mut sink, b"one\n");
        File::create(&path).unwrap();
        feed(&mut sink, b"two\n");
        assert_eq!(fs::read(&path).unwrap(), b"two\n");
    }
}
