//! What to run: the description of one process, as callers send it and as the journal keeps it. The rules that
//! it must keep are in [`InvalidSpec`].

mod limits;
mod pairs;
mod probe;
mod restart;
mod rules;
mod signal;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use limits::{Confinement, Limits, Resource, ResourceLimit};
pub use pairs::Pairs;
pub use probe::{Liveness, Probe, Readiness};
pub use restart::RestartPolicy;
pub use rules::{InvalidSpec, is_valid_name};
pub use signal::KillSignal;

/// Environment variables by name.
pub type Env = BTreeMap<String, String>;

/// The file that stands for "thrown away" as a log file.
pub const NO_LOG: &str = "/dev/null";

/// Everything needed to run one process.
///
/// Several processes may have the same name; `name` and `instance` together are unique.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessSpec {
    /// 1 to 256 bytes without control characters and slashes.
    pub name: String,
    /// Which of the processes of this name it is.
    #[serde(default)]
    pub instance: u32,
    /// A group that can be named as a target.
    #[serde(default = "defaults::namespace")]
    pub namespace: String,
    /// Argument vector. The first is the program: absolute, or found in `PATH` of the environment. Never
    /// a shell line.
    pub command: Vec<String>,
    /// Variables that many processes have in common (the environment of the shell that they were started from). Shared in
    /// memory and kept once in the journal; `env` wins over it.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub base_env: Arc<Env>,
    /// This process's own variables. The supervisor adds [`PROCESS_VAR`] and [`INCARNATION_VAR`] (and `NOTIFY_SOCKET` when
    /// [`Readiness::Notify`] or a watchdog asks for it), nothing else.
    #[serde(default)]
    pub env: Pairs,
    /// Names of variables whose values are never shown to anybody.
    #[serde(default)]
    pub secret_env: BTreeSet<String>,
    /// Working directory, absolute.
    pub cwd: PathBuf,
    /// What it can read from standard input.
    #[serde(default)]
    pub stdin: Stdin,
    /// The signal that asks for the end.
    #[serde(default)]
    pub kill_signal: KillSignal,
    /// Milliseconds from `kill_signal` to SIGKILL. The default is PM2's.
    #[serde(default = "defaults::kill_timeout_ms")]
    pub kill_timeout_ms: u64,
    /// Whether `kill_signal` goes to the whole tree. If not, to the main process alone. Either way nothing of the
    /// tree outlives the stop.
    #[serde(default = "defaults::yes")]
    pub treekill: bool,
    /// The file that receives standard output; absolute. [`NO_LOG`] throws it away.
    pub out_file: PathBuf,
    /// The file that receives standard error. `None`: `out_file`, through one pipe, so that lines
    /// keep their order and are not cut into each other.
    #[serde(default)]
    pub error_file: Option<PathBuf>,
    /// One more file that receives both, line by line.
    #[serde(default)]
    pub log_file: Option<PathBuf>,
    /// Whether other processes that say so too may write to the same files.
    #[serde(default)]
    pub merge_logs: bool,
    /// What a line looks like in the file.
    #[serde(default)]
    pub log_type: LogType,
    /// With it each line (and JSON's `timestamp`) bears its time in this format; the tokens are day.js's (`YYYY-MM-DD HH:mm:ss`).
    #[serde(default)]
    pub log_date_format: Option<String>,
    /// A log file is rotated when it has grown to this many bytes; 0 for never.
    #[serde(default = "defaults::log_max_bytes")]
    pub log_max_bytes: u64,
    /// A log file is rotated when it is this many milliseconds old; 0 for never.
    #[serde(default)]
    pub log_max_age_ms: u64,
    /// How many rotated files are kept beside the present one.
    #[serde(default = "defaults::log_keep")]
    pub log_keep: u32,
    /// Rotated files that are older than this many milliseconds are removed; 0 keeps them.
    #[serde(default)]
    pub log_retention_ms: u64,
    /// Whether rotated files are compressed (gzip).
    #[serde(default = "defaults::yes")]
    pub log_compress: bool,
    /// When to start it again after it ended by itself.
    #[serde(default)]
    pub restart: RestartPolicy,
    /// Restarts it at the times that this cron pattern names (5 fields, or 6 with seconds; local time).
    #[serde(default)]
    pub cron_restart: Option<String>,
    /// Restarts it when files change.
    #[serde(default)]
    pub watch: Option<WatchFiles>,
    /// Restarts it when the memory of its whole tree is above this many bytes.
    #[serde(default)]
    pub max_memory_bytes: Option<u64>,
    /// What the kernel holds it to.
    #[serde(default)]
    pub limits: Limits,
    /// When it counts as online.
    #[serde(default)]
    pub ready: Readiness,
    /// How many milliseconds `ready` may take; then it is online all the same if that is [`Readiness::Notify`] (as PM2 has
    /// it), else it is restarted.
    #[serde(default = "defaults::listen_timeout_ms")]
    pub listen_timeout_ms: u64,
    /// Restarts it when it does not answer any more.
    #[serde(default)]
    pub liveness: Option<Liveness>,
    /// Free key-value pairs for whoever started it; lists can be filtered by them.
    #[serde(default)]
    pub labels: Pairs,
}

/// What a process can read from standard input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stdin {
    /// Nothing: `/dev/null`.
    #[default]
    Null,
    /// What is sent to it by `POST /v1/processes/{id}/stdin`.
    Pipe,
}

/// What a line looks like in a log file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogType {
    /// As the process wrote it.
    #[default]
    Raw,
    /// One JSON object: `message`, `timestamp`, `type` (`out` or `err`), `process_id`, `app_name`.
    Json,
}

/// Which files to watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchFiles {
    /// Files and folders (with all below them), absolute.
    pub paths: Vec<PathBuf>,
    /// Regular expressions; a path in which one of them is found does not count.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Changes within this many milliseconds lead to one restart.
    #[serde(default = "defaults::watch_delay_ms")]
    pub delay_ms: u64,
}

/// Variable in a child's environment that says whose process it is: `<process id>:<incarnation>`.
/// The supervisor finds a process by it when it was killed before it could write down the pid.
pub const PROCESS_VAR: &str = "TENANTRY_PROCESS";
/// Variable in a child's environment with the number of this spawn of the process's name.
pub const INCARNATION_VAR: &str = "TENANTRY_INCARNATION";

/// Changes of watched files within this many milliseconds lead to one restart, unless a description says otherwise.
pub const DEFAULT_WATCH_DELAY_MS: u64 = 200;

mod defaults {
    pub(super) fn namespace() -> String {
        "default".to_owned()
    }
    pub(super) fn kill_timeout_ms() -> u64 {
        1600
    }
    pub(super) fn listen_timeout_ms() -> u64 {
        3000
    }
    pub(super) fn watch_delay_ms() -> u64 {
        super::DEFAULT_WATCH_DELAY_MS
    }
    pub(super) fn log_max_bytes() -> u64 {
        10 * 1024 * 1024
    }
    pub(super) fn log_keep() -> u32 {
        5
    }
    pub(super) fn yes() -> bool {
        true
    }
}

fn is_empty(env: &Arc<Env>) -> bool {
    env.is_empty()
}

impl fmt::Debug for ProcessSpec {
    /// Shows names of environment variables, never values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessSpec")
            .field("name", &self.name)
            .field("instance", &self.instance)
            .field("command", &self.command)
            .field("env", &self.env.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("cwd", &self.cwd)
            .field("out_file", &self.out_file)
            .field("error_file", &self.error_file)
            .field("restart", &self.restart)
            .field("labels", &self.labels)
            .finish_non_exhaustive()
    }
}

impl ProcessSpec {
    /// A description with defaults for everything that has one.
    #[must_use]
    pub fn new(name: &str, command: Vec<String>, cwd: PathBuf, out_file: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            instance: 0,
            namespace: defaults::namespace(),
            command,
            base_env: Arc::default(),
            env: Pairs::new(),
            secret_env: BTreeSet::new(),
            cwd,
            stdin: Stdin::default(),
            kill_signal: KillSignal::default(),
            kill_timeout_ms: defaults::kill_timeout_ms(),
            treekill: true,
            out_file,
            error_file: None,
            log_file: None,
            merge_logs: false,
            log_type: LogType::default(),
            log_date_format: None,
            log_max_bytes: defaults::log_max_bytes(),
            log_max_age_ms: 0,
            log_keep: defaults::log_keep(),
            log_retention_ms: 0,
            log_compress: true,
            restart: RestartPolicy::default(),
            cron_restart: None,
            watch: None,
            max_memory_bytes: None,
            limits: Limits::default(),
            ready: Readiness::default(),
            listen_timeout_ms: defaults::listen_timeout_ms(),
            liveness: None,
            labels: Pairs::new(),
        }
    }

    /// The time from the polite signal to SIGKILL.
    #[must_use]
    pub fn kill_timeout(&self) -> Duration {
        Duration::from_millis(self.kill_timeout_ms)
    }

    /// A variable of the environment that it gets.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.env.get(name).or_else(|| self.base_env.get(name).map(String::as_str))
    }

    /// The environment that it gets, without what the supervisor adds.
    pub fn environment(&self) -> impl Iterator<Item = (&str, &str)> {
        let inherited = self.base_env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        inherited.filter(|(name, _)| !self.env.contains_key(name)).chain(self.env.iter())
    }

    /// The files that it writes to, without [`NO_LOG`].
    pub fn log_files(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.out_file.as_path())
            .chain(self.error_file.as_deref())
            .chain(self.log_file.as_deref())
            .filter(|path| *path != Path::new(NO_LOG))
    }
}
