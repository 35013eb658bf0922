//! Why a request was not done.

use crate::process::Exit;
use crate::spawn::SpawnError;
use crate::spec::InvalidSpec;

/// Why a request was not done. Each names the process.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// No process has this name or id.
    #[error("there is no process {target}")]
    Unknown {
        /// As asked for.
        target: String,
    },
    /// It runs, or is about to.
    #[error("process {name} is already running")]
    AlreadyRunning {
        /// The process.
        name: String,
    },
    /// Another request for it is under way.
    #[error("process {name} is busy: {why}")]
    Busy {
        /// The process.
        name: String,
        /// With what.
        why: &'static str,
    },
    /// A later request overruled this one.
    #[error("process {name} was told to do something else meanwhile")]
    Superseded {
        /// The process.
        name: String,
    },
    /// The description breaks a rule.
    #[error("invalid process description: {0}")]
    Invalid(#[from] InvalidSpec),
    /// The description is that of another process.
    #[error("the description is for {given}, not for {name}")]
    OtherName {
        /// The process.
        name: String,
        /// The description's.
        given: String,
    },
    /// The program could not be executed.
    #[error("process {name}: {error}")]
    Spawn {
        /// The process.
        name: String,
        /// Names program and reason.
        error: SpawnError,
    },
    /// It ended within the settle time.
    #[error("process {name} ended {uptime_ms} ms after its start with {exit}")]
    ExitedEarly {
        /// The process.
        name: String,
        /// How.
        exit: Exit,
        /// When.
        uptime_ms: u64,
        /// What it said last, oldest first.
        log_tail: Vec<String>,
    },
    /// It did not go in spite of SIGKILL.
    #[error("process {name} did not end in spite of SIGKILL; it may hang in the kernel")]
    StopFailed {
        /// The process.
        name: String,
    },
    /// The change could not be written to the disk.
    #[error("process {name}: the change could not be saved: {reason}")]
    NotSaved {
        /// The process.
        name: String,
        /// What the system says.
        reason: String,
    },
    /// The supervisor is leaving.
    #[error("the supervisor is shutting down")]
    ShuttingDown,
}
