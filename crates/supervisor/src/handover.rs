//! What a supervisor leaves to the program that takes its place by `execve`: same pid, same children, same socket.
//!
//! The listening socket and the lock on the run directory stay open over the execution, and their numbers go in the
//! environment. So nobody who connects is refused, and nobody else can take the folder in between.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

/// Variable with the numbers of the descriptors: `<socket>,<lock>,<pid>`.
pub const HANDOVER_VAR: &str = "TENANTRY_SUPERVISOR_HANDOVER";
/// The program that runs now, even when its file was replaced.
const OURSELVES: &str = "/proc/self/exe";

/// The descriptors that outlive the execution.
#[derive(Debug)]
pub struct Handover {
    pub(crate) listener: OwnedFd,
    pub(crate) lock: OwnedFd,
}

impl Handover {
    /// Takes what the program before us has left, from the value of [`HANDOVER_VAR`]. `None` when it was meant for another
    /// process: children of ours may inherit the variable.
    #[must_use]
    pub fn receive(value: Option<&OsStr>) -> Option<Self> {
        let (listener, lock) = parse(value?.to_str()?, std::process::id())?;
        let take = |number: RawFd| {
            // SAFETY: nothing but this borrows the number, and only to ask whether it is an open descriptor.
            #[allow(unsafe_code)]
            let borrowed = unsafe { std::os::fd::BorrowedFd::borrow_raw(number) };
            let flags = fcntl_getfd(borrowed).ok()?;
            fcntl_setfd(borrowed, flags | FdFlags::CLOEXEC).ok()?;
            // SAFETY: the descriptor is open, and the program that was this process before left it to us alone: the
            // variable names this very process.
            #[allow(unsafe_code)]
            Some(unsafe { OwnedFd::from_raw_fd(number) })
        };
        Some(Self { listener: take(listener)?, lock: take(lock)? })
    }

    /// Becomes `program`, with our own arguments; where that fails, this very program again. Returns only when both fail.
    #[must_use]
    pub fn execute(self, program: &Path, arguments: impl Iterator<Item = OsString>) -> io::Error {
        for fd in [&self.listener, &self.lock] {
            if let Err(errno) = fcntl_setfd(fd, FdFlags::empty()) {
                return errno.into();
            }
        }
        let pid = std::process::id();
        let value = format!("{},{},{pid}", self.listener.as_raw_fd(), self.lock.as_raw_fd());
        let arguments: Vec<OsString> = arguments.collect();
        let attempt = |program: &Path| {
            Command::new(program).args(&arguments).env(HANDOVER_VAR, &value).exec()
        };
        let error = attempt(program);
        tracing::error!(%error, program = %program.display(), "cannot become this program; going on as before");
        attempt(&PathBuf::from(OURSELVES))
    }
}

fn parse(value: &str, own_pid: u32) -> Option<(RawFd, RawFd)> {
    let mut parts = value.split(',');
    let (listener, lock) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let pid: u32 = parts.next()?.parse().ok()?;
    (pid == own_pid && parts.next().is_none() && listener > 2 && lock > 2 && listener != lock)
        .then_some((listener, lock))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn only_what_is_meant_for_this_process_is_taken() {
        assert_eq!(parse("5,7,42", 42), Some((5, 7)));
        for wrong in ["5,7,41", "5,7", "5,7,42,1", "1,7,42", "5,5,42", "a,7,42", "", "-3,7,42"] {
            assert_eq!(parse(wrong, 42), None, "{wrong}");
        }
    }
}
