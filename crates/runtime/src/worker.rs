//! What is told to a runtime about a worker, and what it tells back.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};

/// Everything needed to run one worker once.
#[derive(Clone, PartialEq, Eq)]
pub struct WorkerLaunch {
    /// The runtime's name of the worker, unique in the runtime: `[A-Za-z0-9._-]{1,128}`.
    pub name: String,
    /// The tenant's id, kept as a label so that a worker is found again without the store.
    pub tenant: String,
    /// The start's number; grows with each start the control plane asks for.
    pub generation: u64,
    /// Argument vector. The first is the program: absolute, or found in `PATH` of `env`. Never a shell line.
    pub command: Vec<String>,
    /// The worker's exact environment. The runtime adds only its own `TENANTRY_PROCESS` and
    /// `TENANTRY_INCARNATION`.
    pub env: BTreeMap<String, String>,
    /// Names in `env` whose values no listing may ever show.
    pub secret_env: BTreeSet<String>,
    /// Working directory; must exist.
    pub cwd: PathBuf,
    /// The file that receives standard output and standard error, in order.
    pub log_path: PathBuf,
    /// Exit codes after which the worker must not be started again by itself, and what each means: a
    /// restart would not help, or would do harm.
    pub final_exits: BTreeMap<i32, String>,
    /// Time from the polite signal (TERM) to the forced end.
    pub kill_timeout: Duration,
}

impl fmt::Debug for WorkerLaunch {
    /// Shows names of environment variables, never values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerLaunch")
            .field("name", &self.name)
            .field("tenant", &self.tenant)
            .field("generation", &self.generation)
            .field("command", &self.command)
            .field("env", &self.env.keys().collect::<Vec<_>>())
            .field("cwd", &self.cwd)
            .field("log_path", &self.log_path)
            .field("kill_timeout", &self.kill_timeout)
            .finish_non_exhaustive()
    }
}

/// How a worker is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StopMode {
    /// The polite signal, then the launch description's `kill_timeout`, then the forced end.
    Graceful,
    /// A short grace (200 ms), then the forced end; errors on the way are not held against it.
    Force,
}

/// How a worker's last process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WorkerExit {
    /// It returned this exit code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It ended, and the system could not tell how.
    Unknown,
}

impl fmt::Display for WorkerExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Unknown => f.write_str("unknown exit status"),
        }
    }
}

/// A worker's state as the runtime sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObservedState {
    /// Its program is being executed.
    Starting,
    /// Its main process lives.
    Running {
        /// The main process.
        pid: u32,
        /// When it was started.
        started_at: DateTime<Utc>,
    },
    /// It was told to end, and some process of it lives.
    Stopping,
    /// It does not run and is not meant to, or its program ended and may not be restarted.
    Stopped,
    /// It ended by itself and will be started again.
    Backoff {
        /// When the next start is due.
        until: DateTime<Utc>,
    },
    /// It ended too often or could not be executed; only a new start brings it back.
    Failed {
        /// Why the runtime gave up.
        reason: String,
    },
}

/// One worker, as a runtime reports it.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservedWorker {
    /// The runtime's name of the worker, as in its [`WorkerLaunch`].
    pub name: String,
    /// The tenant's id, as in its [`WorkerLaunch`].
    pub tenant: String,
    /// The generation it was launched with; 0 when the label was not a number.
    pub generation: u64,
    /// What it is doing.
    pub state: ObservedState,
    /// Whether the runtime's own desired state is "running": it would start it again after a reboot.
    pub wanted: bool,
    /// How often the runtime has started it again by itself or on request.
    pub restarts: u32,
    /// Number of the present (or last) process of this worker; grows with every process started.
    pub incarnation: u64,
    /// Processor use of the whole process tree in percent of one core.
    pub cpu_percent: f64,
    /// Resident memory of the whole process tree in bytes.
    pub memory_bytes: u64,
    /// How its last process ended; `None` when none has.
    pub exit: Option<WorkerExit>,
    /// The last thing that went wrong, for people.
    pub last_error: Option<String>,
    /// The file with its output.
    pub log_path: Option<PathBuf>,
}

/// What [`crate::Runtime::watch`] reports.
#[derive(Debug, Clone, PartialEq)]
pub enum RuntimeEvent {
    /// The whole picture: workers not in it do not exist.
    Sync(Vec<ObservedWorker>),
    /// One worker changed (or appeared).
    Changed(Box<ObservedWorker>),
    /// One worker was forgotten.
    Gone(String),
    /// The runtime stopped answering; a `Sync` follows when it does again.
    Lost(String),
}

/// The runtime's answer to "are you there?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeHealth {
    /// The kind of runtime, as [`crate::Runtime::kind`].
    pub kind: &'static str,
    /// Its version, as it says.
    pub version: String,
    /// How many workers and other processes it has.
    pub processes: usize,
    /// Where it was reached (a socket, an address).
    pub endpoint: String,
}
