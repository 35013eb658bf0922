//! The owner of all processes: one task, one table.
//!
//! Everybody else holds an [`EngineHandle`] and sends requests over a bounded queue; each is answered once,
//! when what was asked is done and durable. Slow work (executing a program, looking through `/proc`, syncing the
//! journal) happens elsewhere and comes back as a message. Rules are not here: what a request does in
//! a state is in [`crate::process`], when to restart in [`crate::policy`].

mod edits;
mod error;
mod handle;
mod index;
mod recovery;
mod requests;
mod row;
mod transitions;
mod view;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Rlimit;
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::cgroup::{Group, Hierarchy};
use crate::child::Report;
use crate::journal::Journal;
use crate::process_table::Census;
use crate::record::RunDir;
use crate::spawn::{Launched, SpawnError};
use crate::wire::Event;

pub use error::EngineError;
use handle::Request;
pub(crate) use handle::{Creation, Edit, EngineHandle, LogSource, Watched};
use index::Index;
pub(crate) use index::Target;
use row::Row;

/// Requests that may wait for the engine; who comes later waits to send.
const REQUESTS: usize = 1024;
/// Events that a listener may lag behind before it is cut off.
const EVENTS: usize = 4096;
/// Programs that are executed at the same time.
const LAUNCHES: usize = 4;

/// What the engine is told by its own tasks.
#[derive(Debug)]
enum Message {
    Launched { id: u32, incarnation: u64, result: Box<Result<Launched, SpawnError>> },
    Reported { id: u32, incarnation: u64, report: Report },
    RestartDue { id: u32, incarnation: u64 },
    Settled { id: u32, incarnation: u64 },
}

/// What the engine needs to begin.
#[derive(Debug)]
pub(crate) struct EngineConfig {
    pub(crate) run_dir: RunDir,
    /// The limit on open files that processes get.
    pub(crate) open_files: Option<Rlimit>,
}

/// The table and everything that moves it.
#[derive(Debug)]
pub(crate) struct Engine {
    run_dir: RunDir,
    open_files: Option<Rlimit>,
    boot_id: String,
    /// Where processes get a control group of their own, on machines that have them.
    hierarchy: Option<Hierarchy>,
    journal: Journal,
    rows: BTreeMap<u32, Row>,
    index: Index,
    census: Census,
    launch_slots: Arc<Semaphore>,
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
        let hierarchy = Hierarchy::open(&journal.contents().instance);
        let mut engine = Self {
            run_dir: config.run_dir,
            open_files: config.open_files,
            boot_id: crate::identity::boot_id()?,
            hierarchy,
            journal,
            rows: BTreeMap::new(),
            index: Index::default(),
            census: Census::start(),
            launch_slots: Arc::new(Semaphore::new(LAUNCHES)),
            events: broadcast::channel(EVENTS).0,
            inbox,
            messages,
            tell,
            epoch: Instant::now(),
            leaving: None,
        };
        engine.recover().await?;
        Ok((engine, EngineHandle { requests }))
    }

    /// How many processes of an earlier supervisor live on.
    pub(crate) fn adopted(&self) -> usize {
        self.rows
            .values()
            .filter(|row| row.running().is_some_and(|running| running.adopted))
            .count()
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
                () = shutdown.cancelled() => return self.close_groups(),
                Some(message) = self.messages.recv() => self.take_message(message),
                request = self.inbox.recv() => match request {
                    Some(request) => self.take_request(request),
                    None => return,
                },
            }
            self.tell_when_all_ended();
        }
    }

    /// Leaves no control group behind that nobody needs. The next supervisor makes them anew.
    fn close_groups(&self) {
        let Some(hierarchy) = &self.hierarchy else { return };
        for row in self.rows.values().filter(|row| row.is_at_rest()) {
            hierarchy.group(row.id).remove();
        }
        hierarchy.close();
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
        }
    }

    fn tell_when_all_ended(&mut self) {
        if self.leaving.is_some() && self.rows.values().all(Row::is_at_rest) {
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
