//! One log file: opened when needed, always written at its end, rotated when due.

mod ends;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustix::io::Errno;
use rustix::pipe::{SpliceFlags, splice};

use super::archive::Archive;
use super::plan::Rotation;
use super::rotation::{NAMES, shift};
use super::unfinished::{self, Unfinished};

/// How often a file is looked for under its name, which others may have given to another.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a line that is being written may keep others from the file.
const PATIENCE: Duration = Duration::from_secs(1);
/// A longer line is cut in two, else it could hold up the rotation for ever.
const LONGEST_LINE: u64 = 64 << 20;

/// One log file.
///
/// Not opened with `O_APPEND`, which `splice` refuses; so nobody else may write to it. Truncated, renamed or deleted
/// it may be by anybody at any time.
#[derive(Debug)]
pub(super) struct LogFile {
    path: Arc<Path>,
    rotation: Rotation,
    archive: Archive,
    /// How many streams write to it.
    pub(super) users: usize,
    /// Used since it was last a candidate for being closed.
    pub(super) used: bool,
    /// Boxed, as is the line: most files say nothing most of the time.
    handle: Option<Box<Handle>>,
    /// A line that is begun.
    line: Option<Box<Unfinished>>,
    /// Since when somebody waits for the end of that line.
    contended: Option<Instant>,
    /// Whose bytes went into it unseen, so that they may end within a line.
    unseen: Option<Arc<str>>,
    /// Whether its end was put in order after an earlier supervisor.
    settled: bool,
    looked: Instant,
    cannot_rotate: bool,
    cannot_splice: bool,
}

#[derive(Debug)]
struct Handle {
    file: File,
    inode: (u64, u64),
    /// A device or a pipe has neither size nor end.
    is_regular: bool,
    began: SystemTime,
}

impl LogFile {
    pub(super) fn new(path: Arc<Path>, rotation: Rotation, archive: Archive) -> Self {
        Self {
            path,
            rotation,
            archive,
            users: 0,
            used: false,
            handle: None,
            line: None,
            contended: None,
            unseen: None,
            settled: false,
            looked: Instant::now(),
            cannot_rotate: false,
            cannot_splice: false,
        }
    }

    pub(super) fn set_rotation(&mut self, rotation: Rotation) {
        self.rotation = rotation;
    }

    pub(super) fn rotation(&self) -> Rotation {
        self.rotation
    }

    pub(super) fn is_open(&self) -> bool {
        self.handle.is_some()
    }

    /// Gives the descriptor back; the next write opens the file again, by its name.
    pub(super) fn close(&mut self) {
        self.handle = None;
    }

    pub(super) fn can_splice(&self) -> bool {
        !self.cannot_splice
    }

    fn handle(&mut self) -> io::Result<&mut Handle> {
        if self.handle.is_none() {
            let file = open(&self.path)?;
            let metadata = file.metadata()?;
            self.looked = Instant::now();
            self.cannot_rotate = false;
            self.handle = Some(Box::new(Handle {
                inode: (metadata.dev(), metadata.ino()),
                is_regular: metadata.is_file(),
                began: metadata.created().or_else(|_| metadata.modified())?,
                file,
            }));
        }
        self.handle.as_deref_mut().ok_or_else(|| io::Error::other("the file is closed"))
    }

    /// Goes to the end of the file that bears the name, and begins a new one if this one is too old. Answers its size.
    pub(super) fn prepare(&mut self, now: Instant) -> io::Result<u64> {
        self.used = true;
        if self.line.is_none() && now.saturating_duration_since(self.looked) >= LOOK_EVERY {
            self.looked = now;
            self.reopen_if_other();
        }
        let size = self.size()?;
        if self.line.as_ref().is_some_and(|line| size < line.length) {
            // Somebody truncated it, and the line's begin is gone with the rest.
            self.forget_line()?;
        }
        let max_age = self.rotation.max_age;
        if max_age.is_zero() || size == 0 || self.line.is_some() || self.cannot_rotate {
            return Ok(size);
        }
        let began = self.handle()?.began;
        let age = SystemTime::now().duration_since(began).unwrap_or_default();
        if age >= max_age && self.ends_a_line(size)? {
            self.rotate();
            return self.size();
        }
        Ok(size)
    }

    /// Forgets the descriptor if the name belongs to another file by now, or to none.
    pub(super) fn reopen_if_other(&mut self) {
        let Some(handle) = &self.handle else {
            return;
        };
        let found = fs::metadata(&self.path);
        if !found.is_ok_and(|found| (found.dev(), found.ino()) == handle.inode) {
            self.handle = None;
        }
    }

    /// To the end each time: should somebody truncate the file, no hole is left.
    fn size(&mut self) -> io::Result<u64> {
        let handle = self.handle()?;
        if handle.is_regular { handle.file.seek(SeekFrom::End(0)) } else { Ok(0) }
    }

    /// Whether a line ends at `size`. A file without bytes has no line that does not.
    fn ends_a_line(&mut self, size: u64) -> io::Result<bool> {
        let handle = self.handle()?;
        if size == 0 || !handle.is_regular {
            return Ok(true);
        }
        let mut last = [0_u8];
        handle.file.read_exact_at(&mut last, size - 1)?;
        Ok(last == [b'\n'])
    }

    /// Whether `me` may write now, or must wait for the end of another's line. That takes a second at most.
    pub(super) fn claim(&mut self, me: &Arc<str>, now: Instant) -> io::Result<bool> {
        if self.line.as_ref().is_none_or(|line| line.owner == *me) {
            return Ok(true);
        }
        let since = *self.contended.get_or_insert(now);
        if now.saturating_duration_since(since) < PATIENCE {
            return Ok(false);
        }
        self.end_line()?;
        Ok(true)
    }

    /// What will end the line that is begun.
    pub(super) fn begun(&self) -> Option<&str> {
        self.line.as_ref().map(|line| line.end.as_str())
    }

    /// Writes lines; all of them or, with an error, nothing. The last is left open if it has an `end` still to come.
    pub(super) fn write_lines(
        &mut self,
        bytes: &[u8],
        end: Option<&str>,
        me: &Arc<str>,
    ) -> io::Result<()> {
        let before = self.append(bytes)?;
        let length = before + bytes.len() as u64;
        let noted = match end {
            None if self.line.is_none() => Ok(()),
            None => self.forget_line(),
            Some(end) => self.note(length, bytes.len() as u64, end, me),
        };
        if let Err(error) = noted {
            self.undo(before);
            return Err(error);
        }
        if self.line.as_ref().is_some_and(|line| line.line_length > LONGEST_LINE) {
            return self.end_line();
        }
        if self.line.is_none() {
            self.rotate_if_due(length)?;
        }
        Ok(())
    }

    fn note(&mut self, length: u64, added: u64, end: &str, me: &Arc<str>) -> io::Result<()> {
        // What is sent to a device is gone; there is nothing to come back to.
        let lasts = self.handle()?.is_regular;
        let length = if lasts { length } else { 0 };
        let line = match self.line.as_deref() {
            Some(line) => {
                Unfinished { length, line_length: line.line_length + added, ..line.clone() }
            }
            None => {
                Unfinished { owner: me.clone(), length, line_length: added, end: end.to_owned() }
            }
        };
        if lasts {
            line.save(&self.path)?;
        }
        self.line = Some(Box::new(line));
        Ok(())
    }

    /// Ends the line that is begun.
    pub(super) fn end_line(&mut self) -> io::Result<()> {
        let Some(end) = self.begun().map(str::to_owned) else {
            return Ok(());
        };
        let before = self.append(end.as_bytes())?;
        self.forget_line().inspect_err(|_| self.undo(before))
    }

    pub(super) fn is_begun_by(&self, me: &Arc<str>) -> bool {
        self.line.as_ref().is_some_and(|line| line.owner == *me)
    }

    fn forget_line(&mut self) -> io::Result<()> {
        unfinished::remove(&self.path)?;
        self.line = None;
        self.contended = None;
        Ok(())
    }

    /// Writes at the end, all or nothing. Answers where it began.
    fn append(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let before = self.size()?;
        let written = self.handle()?.file.write_all(bytes);
        written.inspect_err(|_| self.undo(before))?;
        Ok(before)
    }

    /// Takes back what was written, so that it can be written again. Making a file shorter needs no room.
    fn undo(&mut self, length: u64) {
        if let Some(handle) = self.handle.as_deref().filter(|handle| handle.is_regular)
            && let Err(error) = handle.file.set_len(length)
        {
            tracing::error!(%error, file = %self.path.display(), "cannot take back what was half written");
        }
    }

    /// Moves at most `limit` bytes out of the pipe. `None`: it is empty, or this file cannot take bytes in this way.
    pub(super) fn splice(
        &mut self,
        fifo: BorrowedFd<'_>,
        limit: usize,
    ) -> io::Result<Option<usize>> {
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        loop {
            match splice(fifo, None, &self.handle()?.file, None, limit, flags) {
                Ok(0) | Err(Errno::AGAIN) => return Ok(None),
                Ok(moved) => return Ok(Some(moved)),
                Err(Errno::INTR) => {}
                Err(Errno::INVAL) => {
                    // Not every file system and device can; its lines are written then.
                    self.cannot_splice = true;
                    return Ok(None);
                }
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// How many bytes it takes until it is full; with no limit, or where it is and cannot be rotated, any number.
    pub(super) fn room(&self, size: u64) -> usize {
        let left = self.rotation.max_bytes.saturating_sub(size);
        if left == 0 { usize::MAX } else { usize::try_from(left).unwrap_or(usize::MAX) }
    }

    /// Whether it is full and only waits for a line's end.
    pub(super) fn waits_for_line_end(&mut self, size: u64) -> io::Result<bool> {
        let full = self.rotation.max_bytes != 0 && size >= self.rotation.max_bytes;
        Ok(full && !self.cannot_rotate && !self.ends_a_line(size)?)
    }

    /// Rotates a full file where a line ends; one that has twice its size without such a chance, anywhere.
    pub(super) fn rotate_if_due(&mut self, size: u64) -> io::Result<()> {
        let max = self.rotation.max_bytes;
        if max == 0 || size < max || self.cannot_rotate {
            return Ok(());
        }
        if size >= max.saturating_mul(2) || self.ends_a_line(size)? {
            self.rotate();
        }
        Ok(())
    }

    /// A file that cannot be rotated grows on, for lines are worth more than its size.
    fn rotate(&mut self) {
        let rotated = match &self.handle {
            Some(handle) if !handle.is_regular => {
                self.cannot_rotate = true;
                return;
            }
            Some(handle) if self.rotation.keep == 0 => handle.file.set_len(0),
            Some(_) | None => {
                let _names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
                shift(&self.path, self.rotation.keep)
            }
        };
        match rotated {
            Ok(()) => {
                self.close();
                self.archive.tend(&self.path, self.rotation);
            }
            // Removed by somebody, just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.close(),
            Err(error) => {
                self.cannot_rotate = true;
                tracing::error!(%error, file = %self.path.display(), "cannot rotate a log file; it grows on until it is opened again");
            }
        }
    }

    /// Empties it.
    pub(super) fn truncate(&mut self) -> io::Result<()> {
        self.reopen_if_other();
        let handle = self.handle()?;
        if handle.is_regular {
            handle.file.set_len(0)?;
            handle.began = SystemTime::now();
        }
        self.forget_line()
    }

    /// Opens it again by its name, and gives up on nothing any more.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        self.cannot_splice = false;
        if self.line.is_none() {
            self.close();
        }
        self.handle().map(drop)
    }
}

/// Opens a log file for writing at its end, and creates it (0600) and its folder (0700) where missing.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            }
            options.open(path)
        }
        other => other,
    }
}
