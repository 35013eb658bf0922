//! A file of lines that rotates by size.
//!
//! `server.log` is the current file, `server.log.1` the one before, and so on up to the number kept.
//! A line is never split over two files: the file is changed before a line that would make it too
//! large. One process writes a file at a time.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{SecondsFormat, Utc};
use tracing_subscriber::fmt::MakeWriter;

/// The size at which a file is rotated when nothing else is said: 10 MiB.
pub const DEFAULT_MAX_BYTES: u64 = 10 * 1024 * 1024;

/// How many old files are kept when nothing else is said.
pub const DEFAULT_KEEP: usize = 5;

/// When to rotate, and how many old files to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationSettings {
    /// No file grows beyond so many bytes, unless a single line is longer.
    pub max_bytes: u64,
    /// So many old files are kept besides the current one.
    pub keep: usize,
}

impl Default for RotationSettings {
    fn default() -> Self {
        Self { max_bytes: DEFAULT_MAX_BYTES, keep: DEFAULT_KEEP }
    }
}

/// A file of lines, readable by its owner alone, that rotates by size.
#[derive(Debug)]
pub struct RotatingFile {
    path: PathBuf,
    settings: RotationSettings,
    file: File,
    size: u64,
    /// Lines that could not be written since the last one that could.
    lost: u64,
}

impl RotatingFile {
    /// Opens the file at `path` for appending, and makes it and its folder when they are missing.
    ///
    /// # Errors
    /// When the system refuses to.
    pub fn open(path: &Path, settings: RotationSettings) -> io::Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let (file, size) = open(path)?;
        Ok(Self { path: path.to_owned(), settings, file, size, lost: 0 })
    }

    /// Appends one line; `line` ends with a line break.
    ///
    /// # Errors
    /// When the line could not be written. It is counted, and the next line that can be written is
    /// preceded by one that tells how many were lost.
    pub fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if self.size > 0 && self.size.saturating_add(length) > self.settings.max_bytes {
            // A file that cannot be rotated goes on growing: too long beats silent.
            let _ = self.rotate();
        }
        if self.lost > 0 {
            let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
            let note = format!(
                "{{\"ts\":\"{now}\",\"level\":\"ERROR\",\"target\":\"logging\",\
                 \"message\":\"log lines could not be written\",\"lost\":{}}}\n",
                self.lost
            );
            self.append(note.as_bytes()).inspect_err(|_| self.lost += 1)?;
            self.lost = 0;
        }
        self.append(line).inspect_err(|_| self.lost += 1)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.file.write_all(bytes) {
            Ok(()) => {
                self.size += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                Ok(())
            }
            Err(error) => {
                // Take back the part that went through, so that the next line starts a line.
                let _ = self.file.set_len(self.size);
                Err(error)
            }
        }
    }

    fn rotate(&mut self) -> io::Result<()> {
        if self.settings.keep == 0 {
            fs::remove_file(&self.path)?;
        } else {
            for number in (1..self.settings.keep).rev() {
                match fs::rename(self.numbered(number), self.numbered(number + 1)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    Ok(()) | Err(_) => {}
                }
            }
            fs::rename(&self.path, self.numbered(1))?;
        }
        (self.file, self.size) = open(&self.path)?;
        Ok(())
    }

    fn numbered(&self, number: usize) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    }
}

/// Opens a file at a line boundary: a torn last line, left by a crash, is ended first.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let mut file =
        OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    let mut size = file.seek(SeekFrom::End(0))?;
    if size > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0_u8];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
            size += 1;
        }
    }
    Ok((file, size))
}

/// A rotating file that the threads of a process share.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<RotatingFile>>);

impl Shared {
    pub(crate) fn new(file: RotatingFile) -> Self {
        Self(Arc::new(Mutex::new(file)))
    }
}

impl Write for Shared {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_line(line).map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'writer> MakeWriter<'writer> for Shared {
    type Writer = Self;

    fn make_writer(&'writer self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests;
