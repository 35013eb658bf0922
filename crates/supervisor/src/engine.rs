//! The owner of all processes: one task, one table.
//!
//! Everybody else holds an [`EngineHandle`] and sends requests over a bounded queue; each is answered once,
//! when what was asked is done and durable. Slow work (executing a program, looking through `/proc`, syncing the
//! journal) happens elsewhere and comes back as a message. Rules are not here: what a request does in
//! a state is in [`crate::process`], when to restart in [`crate::policy`].

mod error;
mod recovery;
mod requests;
mod row;
mod transitions;
mod view;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Rlimit;
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::child::Report;
use crate::journal::Journal;
use crate::process::Verb;
use crate::process_table::Census;
use crate::record::RunDir;
use crate::spawn::{Launched, SpawnError};
use crate::spec::ProcessSpec;
use crate::wire::{Event, ProcessView};

pub use error::EngineError;
use row::{Row, Ticket};

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

/// What others ask.
#[derive(Debug)]
enum Request {
    List {
        reply: oneshot::Sender<Vec<ProcessView>>,
    },
    Get {
        target: String,
        reply: oneshot::Sender<Result<ProcessView, EngineError>>,
    },
    Env {
        target: String,
        reply: oneshot::Sender<BTreeMap<String, String>>,
    },
    Watch {
        reply: oneshot::Sender<Watched>,
    },
    Logs {
        target: String,
        reply: oneshot::Sender<Result<LogSource, EngineError>>,
    },
    Create {
        spec: Box<ProcessSpec>,
        settle: Duration,
        ticket: Ticket,
    },
    Act {
        target: String,
        verb: Verb,
        spec: Option<Box<ProcessSpec>>,
        settle: Duration,
        ticket: Ticket,
    },
    StopAll {
        reply: oneshot::Sender<()>,
    },
}

/// A listener's beginning: everything there is, then each change.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) now: Vec<ProcessView>,
    pub(crate) changes: broadcast::Receiver<Event>,
}

/// Where a process's output is, and what tells that there is more.
#[derive(Debug, Clone)]
pub(crate) struct LogSource {
    pub(crate) spec: Box<ProcessSpec>,
    pub(crate) pulse: watch::Receiver<u64>,
}

/// Talks to the engine.
#[derive(Debug, Clone)]
pub(crate) struct EngineHandle {
    requests: mpsc::Sender<Request>,
}

type Answer = Result<ProcessView, EngineError>;

impl EngineHandle {
    async fn ask<T>(
        &self,
        make: impl FnOnce(oneshot::Sender<T>) -> Request,
    ) -> Result<T, EngineError> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(make(reply)).await.map_err(|_| EngineError::ShuttingDown)?;
        answer.await.map_err(|_| EngineError::ShuttingDown)
    }

    pub(crate) async fn list(&self) -> Result<Vec<ProcessView>, EngineError> {
        self.ask(|reply| Request::List { reply }).await
    }

    pub(crate) async fn get(&self, target: String) -> Answer {
        self.ask(|reply| Request::Get { target, reply }).await?
    }

    /// A process's environment with secret values masked; empty for an unknown one.
    pub(crate) async fn env(
        &self,
        target: String,
    ) -> Result<BTreeMap<String, String>, EngineError> {
        self.ask(|reply| Request::Env { target, reply }).await
    }

    pub(crate) async fn watch(&self) -> Result<Watched, EngineError> {
        self.ask(|reply| Request::Watch { reply }).await
    }

    pub(crate) async fn logs(&self, target: String) -> Result<LogSource, EngineError> {
        self.ask(|reply| Request::Logs { target, reply }).await?
    }

    pub(crate) async fn create(&self, spec: ProcessSpec, settle: Duration) -> Answer {
        let spec = Box::new(spec);
        self.ask(|reply| Request::Create { spec, settle, ticket: Ticket::new(reply) }).await?
    }

    pub(crate) async fn act(
        &self,
        target: String,
        verb: Verb,
        spec: Option<ProcessSpec>,
        settle: Duration,
    ) -> Answer {
        let spec = spec.map(Box::new);
        self.ask(|reply| Request::Act { target, verb, spec, settle, ticket: Ticket::new(reply) })
            .await?
    }

    /// Ends all processes, and from then on refuses every request. What is meant to run stays so.
    pub(crate) async fn stop_all(&self) -> Result<(), EngineError> {
        self.ask(|reply| Request::StopAll { reply }).await
    }
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
    journal: Journal,
    rows: BTreeMap<u32, Row>,
    names: HashMap<String, u32>,
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
        let mut engine = Self {
            run_dir: config.run_dir,
            open_files: config.open_files,
            boot_id: crate::identity::boot_id()?,
            journal,
            rows: BTreeMap::new(),
            names: HashMap::new(),
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

    /// Shared looks at the machine, for statistics.
    pub(crate) fn census(&self) -> Census {
        self.census.clone()
    }

    /// Works until `shutdown`. Processes live on then.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                Some(message) = self.messages.recv() => self.take_message(message),
                request = self.inbox.recv() => match request {
                    Some(request) => self.take_request(request),
                    None => return,
                },
            }
            self.tell_when_all_ended();
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
