//! Where workers run, behind one object-safe trait.
//!
//! The control plane decides *that* a tenant's worker shall run; a [`Runtime`] knows *how* on one kind of
//! place. The trait is the smallest set of verbs a level-triggered reconciler needs: look at what is
//! there ([`Runtime::list`], [`Runtime::watch`]), make one worker run, make it stop, forget it. Every
//! verb names one worker and may be repeated; none of them keeps desired state for the caller.
//!
//! Backends: [`local::LocalRuntime`] (the supervisor on this machine), [`pm2::Pm2Runtime`] (a PM2 daemon that is
//! there already).

pub mod local;
pub mod pm2;
mod worker;

use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;

pub use worker::{
    ObservedState, ObservedWorker, RuntimeEvent, RuntimeHealth, StopMode, WorkerExit, WorkerLaunch,
};

/// A place where workers run.
///
/// # Cancellation
/// Dropping the future of a verb does not undo it: the verb may or may not take effect, and the next
/// [`Runtime::list`] tells.
#[async_trait]
pub trait Runtime: Send + Sync {
    /// The kind of place in one word (`local`, `pm2`, `kubernetes`), for people and metrics.
    fn kind(&self) -> &'static str;

    /// Asks the runtime whether it answers, and what it is.
    ///
    /// # Errors
    /// [`RuntimeError::Unreachable`] when it does not.
    async fn health(&self) -> Result<RuntimeHealth, RuntimeError>;

    /// Every worker the runtime knows, running or not. Processes that are no worker of ours are left out.
    ///
    /// # Errors
    /// [`RuntimeError::Unreachable`], or [`RuntimeError::Failed`] when the answer makes no sense.
    async fn list(&self) -> Result<Vec<ObservedWorker>, RuntimeError>;

    /// One worker, or `None` when the runtime does not know the name.
    ///
    /// # Errors
    /// As [`Runtime::list`].
    async fn get(&self, name: &str) -> Result<Option<ObservedWorker>, RuntimeError>;

    /// Starts a worker that does not run, with exactly this launch description (an older one of the same
    /// name is replaced). Answers once the program was executed; with a `settle` above zero it then
    /// watches for an early exit until the program rests, at most that long.
    ///
    /// # Errors
    /// [`RuntimeError::AlreadyRunning`] when it runs, whatever its launch description;
    /// [`RuntimeError::SpawnFailed`] and [`RuntimeError::ExitedEarly`] leave the worker stopped.
    async fn start(
        &self,
        launch: &WorkerLaunch,
        settle: Duration,
    ) -> Result<ObservedWorker, RuntimeError>;

    /// Ends the worker when it runs, waits until its whole process tree is gone, and starts it with this
    /// launch description. Its failure counters begin afresh.
    ///
    /// # Errors
    /// As [`Runtime::start`], without [`RuntimeError::AlreadyRunning`].
    async fn restart(
        &self,
        launch: &WorkerLaunch,
        mode: StopMode,
        settle: Duration,
    ) -> Result<ObservedWorker, RuntimeError>;

    /// Ends a worker and keeps it stopped. Answers when no process of it lives. Stopping a stopped
    /// worker succeeds.
    ///
    /// # Errors
    /// [`RuntimeError::Unknown`] when there is no such worker.
    async fn stop(&self, name: &str, mode: StopMode) -> Result<ObservedWorker, RuntimeError>;

    /// Ends a worker and drops every record of it except its log files. An unknown name succeeds: the
    /// wanted end is reached.
    ///
    /// # Errors
    /// [`RuntimeError::Unreachable`] or [`RuntimeError::Failed`].
    async fn forget(&self, name: &str) -> Result<(), RuntimeError>;

    /// The last `lines` lines of the worker's output, oldest first.
    ///
    /// # Errors
    /// [`RuntimeError::Unknown`] when there is no such worker.
    async fn log_tail(&self, name: &str, lines: usize) -> Result<Vec<String>, RuntimeError>;

    /// The last `lines` lines of the worker's output, oldest first, and then every new one as it comes.
    /// The stream ends when the runtime no longer answers or the reader is too slow.
    ///
    /// # Errors
    /// [`RuntimeError::Unknown`] when there is no such worker.
    async fn log_follow(
        &self,
        name: &str,
        lines: usize,
    ) -> Result<BoxStream<'static, String>, RuntimeError>;

    /// Changes as they happen. Begins with [`RuntimeEvent::Sync`]; reconnects by itself and sends
    /// another `Sync` each time, so what was missed in between is never lost. Ends only when dropped.
    fn watch(&self) -> BoxStream<'static, RuntimeEvent>;
}

/// Why a verb did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeError {
    /// Nobody answers. Workers may well be running; nothing is known about them now.
    #[error("the {kind} runtime does not answer: {message}")]
    Unreachable {
        /// The kind of runtime.
        kind: &'static str,
        /// What was tried, and how it failed.
        message: String,
    },
    /// The program could not be executed.
    #[error("{message}")]
    SpawnFailed {
        /// Names the program and the reason.
        message: String,
        /// Last lines of earlier output, oldest first; mostly empty.
        log_tail: Vec<String>,
    },
    /// The program ran, but ended within the settle time.
    #[error("{message}")]
    ExitedEarly {
        /// Names the exit status.
        message: String,
        /// What it said last, oldest first.
        log_tail: Vec<String>,
    },
    /// The worker runs (or is about to) already.
    #[error("worker {name} is already running")]
    AlreadyRunning {
        /// The worker.
        name: String,
    },
    /// The runtime is in the middle of another request for this worker; ask again.
    #[error("worker {name} is busy: {message}")]
    Busy {
        /// The worker.
        name: String,
        /// What it is busy with.
        message: String,
    },
    /// There is no worker of this name.
    #[error("the runtime knows no worker named {name}")]
    Unknown {
        /// The name as given.
        name: String,
    },
    /// The launch description is not acceptable.
    #[error("invalid launch description: {message}")]
    Invalid {
        /// Which field, and why.
        message: String,
    },
    /// Anything else that went wrong inside the runtime.
    #[error("the runtime failed: {message}")]
    Failed {
        /// What happened.
        message: String,
    },
}

impl RuntimeError {
    /// What the worker said last, where that is known; oldest line first.
    #[must_use]
    pub fn log_tail(&self) -> &[String] {
        match self {
            Self::SpawnFailed { log_tail, .. } | Self::ExitedEarly { log_tail, .. } => log_tail,
            Self::Unreachable { .. }
            | Self::AlreadyRunning { .. }
            | Self::Busy { .. }
            | Self::Unknown { .. }
            | Self::Invalid { .. }
            | Self::Failed { .. } => &[],
        }
    }
}
