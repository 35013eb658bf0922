//! Waiting until a descriptor is readable: a pidfd whose process ended, a FIFO that holds something.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A descriptor whose readiness can be awaited.
pub(crate) type Readable = AsyncFd<Arc<OwnedFd>>;

/// Registers a descriptor. Must be called within a tokio runtime.
pub(crate) fn readable(fd: impl Into<Arc<OwnedFd>>) -> io::Result<Readable> {
    // SAFETY: the descriptor is owned by the value that the `AsyncFd` owns in turn, so it is open, and is the same
    // one, for as long as the registration lasts; nobody can take it out of a shared `OwnedFd`.
    #[allow(unsafe_code)]
    let registered = unsafe { AsyncFd::register_with_interest(fd.into(), Interest::READABLE) };
    Ok(registered?)
}
