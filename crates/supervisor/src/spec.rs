//! What to run: the description of one process, and the rules that it must keep.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Everything needed to run one process, as callers send it and as the journal keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessSpec {
    /// Unique among the supervisor's processes: `[A-Za-z0-9._-]{1,128}`.
    pub name: String,
    /// Argument vector. The first is the program: absolute, or found in `PATH` of `env`. Never a shell line.
    pub command: Vec<String>,
    /// The exact environment. The supervisor adds [`PROCESS_VAR`] and [`INCARNATION_VAR`], nothing else.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Names in `env` whose values are never shown to anybody.
    #[serde(default)]
    pub secret_env: BTreeSet<String>,
    /// Working directory, absolute.
    pub cwd: PathBuf,
    /// The signal that asks for the end.
    #[serde(default)]
    pub kill_signal: KillSignal,
    /// Milliseconds from `kill_signal` to SIGKILL. The default is PM2's.
    #[serde(default = "defaults::kill_timeout_ms")]
    pub kill_timeout_ms: u64,
    /// The file that receives standard output; absolute, and nobody else's.
    pub out_file: PathBuf,
    /// The file that receives standard error. `None`: `out_file`, through one pipe, so that lines
    /// keep their order and are not cut into each other.
    #[serde(default)]
    pub error_file: Option<PathBuf>,
    /// A log file is rotated when it has grown to this many bytes; 0 turns rotation off.
    #[serde(default = "defaults::log_max_bytes")]
    pub log_max_bytes: u64,
    /// How many rotated files are kept beside the present one.
    #[serde(default = "defaults::log_keep")]
    pub log_keep: u32,
    /// When to start it again after it ended by itself.
    #[serde(default)]
    pub restart: RestartPolicy,
    /// Free key-value pairs for whoever started it; lists can be filtered by them.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// Variable in a child's environment that says whose process it is: `<process id>:<incarnation>`.
/// The supervisor finds a process by it when it was killed before it could write down the pid.
pub const PROCESS_VAR: &str = "TENANTRY_PROCESS";
/// Variable in a child's environment with the number of this spawn of the process's name.
pub const INCARNATION_VAR: &str = "TENANTRY_INCARNATION";

mod defaults {
    pub(super) fn kill_timeout_ms() -> u64 {
        1600
    }
    pub(super) fn log_max_bytes() -> u64 {
        10 * 1024 * 1024
    }
    pub(super) fn log_keep() -> u32 {
        5
    }
}

/// When a process that ended by itself is started again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RestartPolicy {
    /// Whether it is started again at all.
    pub autorestart: bool,
    /// So many unstable exits within `restart_window_ms` make it `errored`.
    pub max_restarts: u32,
    /// An exit sooner than this after the start is unstable.
    pub min_uptime_ms: u64,
    /// The time within which unstable exits are counted together. The default backoff needs about
    /// a minute and a half for sixteen of them.
    pub restart_window_ms: u64,
    /// Delay before the first restart in a row.
    pub backoff_initial_ms: u64,
    /// Longest delay. Each delay is one and a half of the one before.
    pub backoff_cap_ms: u64,
    /// After an uptime of this much the delays begin afresh.
    pub healthy_uptime_ms: u64,
    /// Exit codes after which it is not started again.
    pub stop_exit_codes: BTreeSet<i32>,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            autorestart: true,
            max_restarts: 16,
            min_uptime_ms: 1000,
            restart_window_ms: 300_000,
            backoff_initial_ms: 100,
            backoff_cap_ms: 15_000,
            healthy_uptime_ms: 30_000,
            stop_exit_codes: BTreeSet::new(),
        }
    }
}

/// The signals that may ask a process to end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum KillSignal {
    /// SIGTERM.
    #[default]
    #[serde(rename = "SIGTERM", alias = "TERM")]
    Term,
    /// SIGINT, what PM2 sends.
    #[serde(rename = "SIGINT", alias = "INT")]
    Int,
    /// SIGHUP.
    #[serde(rename = "SIGHUP", alias = "HUP")]
    Hup,
    /// SIGQUIT.
    #[serde(rename = "SIGQUIT", alias = "QUIT")]
    Quit,
    /// SIGUSR1.
    #[serde(rename = "SIGUSR1", alias = "USR1")]
    Usr1,
    /// SIGUSR2.
    #[serde(rename = "SIGUSR2", alias = "USR2")]
    Usr2,
    /// SIGKILL: no polite phase at all.
    #[serde(rename = "SIGKILL", alias = "KILL")]
    Kill,
}

impl From<KillSignal> for rustix::process::Signal {
    fn from(signal: KillSignal) -> Self {
        match signal {
            KillSignal::Term => Self::TERM,
            KillSignal::Int => Self::INT,
            KillSignal::Hup => Self::HUP,
            KillSignal::Quit => Self::QUIT,
            KillSignal::Usr1 => Self::USR1,
            KillSignal::Usr2 => Self::USR2,
            KillSignal::Kill => Self::KILL,
        }
    }
}

impl fmt::Debug for ProcessSpec {
    /// Shows names of environment variables, never values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessSpec")
            .field("name", &self.name)
            .field("command", &self.command)
            .field("env", &self.env.keys().collect::<Vec<_>>())
            .field("cwd", &self.cwd)
            .field("out_file", &self.out_file)
            .field("error_file", &self.error_file)
            .field("restart", &self.restart)
            .field("labels", &self.labels)
            .finish_non_exhaustive()
    }
}

/// Why a description is refused. Each names the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSpec {
    /// The name is empty, too long, or has other characters.
    #[error("name: {0:?} must be 1 to 128 characters of A-Z a-z 0-9 . _ - and not . or ..")]
    Name(String),
    /// There is no program.
    #[error("command: must name a program")]
    Command,
    /// A zero byte, which no argument or variable can carry.
    #[error("{0}: must not contain a zero byte")]
    ZeroByte(&'static str),
    /// An environment variable's name is empty or has an equals sign.
    #[error("env: {0:?} is no name for a variable")]
    EnvName(String),
    /// A path that must be absolute is not.
    #[error("{field}: {} must be an absolute path", path.display())]
    Relative {
        /// The field.
        field: &'static str,
        /// Its value.
        path: PathBuf,
    },
    /// A number is out of its range.
    #[error("{field}: must be {expected}")]
    Range {
        /// The field.
        field: &'static str,
        /// What is acceptable.
        expected: &'static str,
    },
    /// Another process writes to the file.
    #[error("out_file/error_file: {} already belongs to process {owner}", path.display())]
    LogTaken {
        /// The file.
        path: PathBuf,
        /// The process that has it.
        owner: String,
    },
}

/// Whether a process may have this name.
#[must_use]
pub fn is_valid_name(name: &str) -> bool {
    let fits = (1..=128).contains(&name.len()) && name != "." && name != "..";
    fits && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

impl ProcessSpec {
    /// A description with defaults for everything that has one.
    #[must_use]
    pub fn new(name: &str, command: Vec<String>, cwd: PathBuf, out_file: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            command,
            env: BTreeMap::new(),
            secret_env: BTreeSet::new(),
            cwd,
            kill_signal: KillSignal::default(),
            kill_timeout_ms: defaults::kill_timeout_ms(),
            out_file,
            error_file: None,
            log_max_bytes: defaults::log_max_bytes(),
            log_keep: defaults::log_keep(),
            restart: RestartPolicy::default(),
            labels: BTreeMap::new(),
        }
    }

    /// The time from the polite signal to SIGKILL.
    #[must_use]
    pub fn kill_timeout(&self) -> Duration {
        Duration::from_millis(self.kill_timeout_ms)
    }

    /// The files it writes to.
    pub fn log_files(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.out_file.as_path()).chain(self.error_file.as_deref())
    }

    /// Checks everything that can be told without touching the machine.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), InvalidSpec> {
        if !is_valid_name(&self.name) {
            return Err(InvalidSpec::Name(self.name.clone()));
        }
        match self.command.first() {
            Some(program) if !program.is_empty() => {}
            Some(_) | None => return Err(InvalidSpec::Command),
        }
        if self.command.iter().any(|argument| argument.contains('\0')) {
            return Err(InvalidSpec::ZeroByte("command"));
        }
        for (name, value) in &self.env {
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(InvalidSpec::EnvName(name.clone()));
            }
            if value.contains('\0') {
                return Err(InvalidSpec::ZeroByte("env"));
            }
        }
        absolute("cwd", &self.cwd)?;
        absolute("out_file", &self.out_file)?;
        if let Some(path) = &self.error_file {
            absolute("error_file", path)?;
        }
        self.validate_ranges()
    }

    fn validate_ranges(&self) -> Result<(), InvalidSpec> {
        let day_ms = 86_400_000;
        let rules = [
            (self.kill_timeout_ms <= 3_600_000, "kill_timeout_ms", "at most 3600000 (an hour)"),
            (self.log_keep <= 1000, "log_keep", "at most 1000"),
            (
                self.log_max_bytes == 0 || self.log_max_bytes >= 4096,
                "log_max_bytes",
                "0 (no rotation) or at least 4096",
            ),
            (self.restart.max_restarts >= 1, "restart.max_restarts", "at least 1"),
            (
                self.restart.backoff_initial_ms <= self.restart.backoff_cap_ms,
                "restart.backoff_initial_ms",
                "at most restart.backoff_cap_ms",
            ),
            (self.restart.backoff_cap_ms <= day_ms, "restart.backoff_cap_ms", "at most a day"),
        ];
        match rules.into_iter().find(|(kept, ..)| !kept) {
            Some((_, field, expected)) => Err(InvalidSpec::Range { field, expected }),
            None => Ok(()),
        }
    }
}

fn absolute(field: &'static str, path: &Path) -> Result<(), InvalidSpec> {
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(InvalidSpec::ZeroByte(field));
    }
    if path.is_absolute() {
        Ok(())
    } else {
        Err(InvalidSpec::Relative { field, path: path.to_owned() })
    }
}
