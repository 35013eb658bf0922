//! A process's FIFOs.
//!
//! The child has the FIFO open for reading and writing, so it never gets SIGPIPE: what it writes while no
//! supervisor lives waits in the pipe, and when that is full, the child waits. We open it both ways
//! too, else the last writer's end would leave the descriptor "hung up", readable for ever.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags, mkfifoat};
use rustix::io::{Errno, ioctl_fionread};
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, tee};

/// How much of a pipe is looked at in one go.
const LOOK: usize = 256 << 10;

/// Makes a FIFO where there is none.
pub(crate) fn make_fifo(path: &Path) -> io::Result<()> {
    match mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Opens our side of a FIFO, and makes it first where there is none.
pub(crate) fn open_fifo(path: &Path) -> io::Result<OwnedFd> {
    match open_ours(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_fifo(path)?;
            open_ours(path)
        }
        other => other,
    }
}

/// Opens our side of a FIFO that is already there. It never blocks. The child opens the FIFO for itself: `O_NONBLOCK` belongs
/// to the open file description, and programs do not expect it on their output.
pub(crate) fn open_ours(path: &Path) -> io::Result<OwnedFd> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?;
    if file.metadata()?.file_type().is_fifo() {
        return Ok(file.into());
    }
    let message = format!("{} is not a FIFO", path.display());
    Err(io::Error::new(io::ErrorKind::AlreadyExists, message))
}

/// Removes a FIFO and what is kept beside it; to be called when its process is forgotten.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    for path in [path, &by_lines(path)] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// The sign beside a FIFO that its bytes are taken out only when their lines are written: an unfinished end of its log
/// file is still in the pipe then. Without it, it is nowhere else.
fn by_lines(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".lines");
    PathBuf::from(name)
}

/// Whether the sign is there.
pub(super) fn is_by_lines(path: &Path) -> bool {
    by_lines(path).exists()
}

/// Sets the sign or takes it away.
pub(super) fn set_by_lines(path: &Path, set: bool) -> io::Result<()> {
    if set {
        OpenOptions::new().write(true).create(true).truncate(false).open(by_lines(path))?;
        return Ok(());
    }
    match fs::remove_file(by_lines(path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// What a pipe holds whose writer is fast, in bytes: four times the usual.
const WIDE: usize = 256 << 10;

/// Has a pipe hold more, so that writer and reader wait for each other less often. What it holds is taken from what the system
/// lets all pipes of a user hold, so this is for few. Where that is used up, the pipe stays as it is.
pub(super) fn widen(fifo: BorrowedFd<'_>) {
    let _ = fcntl_setpipe_size(fifo, WIDE);
}

/// How many bytes wait in a pipe.
pub(super) fn waiting(fifo: BorrowedFd<'_>) -> usize {
    ioctl_fionread(fifo).ok().and_then(|count| usize::try_from(count).ok()).unwrap_or(0)
}

/// Whether the writer has to wait. Not told by a count of bytes: the pages in a pipe need not be full.
pub(super) fn is_full(fifo: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(fifo, PollFlags::OUT)];
    matches!(poll(&mut fds, Some(&Timespec::default())), Ok(0))
}

/// A look at what is in a pipe, without taking it.
#[derive(Debug)]
pub(super) struct Glass {
    copy: File,
    copy_in: OwnedFd,
    buffer: Vec<u8>,
}

impl Glass {
    pub(super) fn new() -> io::Result<Self> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        // Where that is not allowed, looks are shorter.
        let _ = fcntl_setpipe_size(&writer, LOOK);
        Ok(Self { copy: reader.into(), copy_in: writer, buffer: Vec::new() })
    }

    /// The bytes at the front.
    pub(super) fn look(&mut self, fifo: BorrowedFd<'_>) -> io::Result<&[u8]> {
        let copied = loop {
            match tee(fifo, &self.copy_in, LOOK, SpliceFlags::NONBLOCK) {
                Ok(copied) => break copied,
                Err(Errno::AGAIN) => break 0,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        };
        if self.buffer.len() < copied {
            self.buffer.resize(copied, 0);
        }
        self.copy.read_exact(&mut self.buffer[..copied])?;
        Ok(&self.buffer[..copied])
    }

    /// Takes so many bytes out of the pipe and forgets them. Answers how many there were.
    pub(super) fn take(&mut self, fifo: BorrowedFd<'_>, count: usize) -> io::Result<usize> {
        self.buffer.resize(self.buffer.len().max(count.min(LOOK)), 0);
        let mut taken = 0;
        while taken < count {
            let step = self.buffer.len().min(count - taken);
            match rustix::io::read(fifo, &mut self.buffer[..step]) {
                Ok(0) | Err(Errno::AGAIN) => break,
                Ok(read) => taken += read,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(taken)
    }
}
