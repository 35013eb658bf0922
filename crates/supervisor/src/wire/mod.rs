//! What goes over the supervisor's socket. Clients and the daemon share these types.

mod batch;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use batch::{ActBatch, BatchAction, BatchAnswer, BatchResult, StartBatch, WhenRunning};

pub use crate::journal::Desired;
pub use crate::process::{Exit, Phase};
pub use crate::spec::{
    Confinement, Env, KillSignal, Limits, Liveness, LogType, NO_LOG, Pairs, Probe, ProcessSpec,
    Readiness, Resource, ResourceLimit, RestartPolicy, Stdin, WatchFiles,
};

/// One process, as lists and events show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessView {
    /// Its name. Several processes may have the same one.
    pub name: String,
    /// Which of the processes of this name it is.
    #[serde(default)]
    pub instance: u32,
    /// Its group.
    #[serde(default)]
    pub namespace: String,
    /// Its small, unique number. The numbers begin at 0 again when there is no process at all.
    pub id: u32,
    /// What it is doing.
    pub state: Phase,
    /// What it is meant to do.
    pub desired: Desired,
    /// Its main process, while that lives.
    pub pid: Option<u32>,
    /// Starts that followed an earlier run, by policy or on request.
    pub restarts: u32,
    /// Unstable exits that count towards `errored`.
    pub unstable: u32,
    /// Start of the present run, in Unix milliseconds; `None` when it does not run.
    pub started_at: Option<i64>,
    /// How long it has been running, in milliseconds.
    pub uptime_ms: Option<u64>,
    /// When it will be started again, in Unix milliseconds; only while it waits for that.
    pub next_start_at: Option<i64>,
    /// How its last run ended.
    pub exit: Option<Exit>,
    /// Why it is errored, or the last thing that went wrong.
    pub reason: Option<String>,
    /// Processor use of the whole tree in percent of one core: since the last look, at the first look
    /// since its start. Zero in events, which do not look.
    pub cpu_percent: f64,
    /// Resident memory of the whole tree in bytes (shared pages count in each process). Zero in events.
    pub memory_bytes: u64,
    /// Number of its present or last spawn.
    pub incarnation: u64,
    /// Whether it was started by an earlier supervisor.
    pub adopted: bool,
    /// Where standard output goes.
    pub out_file: PathBuf,
    /// Where standard error goes, unless to `out_file`.
    pub error_file: Option<PathBuf>,
    /// When it was created or last started by request, in Unix milliseconds.
    #[serde(default)]
    pub created_at: i64,
    /// What it says of itself (`STATUS=` on `NOTIFY_SOCKET`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The user that it runs as; `None` for the supervisor's own.
    #[serde(default)]
    pub uid: Option<u32>,
    /// Whether its files are watched.
    #[serde(default)]
    pub watching: bool,
    /// How many bytes of its output could not be written to its log files (a full disk) and are lost.
    #[serde(default)]
    pub log_bytes_lost: u64,
    /// Why its output cannot be written at present; it waits in the pipe meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_trouble: Option<String>,
    /// Free key-value pairs.
    pub labels: BTreeMap<String, String>,
    /// How it is run.
    pub spec: SpecSummary,
}

/// One process in the short list (`GET /v1/list`), for many processes at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListRow {
    /// As in [`ProcessView`].
    pub id: u32,
    /// As in [`ProcessView`].
    pub name: String,
    /// As in [`ProcessView`].
    pub instance: u32,
    /// As in [`ProcessView`].
    pub namespace: String,
    /// As in [`ProcessView`].
    pub state: Phase,
    /// As in [`ProcessView`].
    pub pid: Option<u32>,
    /// As in [`ProcessView`].
    pub started_at: Option<i64>,
    /// As in [`ProcessView`].
    pub restarts: u32,
    /// As in [`ProcessView`].
    pub cpu_percent: f64,
    /// As in [`ProcessView`].
    pub memory_bytes: u64,
    /// The user that it runs as; `None` for the supervisor's own.
    pub uid: Option<u32>,
    /// Whether its files are watched.
    pub watching: bool,
    /// The label `version`, empty where there is none.
    pub version: String,
}

impl From<ProcessView> for ListRow {
    fn from(view: ProcessView) -> Self {
        Self {
            id: view.id,
            name: view.name,
            instance: view.instance,
            namespace: view.namespace,
            state: view.state,
            pid: view.pid,
            started_at: view.started_at,
            restarts: view.restarts,
            cpu_percent: view.cpu_percent,
            memory_bytes: view.memory_bytes,
            uid: view.uid,
            watching: view.watching,
            version: view.labels.get("version").cloned().unwrap_or_default(),
        }
    }
}

/// What is shown of a description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecSummary {
    /// Argument vector.
    pub command: Vec<String>,
    /// Working directory.
    pub cwd: PathBuf,
    /// Names of the environment's variables.
    pub env_names: Vec<String>,
    /// The environment, only when asked for; values of secret variables are `***`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, String>>,
    /// The signal that asks for the end.
    pub kill_signal: KillSignal,
    /// Milliseconds from it to SIGKILL.
    pub kill_timeout_ms: u64,
    /// Size in bytes at which logs are rotated; 0 for never.
    pub log_max_bytes: u64,
    /// How many rotated logs are kept.
    pub log_keep: u32,
    /// When it is started again.
    pub restart: RestartPolicy,
}

/// `POST /v1/processes`: create, or replace the description of one that does not run, and start.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateRequest {
    /// What to run.
    pub spec: ProcessSpec,
    /// Answer only once it has come to rest, at the latest after so many milliseconds, and with an error
    /// should it have ended by then. At most 60000.
    #[serde(default)]
    pub settle_ms: u64,
}

/// Optional body of `POST /v1/processes/{x}/{start|stop|restart|force-restart}`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActionRequest {
    /// A new description, of the same name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<ProcessSpec>,
    /// As in [`CreateRequest`].
    pub settle_ms: u64,
    /// For `stop`: only the short grace (200 ms) comes between the polite signal and SIGKILL.
    pub force: bool,
}

/// `POST /v1/processes/{x}/signal`: sends a signal to the main process alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalRequest {
    /// The signal.
    pub signal: KillSignal,
}

/// `POST /v1/upgrade`: the supervisor becomes another program without anybody noticing: same pid, same children, same
/// socket.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpgradeRequest {
    /// The program; the supervisor's own (as it stands on the disk now) when it is not given.
    pub program: Option<PathBuf>,
}

/// `POST /v1/shutdown`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShutdownRequest {
    /// Whether to end all processes first. They stay meant to run: the next supervisor starts them.
    pub stop_processes: bool,
}

/// `GET /v1/info`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// The program's version.
    pub version: String,
    /// The supervisor's pid.
    pub pid: u32,
    /// Its run directory.
    pub run_dir: PathBuf,
    /// When it started, in Unix milliseconds.
    pub started_at: i64,
    /// How many processes it has, running or not.
    pub processes: usize,
    /// How many of them it took over when it started.
    pub adopted: usize,
    /// Whether every process has a cgroup of its own, so that no child of its can get away.
    #[serde(default)]
    pub cgroups: bool,
}

/// A line of `GET /v1/logs?id=…&id=…&tail=…&follow=…`, which tells of several processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessLine {
    /// Whose.
    pub id: u32,
    /// The line.
    #[serde(flatten)]
    pub line: LogLine,
}

/// `GET /v1/processes/{x}/logs` without `follow`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLines {
    /// Oldest first. Of a process with two files: those of standard output, then those of standard error.
    pub lines: Vec<LogLine>,
}

/// One line of output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Without its line end. Bytes that are no UTF-8 are replaced.
    pub line: String,
    /// Which file it is from.
    pub stream: LogStream,
}

/// Which of a process's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogStream {
    /// `out_file`; has standard error too when there is no other file for it.
    Out,
    /// `error_file`.
    Error,
}

/// An event of `GET /v1/events`. Its name is the variant's, its data the content as JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// `sync`: everything there is; comes first.
    Sync(Vec<ProcessView>),
    /// `process`: one changed.
    Process(Box<ProcessView>),
    /// `gone`: one was forgotten.
    Gone(GoneView),
}

/// A process that was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoneView {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: u32,
}

/// Body of every answer that is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// For programs.
    pub code: ErrorCode,
    /// For people: what happened to which process.
    pub message: String,
    /// How it ended, for `exited_early`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
    /// What it said last, oldest first, for `exited_early`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log_tail: Vec<String>,
}

/// What kind of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// 404: no process has this name or id.
    UnknownProcess,
    /// 404: no such path.
    NotFound,
    /// 405: the path does not know this method.
    MethodNotAllowed,
    /// 409: several processes have this name; the id tells which.
    AmbiguousTarget,
    /// 409: it does not run, so it can be sent nothing.
    NotRunning,
    /// 409: its standard input is not a pipe.
    NoStdin,
    /// 409: it runs, or is about to.
    AlreadyRunning,
    /// 409: another request for it is under way.
    Busy,
    /// 409: a later request overruled this one.
    Superseded,
    /// 422: the description breaks a rule.
    InvalidSpec,
    /// 400: the request makes no sense.
    BadRequest,
    /// 422: the program could not be executed.
    SpawnFailed,
    /// 422: it ended within the settle time.
    ExitedEarly,
    /// 422: it did not become ready within `listen_timeout_ms`.
    NotReady,
    /// 422: the new program could not take the supervisor's place.
    UpgradeFailed,
    /// 500: it did not go in spite of SIGKILL.
    StopFailed,
    /// 500: the change could not be written to the disk.
    StateNotSaved,
    /// 503: the supervisor is leaving.
    ShuttingDown,
}
