//! What a process writes, from its FIFO into its log file.
//!
//! The child has the FIFO open for reading and writing, so it never gets SIGPIPE: what it writes while no
//! supervisor lives waits in the pipe, and when that is full, the child waits. We open it both ways
//! too, else the last writer's end would leave the descriptor "hung up", readable for ever.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{CWD, Mode, OFlags, mkfifoat};
use tokio::sync::{oneshot, watch};

use crate::readiness::{Readable, readable};
use crate::sink::Sink;

/// How long to leave a log file alone that cannot be written (a full disk, mostly).
const RETRY: Duration = Duration::from_secs(1);
/// Most that is moved after the end of a process: a child of its that got away could write for ever.
const LAST_WORDS: usize = 16 << 20;

/// Tells followers that a log file has grown. The number counts, and means nothing else.
pub(crate) type Pulse = watch::Sender<u64>;

/// Both ends of a process's FIFO.
#[derive(Debug)]
pub(crate) struct FifoEnds {
    /// Ours; never blocks.
    pub(crate) ours: OwnedFd,
    /// The child's standard output or error. An own open file description, for `O_NONBLOCK` belongs to
    /// that, and programs do not expect it on their output.
    pub(crate) childs: File,
}

/// Opens the FIFO at `path` for both sides, and makes it first where there is none.
pub(crate) fn open_fifo(path: &Path) -> io::Result<FifoEnds> {
    match mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(errno) => return Err(errno.into()),
    }
    let childs = OpenOptions::new().read(true).write(true).open(path)?;
    if !childs.metadata()?.file_type().is_fifo() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("{} is not a FIFO", path.display()),
        ));
    }
    Ok(FifoEnds { ours: open_ours(path)?, childs })
}

/// Opens our side of a FIFO that is already there.
pub(crate) fn open_ours(path: &Path) -> io::Result<OwnedFd> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?;
    Ok(file.into())
}

/// A running transfer. Dropping it leaves the rest in the pipe.
#[derive(Debug)]
pub(crate) struct Capture {
    finish: oneshot::Sender<oneshot::Sender<()>>,
}

impl Capture {
    /// Starts to move bytes. Must be called within a tokio runtime.
    pub(crate) fn start(fifo: OwnedFd, sink: Sink, pulse: Pulse) -> io::Result<Self> {
        let fifo = readable(fifo)?;
        let (finish, asked) = oneshot::channel();
        tokio::spawn(transfer(fifo, sink, pulse, asked));
        Ok(Self { finish })
    }

    /// Moves what is still in the pipe, then ends. To be called when no process of the tree lives.
    pub(crate) async fn finish(self) {
        let (done, ended) = oneshot::channel();
        if self.finish.send(done).is_ok() {
            // An error means that the transfer ended on its own; there is nothing to wait for then.
            let _ = ended.await;
        }
    }
}

async fn transfer(
    fifo: Readable,
    mut sink: Sink,
    pulse: Pulse,
    mut asked: oneshot::Receiver<oneshot::Sender<()>>,
) {
    loop {
        tokio::select! {
            biased;
            finish = &mut asked => {
                if let Ok(done) = finish {
                    drain(&fifo, &mut sink, &pulse);
                    let _ = done.send(());
                }
                return;
            }
            ready = fifo.readable() => {
                let Ok(mut ready) = ready else { return };
                match sink.take_from(fifo.as_fd()) {
                    Ok(Some(_)) => pulse.send_modify(|count| *count = count.wrapping_add(1)),
                    Ok(None) => ready.clear_ready(),
                    Err(error) => {
                        tracing::error!(%error, "cannot write a log file; its process waits once its pipe is full");
                        tokio::select! {
                            () = tokio::time::sleep(RETRY) => {}
                            finish = &mut asked => {
                                if let Ok(done) = finish {
                                    // There may be room again; if not, the loss is said.
                                    drain(&fifo, &mut sink, &pulse);
                                    let _ = done.send(());
                                }
                                return;
                            }
                        }
                    }
                }
                // One chatty process must not keep the loop from all others.
                tokio::task::yield_now().await;
            }
        }
    }
}

fn drain(fifo: &Readable, sink: &mut Sink, pulse: &Pulse) {
    let mut total = 0;
    while total < LAST_WORDS {
        match sink.take_from(fifo.as_fd()) {
            Ok(Some(moved)) => total += moved,
            Ok(None) => break,
            Err(error) => {
                tracing::error!(%error, "a process's last output was lost");
                break;
            }
        }
    }
    if total > 0 {
        pulse.send_modify(|count| *count = count.wrapping_add(1));
    }
}
