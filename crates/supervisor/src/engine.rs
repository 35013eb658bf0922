//! The owner of all processes: one task, one table.
//!
//! Everybody else holds an [`EngineHandle`] and sends requests over a bounded queue; each is answered once,
//! when what was asked is done and durable. Slow work (executing a program, looking through `/proc`, syncing the
//! journal) happens elsewhere and comes back as a message. Rules are not here: what a request does in
//! a state is in [`crate::process`], when to restart in [`crate::policy`].

mod edits;
mod endings;
mod error;
mod guards;
mod handle;
mod index;
mod launches;
mod notices;
mod recovery;
mod requests;
mod row;
mod view;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Rlimit;
use tokio::sync::{Notify, Semaphore, broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

pub(crate) use crate::budget::Class;
use crate::budget::{BudgetSettings, StartBudget};
use crate::cgroup::{Group, Hierarchy};
use crate::child::Report;
use crate::holder::Holder;
use crate::journal::Journal;
use crate::logs::LogPump;
use crate::memory;
use crate::memory_watch::Exceeded;
use crate::notify_socket::Notice;
use crate::outlet::Plumbing;
use crate::process_table::Census;
use crate::record::Records;
use crate::run_dir::RunDir;
use crate::spawn::{Launched, SpawnError};
use crate::spec::WatchFiles;
use crate::watch::{FileWatcher, Watchers};
use crate::wire::Event;

pub use error::EngineError;
use handle::Request;
pub(crate) use handle::{Creation, Edit, EngineHandle, LogSource, Watched};
use index::Index;
pub(crate) use index::Target;
use notices::Sender;
use row::Row;

/// Requests that may wait for the engine; who comes later waits to send.
const REQUESTS: usize = 1024;
/// Events that a listener may lag behind before it is cut off.
const EVENTS: usize = 1024;

/// How many processors there are for us; 2 when the system does not tell.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// What the engine is told by its own tasks.
#[derive(Debug)]
enum Message {
    Launched {
        id: u32,
        incarnation: u64,
        result: Box<Result<Launched, SpawnError>>,
    },
    Reported {
        id: u32,
        incarnation: u64,
        report: Report,
    },
    RestartDue {
        id: u32,
        incarnation: u64,
    },
    Settled {
        id: u32,
        incarnation: u64,
    },
    /// A start's turn may have come.
    Dispatch,
    /// It has become ready, or did not in time.
    Ready {
        id: u32,
        incarnation: u64,
        result: Result<(), String>,
    },
    /// It does not answer any more.
    Failing {
        id: u32,
        incarnation: u64,
        reason: String,
    },
    /// It is to be restarted for a reason that is no fault of its.
    Due {
        id: u32,
        why: &'static str,
    },
    /// Its files are watched, or cannot be.
    Watching {
        id: u32,
        files: WatchFiles,
        started: Result<FileWatcher, String>,
    },
    /// These use more memory than they may.
    Memory {
        exceeded: Vec<Exceeded>,
    },
    /// A process told something of itself.
    Noticed {
        sender: Sender,
        notice: Notice,
    },
}

/// What the engine needs to begin.
#[derive(Debug)]
pub(crate) struct EngineConfig {
    pub(crate) run_dir: RunDir,
    /// The command line of a pipe holder; none without.
    pub(crate) holder: Vec<OsString>,
    /// How fast processes may be started.
    pub(crate) starts: BudgetSettings,
    /// The limit on open files that processes get.
    pub(crate) open_files: Option<Rlimit>,
    /// The lock on the run directory, which a child has until its program is executed.
    pub(crate) lock: Option<Arc<OwnedFd>>,
}

/// The table and everything that moves it.
#[derive(Debug)]
pub(crate) struct Engine {
    plumbing: Plumbing,
    open_files: Option<Rlimit>,
    lock: Option<Arc<OwnedFd>>,
    boot_id: Arc<str>,
    /// Where processes get a control group of their own, on machines that have them.
    hierarchy: Option<Hierarchy>,
    journal: Journal,
    /// Boxed, since the nodes of a tree have places to spare.
    rows: BTreeMap<u32, Box<Row>>,
    index: Index,
    census: Census,
    /// Whose turn it is to be started.
    starts: StartBudget,
    /// Rung with every start.
    started: Arc<Notify>,
    /// Places for those that are being executed.
    launch_places: Arc<Semaphore>,
    /// When the next turn is looked for anyway, on the engine's clock.
    next_dispatch_ms: Option<u64>,
    watchers: Watchers,
    /// Whether somebody looks at the memory of those that have a limit.
    watches_memory: bool,
    /// What was told by processes that may be among those that are being executed.
    early_notices: Vec<(Sender, Notice)>,
    events: broadcast::Sender<Event>,
    inbox: mpsc::Receiver<Request>,
    messages: mpsc::Receiver<Message>,
    tell: mpsc::Sender<Message>,
    /// The clock of the restart policy.
    epoch: Instant,
    /// Set while all processes are being ended: who is to be told, and that nothing is started any more.
    leaving: Option<Vec<oneshot::Sender<()>>>,
}

impl Engine {
    /// Opens the journal and takes over what runs. Must be called within a tokio runtime.
    pub(crate) async fn open(config: EngineConfig) -> io::Result<(Self, EngineHandle)> {
        let (requests, inbox) = mpsc::channel(REQUESTS);
        let (tell, messages) = mpsc::channel(REQUESTS);
        let journal = Journal::open(&config.run_dir.journal())?;
        let plumbing = Plumbing {
            pump: LogPump::start()?,
            records: Arc::new(Records::open(&config.run_dir.records())?),
            holder: Holder::start(config.run_dir.clone(), config.holder).await,
            run_dir: config.run_dir,
        };
        let hierarchy = Hierarchy::open(&journal.contents().instance);
        let mut engine = Self {
            plumbing,
            open_files: config.open_files,
            lock: config.lock,
            boot_id: crate::identity::boot_id()?,
            hierarchy,
            journal,
            rows: BTreeMap::new(),
            index: Index::default(),
            census: Census::start(),
            starts: StartBudget::new(config.starts),
            started: Arc::default(),
            launch_places: Arc::new(Semaphore::new(processors())),
            next_dispatch_ms: None,
            watchers: Watchers::default(),
            watches_memory: false,
            early_notices: Vec::new(),
            events: broadcast::channel(EVENTS).0,
            inbox,
            messages,
            tell,
            epoch: Instant::now(),
            leaving: None,
        };
        engine.listen_to_notices();
        engine.recover().await?;
        engine.give_memory_back();
        Ok((engine, EngineHandle { requests }))
    }

    /// Gives back what the start of this program needed, and from then on what starts of processes did.
    fn give_memory_back(&self) {
        let started = Arc::clone(&self.started);
        started.notify_one();
        tokio::spawn(async move { memory::give_back_after(&started).await });
    }

    /// How many processes of an earlier supervisor live on. To be asked before the engine runs: all that run then are.
    pub(crate) fn adopted(&self) -> usize {
        self.rows.values().filter(|row| row.running().is_some()).count()
    }

    /// Whether every process has a control group of its own.
    pub(crate) fn has_cgroups(&self) -> bool {
        self.hierarchy.is_some()
    }

    /// A process's control group, on machines that have them.
    fn group(&self, id: u32) -> Option<Group> {
        self.hierarchy.as_ref().map(|hierarchy| hierarchy.group(id))
    }

    /// Shared looks at the machine, for statistics.
    pub(crate) fn census(&self) -> Census {
        self.census.clone()
    }

    /// Works until `shutdown`. Processes live on then.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return self.close(),
                Some(message) = self.messages.recv() => self.take_message(message),
                request = self.inbox.recv() => match request {
                    Some(request) => self.take_request(request),
                    None => return,
                },
            }
            self.tell_when_all_ended();
        }
    }

    /// Leaves nothing behind that nobody needs any more: control groups and held pipes of what does not run.
    fn close(&self) {
        for row in self.rows.values().filter(|row| row.is_at_rest()) {
            self.plumbing.holder.release(row.id);
            if let Some(group) = self.group(row.id) {
                group.remove();
            }
        }
        if let Some(hierarchy) = &self.hierarchy {
            hierarchy.close();
        }
    }

    fn take_message(&mut self, message: Message) {
        match message {
            Message::Launched { id, incarnation, result } => {
                self.on_launched(id, incarnation, *result);
            }
            Message::Reported { id, incarnation, report } => match report {
                Report::Ended(exit) => self.on_ended(id, incarnation, exit),
                Report::Stuck => self.on_stuck(id, incarnation),
            },
            Message::RestartDue { id, incarnation } => self.on_restart_due(id, incarnation),
            Message::Settled { id, incarnation } => self.on_settled(id, incarnation),
            Message::Dispatch => {
                self.next_dispatch_ms = None;
                self.dispatch();
            }
            Message::Ready { id, incarnation, result } => self.on_ready(id, incarnation, result),
            Message::Failing { id, incarnation, reason } => {
                self.on_failing(id, incarnation, &reason)
            }
            Message::Due { id, why } => self.on_due(id, why),
            Message::Watching { id, files, started } => self.on_watching(id, &files, started),
            Message::Memory { exceeded } => self.on_memory(exceeded),
            Message::Noticed { sender, notice } => self.on_notice(sender, notice),
        }
    }

    fn tell_when_all_ended(&mut self) {
        if self.leaving.is_some() && self.rows.values().all(|row| row.is_at_rest()) {
            for reply in self.leaving.iter_mut().flat_map(std::mem::take) {
                let _ = reply.send(());
            }
        }
    }

    /// Milliseconds of a clock that never goes backwards.
    fn now_ms(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn send_later(&self, delay: Duration, message: Message) {
        let tell = self.tell.clone();
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            // The engine has ended; so has the need.
            let _ = tell.send(message).await;
        });
    }
}
