//! What the engine holds of the log pipeline: the pump, and a process's attachment to it.
//!
//! Orders wait in a slot per attachment, where newer ones replace older ones: however long a disk hangs, neither does
//! giving an order block nor do orders pile up.

use std::io;
use std::mem;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::event::{EventfdFlags, eventfd};
use tokio::sync::oneshot;

use super::file;
use super::mover::Mover;
use super::plan::{LogPlan, Origin};
use crate::pulse::Pulse;

/// Our end of a process's FIFO.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) origin: Origin,
    pub(crate) fifo: OwnedFd,
    /// The FIFO's path. What must outlive us is kept beside it.
    pub(crate) path: PathBuf,
}

/// The thread that moves all output. It ends when this and all attachments are dropped.
#[derive(Debug, Clone)]
pub(crate) struct LogPump {
    desk: Arc<Desk>,
}

/// A process's output being moved. Dropping it leaves the rest in the pipes.
#[derive(Debug)]
pub(crate) struct Attachment {
    desk: Arc<Desk>,
    slot: Arc<Slot>,
}

/// Where orders are handed in.
#[derive(Debug)]
pub(super) struct Desk {
    counter: Arc<Counter>,
    next_id: AtomicU64,
}

/// The part of the desk that the thread sees.
#[derive(Debug)]
pub(super) struct Counter {
    /// Slots with new orders.
    waiting: Mutex<Vec<Arc<Slot>>>,
    /// Wakes the thread.
    pub(super) bell: OwnedFd,
    closed: AtomicBool,
}

/// What the two sides know of one attachment.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) id: u64,
    orders: Mutex<Orders>,
    trouble: Mutex<Option<String>>,
    pub(super) lost: AtomicU64,
}

/// What is to be done for an attachment, in the order of the fields.
#[derive(Debug, Default)]
pub(super) struct Orders {
    pub(super) attach: Option<Box<Attach>>,
    pub(super) plan: Option<Box<LogPlan>>,
    pub(super) reopen: bool,
    pub(super) flush: Vec<oneshot::Sender<io::Result<()>>>,
    pub(super) drain: Vec<oneshot::Sender<()>>,
    pub(super) forget: Option<oneshot::Sender<u64>>,
    pub(super) detach: bool,
}

/// The begin of an attachment.
#[derive(Debug)]
pub(super) struct Attach {
    pub(super) plan: LogPlan,
    pub(super) sources: Vec<Source>,
    pub(super) pulse: Pulse,
}

impl LogPump {
    /// Starts the thread.
    pub(crate) fn start() -> io::Result<Self> {
        let counter = Arc::new(Counter {
            waiting: Mutex::default(),
            bell: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            closed: AtomicBool::new(false),
        });
        let mover = Mover::new(counter.clone())?;
        std::thread::Builder::new().name("logs".to_owned()).spawn(move || mover.run())?;
        Ok(Self { desk: Arc::new(Desk { counter, next_id: AtomicU64::new(0) }) })
    }

    /// Begins to move a process's output. `pulse` counts up whenever its files have grown.
    ///
    /// Blocks while it makes the files (0600) and their folders (0700).
    ///
    /// # Errors
    /// A file that cannot be opened, and why. Nothing is attached then.
    pub(crate) fn attach(
        &self,
        plan: LogPlan,
        sources: Vec<Source>,
        pulse: Pulse,
    ) -> Result<Attachment, (PathBuf, io::Error)> {
        for path in plan.files() {
            file::open(path).map_err(|error| (path.to_owned(), error))?;
        }
        let slot = Arc::new(Slot {
            id: self.desk.next_id.fetch_add(1, Ordering::Relaxed),
            orders: Mutex::default(),
            trouble: Mutex::default(),
            lost: AtomicU64::new(0),
        });
        let attachment = Attachment { desk: self.desk.clone(), slot };
        let attach = Box::new(Attach { plan, sources, pulse });
        attachment.order(|orders| orders.attach = Some(attach));
        Ok(attachment)
    }
}

impl Attachment {
    /// From now on the output goes where this plan says.
    pub(crate) fn reconfigure(&self, plan: LogPlan) {
        self.order(|orders| orders.plan = Some(Box::new(plan)));
    }

    /// Moves what is in the pipes, and ends an unfinished last line. To be called when no process of the tree
    /// lives. Does not wait for a disk that refuses: the bytes stay in the pipe then and are tried again.
    pub(crate) async fn drain(&self) {
        let (done, drained) = oneshot::channel();
        self.order(|orders| orders.drain.push(done));
        // An error means that there is no thread any more; nothing is to be waited for then.
        let _ = drained.await;
    }

    /// Empties its files.
    ///
    /// # Errors
    /// The first file that cannot be emptied.
    pub(crate) async fn flush(&self) -> io::Result<()> {
        let (done, flushed) = oneshot::channel();
        self.order(|orders| orders.flush.push(done));
        flushed.await.unwrap_or_else(|_| Err(io::Error::other("the log thread has ended")))
    }

    /// Opens its files anew, for others may have moved them away.
    pub(crate) fn reopen(&self) {
        self.order(|orders| orders.reopen = true);
    }

    /// The process is forgotten: drains a last time, then detaches. What could not be written even now is lost: answers how
    /// many bytes, and says so in the supervisor's log.
    pub(crate) async fn forget(&self) -> u64 {
        let (done, forgotten) = oneshot::channel();
        self.order(|orders| orders.forget = Some(done));
        forgotten.await.unwrap_or(0)
    }

    /// Why its output cannot be written at present.
    pub(crate) fn trouble(&self) -> Option<String> {
        lock(&self.slot.trouble).clone()
    }

    /// How many bytes are lost.
    pub(crate) fn bytes_lost(&self) -> u64 {
        self.slot.lost.load(Ordering::Relaxed)
    }

    fn order(&self, change: impl FnOnce(&mut Orders)) {
        let was_empty = {
            let mut orders = lock(&self.slot.orders);
            let was_empty = orders.is_empty();
            change(&mut orders);
            was_empty
        };
        if was_empty {
            lock(&self.desk.counter.waiting).push(self.slot.clone());
            self.desk.counter.ring();
        }
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.order(|orders| orders.detach = true);
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.counter.closed.store(true, Ordering::Release);
        self.counter.ring();
    }
}

impl Counter {
    fn ring(&self) {
        // It can only fail by being full, and then it rings already.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }

    /// Takes the slots with new orders. `None`: there will be no more.
    pub(super) fn take(&self) -> Option<Vec<Arc<Slot>>> {
        let mut count = [0_u8; 8];
        let _ = rustix::io::read(&self.bell, &mut count);
        let closed = self.closed.load(Ordering::Acquire);
        let waiting = mem::take(&mut *lock(&self.waiting));
        if closed && waiting.is_empty() { None } else { Some(waiting) }
    }
}

impl Slot {
    pub(super) fn take_orders(&self) -> Orders {
        mem::take(&mut *lock(&self.orders))
    }

    pub(super) fn set_trouble(&self, trouble: Option<String>) {
        *lock(&self.trouble) = trouble;
    }
}

impl Orders {
    fn is_empty(&self) -> bool {
        self.attach.is_none()
            && self.plan.is_none()
            && !self.reopen
            && self.flush.is_empty()
            && self.drain.is_empty()
            && self.forget.is_none()
            && !self.detach
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
