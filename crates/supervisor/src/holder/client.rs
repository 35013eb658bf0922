//! The supervisor's side: has a holder, and hands it pipes.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix,
    SocketFlags, SocketType, connect, sendmsg, socket_with, sockopt,
};
use tokio::time::sleep;

use super::Word;
use crate::logs::fifo::open_ours;
use crate::readiness::readable;
use crate::run_dir::RunDir;
use crate::spawn::start_helper;

/// How long a holder may take to listen, and to take a message.
const PATIENCE: Duration = Duration::from_secs(2);
/// Pause between two attempts to reach it.
const PAUSE: Duration = Duration::from_millis(2);
/// Pause before another holder is started in place of one that ended.
const AGAIN: Duration = Duration::from_millis(50);

/// Hands pipes to the holder. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    run_dir: RunDir,
    /// How a holder is started.
    command: Vec<OsString>,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    link: Option<Arc<OwnedFd>>,
    ids: BTreeSet<u32>,
}

impl Holder {
    /// Connects to the holder that an earlier supervisor left behind, or starts one. From then on there is always one:
    /// should it end, another takes its place. Must be called within a tokio runtime.
    pub(crate) async fn start(run_dir: RunDir, command: Vec<OsString>) -> Self {
        let shared = Arc::new(Shared { run_dir, command, held: Mutex::default() });
        if !shared.command.is_empty() {
            let reached = shared.reach().await;
            tokio::spawn(keep(Arc::clone(&shared), reached));
        }
        Self { shared }
    }

    /// Has the pipes of a process held. Blocks for a moment. A failure is told in the log: the pipes are handed
    /// over again when there is another holder.
    pub(crate) fn hold(&self, id: u32, pipes: &[BorrowedFd<'_>]) {
        let link = {
            let mut held = lock(&self.shared.held);
            held.ids.insert(id);
            held.link.clone()
        };
        if let Some(link) = link
            && let Err(error) = tell(&link, Word::Hold(id), pipes)
        {
            tracing::warn!(%error, id, "the pipes of a process are not held yet");
        }
    }

    /// Lets go of the pipes of a process that is forgotten.
    pub(crate) fn release(&self, id: u32) {
        let link = {
            let mut held = lock(&self.shared.held);
            held.ids.remove(&id);
            held.link.clone()
        };
        if let Some(link) = link {
            // One that is not there holds nothing either.
            let _ = tell(&link, Word::Drop(id), &[]);
        }
    }
}

impl Shared {
    /// Gets a link to a holder, starting one where there is none.
    async fn reach(&self) -> io::Result<Arc<OwnedFd>> {
        let path = self.run_dir.holder_socket();
        if let Ok(link) = dial(&path) {
            return self.use_link(link);
        }
        start_helper(&self.command)?;
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            match dial(&path) {
                Ok(link) => return self.use_link(link),
                Err(error) if tokio::time::Instant::now() >= end => return Err(error),
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    /// Hands all pipes over a new link.
    fn use_link(&self, link: OwnedFd) -> io::Result<Arc<OwnedFd>> {
        sockopt::set_socket_timeout(&link, sockopt::Timeout::Send, Some(PATIENCE))?;
        let link = Arc::new(link);
        let ids = {
            let mut held = lock(&self.held);
            held.link = Some(Arc::clone(&link));
            held.ids.clone()
        };
        for id in ids {
            let paths = [self.run_dir.out_fifo(id), self.run_dir.error_fifo(id)];
            let pipes: Vec<OwnedFd> =
                paths.iter().filter_map(|path| open_ours(path).ok()).collect();
            let borrowed: Vec<BorrowedFd<'_>> = pipes.iter().map(AsFd::as_fd).collect();
            tell(&link, Word::Hold(id), &borrowed)?;
        }
        Ok(link)
    }
}

/// Waits for the end of each holder, and then has another one.
async fn keep(shared: Arc<Shared>, mut reached: io::Result<Arc<OwnedFd>>) {
    loop {
        match reached {
            Ok(link) => {
                // It never says anything: what is to be read is its end.
                if let Ok(link) = readable(link) {
                    let _ = link.readable().await;
                }
                lock(&shared.held).link = None;
                tracing::warn!("the holder of the pipes has ended; starting another");
                sleep(AGAIN).await;
            }
            Err(error) => {
                tracing::error!(%error, "there is no holder of the pipes; what a process writes last is lost should it end while there is no supervisor");
                sleep(PATIENCE).await;
            }
        }
        reached = shared.reach().await;
    }
}

fn dial(path: &Path) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC;
    let link = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    connect(&link, &SocketAddrUnix::new(path)?)?;
    Ok(link)
}

fn tell(link: &OwnedFd, word: Word, pipes: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !pipes.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(pipes));
    }
    let bytes = word.encode();
    sendmsg(link, &[IoSlice::new(&bytes)], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
