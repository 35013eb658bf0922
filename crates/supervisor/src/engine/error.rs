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
    /// Several processes have this name.
    #[error("{} processes are named {target}; name one by its id: {}", ids.len(), listed(ids))]
    Ambiguous {
        /// As asked for.
        target: String,
        /// Their ids.
        ids: Vec<u32>,
    },
    /// It does not run, so it can be sent nothing.
    #[error("process {name} does not run")]
    NotRunning {
        /// The process.
        name: String,
    },
    /// Its standard input takes nothing.
    #[error("process {name} cannot be sent anything: {reason}")]
    NoStdin {
        /// The process.
        name: String,
        /// Why.
        reason: String,
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
    /// It runs, but did not become ready in time.
    #[error("process {name}: {reason}")]
    NotReady {
        /// The process.
        name: String,
        /// What was waited for, and how it failed.
        reason: String,
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

fn listed(ids: &[u32]) -> String {
    let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
    ids.join(", ")
}
