//! What others ask of the engine, and how.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, oneshot};

use super::EngineError;
use super::index::Target;
use super::row::Ticket;
use crate::process::Verb;
use crate::pulse::Listener;
use crate::spec::{Env, KillSignal, ProcessSpec};
use crate::wire::{Event, ListRow, ProcessView, WhenRunning};

/// What others ask.
#[derive(Debug)]
pub(super) enum Request {
    Count {
        reply: oneshot::Sender<usize>,
    },
    List {
        reply: oneshot::Sender<Vec<ProcessView>>,
    },
    Rows {
        reply: oneshot::Sender<Vec<ListRow>>,
    },
    Get {
        target: Target,
        reply: oneshot::Sender<Result<ProcessView, EngineError>>,
    },
    Specs {
        /// All when none is named.
        target: Option<Target>,
        reply: oneshot::Sender<Result<Vec<(u32, ProcessSpec)>, EngineError>>,
    },
    Env {
        target: Target,
        reply: oneshot::Sender<Env>,
    },
    Watch {
        reply: oneshot::Sender<Watched>,
    },
    Logs {
        target: Target,
        reply: oneshot::Sender<Result<LogSource, EngineError>>,
    },
    Create {
        spec: Arc<ProcessSpec>,
        how: Creation,
        ticket: Ticket,
    },
    Act {
        target: Target,
        verb: Verb,
        spec: Option<Arc<ProcessSpec>>,
        settle: Duration,
        ticket: Ticket,
    },
    Edit {
        target: Target,
        edit: Edit,
        reply: oneshot::Sender<Answer>,
    },
    StopAll {
        reply: oneshot::Sender<()>,
    },
}

/// How a process is created.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Creation {
    /// What to do with one that runs already.
    pub(crate) running: WhenRunning,
    /// Whether it is started at all.
    pub(crate) start: bool,
    /// Whether it gets an instance number of its own when there is one of its name.
    pub(crate) always_new: bool,
    /// How long it is watched before it counts as started.
    pub(crate) settle: Duration,
}

impl Creation {
    /// As a single process is started.
    pub(crate) fn start(settle: Duration) -> Self {
        Self { running: WhenRunning::Refuse, start: true, always_new: false, settle }
    }
}

/// Something that is done to a process without ending it.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    /// Its counters become 0.
    Reset,
    /// Its main process gets a signal.
    Signal(KillSignal),
    /// Its standard input gets these bytes.
    Input(Vec<u8>),
    /// Its log files become empty.
    FlushLogs,
    /// Its log files are opened anew.
    ReopenLogs,
    /// Its files are watched or not.
    Watch(bool),
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
    pub(crate) spec: Arc<ProcessSpec>,
    pub(crate) pulse: Listener,
}

/// Talks to the engine.
#[derive(Debug, Clone)]
pub(crate) struct EngineHandle {
    pub(super) requests: mpsc::Sender<Request>,
}

pub(super) type Answer = Result<ProcessView, EngineError>;

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

    /// How many processes there are.
    pub(crate) async fn count(&self) -> Result<usize, EngineError> {
        self.ask(|reply| Request::Count { reply }).await
    }

    pub(crate) async fn rows(&self) -> Result<Vec<ListRow>, EngineError> {
        self.ask(|reply| Request::Rows { reply }).await
    }

    pub(crate) async fn get(&self, target: Target) -> Answer {
        self.ask(|reply| Request::Get { target, reply }).await?
    }

    /// Descriptions with secret values masked.
    pub(crate) async fn specs(
        &self,
        target: Option<Target>,
    ) -> Result<Vec<(u32, ProcessSpec)>, EngineError> {
        self.ask(|reply| Request::Specs { target, reply }).await?
    }

    /// A process's environment with secret values masked; empty for an unknown one.
    pub(crate) async fn env(&self, target: Target) -> Result<Env, EngineError> {
        self.ask(|reply| Request::Env { target, reply }).await
    }

    pub(crate) async fn watch(&self) -> Result<Watched, EngineError> {
        self.ask(|reply| Request::Watch { reply }).await
    }

    pub(crate) async fn logs(&self, target: Target) -> Result<LogSource, EngineError> {
        self.ask(|reply| Request::Logs { target, reply }).await?
    }

    pub(crate) async fn create(&self, spec: Arc<ProcessSpec>, how: Creation) -> Answer {
        self.ask(|reply| Request::Create { spec, how, ticket: Ticket::new(reply) }).await?
    }

    pub(crate) async fn act(
        &self,
        target: Target,
        verb: Verb,
        spec: Option<ProcessSpec>,
        settle: Duration,
    ) -> Answer {
        let spec = spec.map(Arc::new);
        self.ask(|reply| Request::Act { target, verb, spec, settle, ticket: Ticket::new(reply) })
            .await?
    }

    pub(crate) async fn edit(&self, target: Target, edit: Edit) -> Answer {
        self.ask(|reply| Request::Edit { target, edit, reply }).await?
    }

    /// Ends all processes, and from then on refuses every request. What is meant to run stays so.
    pub(crate) async fn stop_all(&self) -> Result<(), EngineError> {
        self.ask(|reply| Request::StopAll { reply }).await
    }
}
