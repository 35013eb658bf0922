//! Standard input of processes that take some: a named FIFO that the child alone keeps open.
//!
//! The child has it open both ways, so it never reads an end of file, whoever comes and goes here.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Writes bytes to a process's input, all of them or none, and never waits: the pipe holds 64 KiB.
pub(crate) fn write(fifo: &Path, bytes: &[u8]) -> io::Result<()> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let mut file: File = OpenOptions::new().write(true).custom_flags(flags).open(fifo)?;
    if !file.metadata()?.file_type().is_fifo() {
        return Err(io::Error::other(format!("{} is not a FIFO", fifo.display())));
    }
    let full = || io::Error::other("it does not read what it was sent before; its pipe is full");
    // What fits into PIPE_BUF is written whole or not at all; more may be cut, so the room is looked at first.
    let room = rustix::pipe::fcntl_getpipe_size(&file)?;
    let waiting = usize::try_from(rustix::io::ioctl_fionread(&file)?).unwrap_or(usize::MAX);
    if room.saturating_sub(waiting) < bytes.len() {
        return Err(full());
    }
    match file.write_all(bytes) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(full()),
        other => other,
    }
}
