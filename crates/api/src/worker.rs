//! Workers: the tenants' bots, as the control plane sees them.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an operator wants of a worker. Lives in the store; the reconciler makes it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DesiredState {
    /// The worker shall run.
    Running,
    /// The worker shall not run.
    Stopped,
}

/// What is observed of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WorkerStatus {
    /// No process.
    Stopped,
    /// A process was started and has not yet given a sign of life.
    Starting,
    /// The process runs and gives signs of life.
    Running,
    /// The process was told to stop and has not yet gone.
    Stopping,
    /// The process died and will be started again after a delay.
    Backoff,
    /// The worker failed for good or is stale; `last_error` says why.
    Error,
}

/// A place where workers run.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum RuntimeKind {
    /// Tenantry's own supervisor on this machine.
    #[default]
    Local,
    /// A PM2 daemon that is there already.
    Pm2,
}

impl RuntimeKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Local, Self::Pm2];

    /// The kind in one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Pm2 => "pm2",
        }
    }
}

impl fmt::Display for RuntimeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RuntimeKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| format!("{text:?} is no runtime; give local or pm2"))
    }
}

/// The body of `POST /admin/tenants/{id}/worker/migrate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Migrate {
    /// Where the worker shall run from now on.
    pub to: RuntimeKind,
}

/// What counts as a worker's sign of life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HeartbeatMode {
    /// Heartbeats over the worker link (see `docs/worker-contract.md`).
    #[default]
    Link,
    /// The life of the process itself, for programs that know nothing of the link.
    Process,
}

/// A worker as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorkerView {
    /// `worker-<slug>-<short id>`: the process name at the supervisor and in the logs.
    pub name: String,
    /// What the operator wants.
    pub desired: DesiredState,
    /// What is observed.
    pub status: WorkerStatus,
    /// Where it runs.
    #[serde(default)]
    pub runtime: RuntimeKind,
    /// Grows at each start; what an older generation says is refused.
    pub generation: u64,
    /// The process id of the running process.
    pub pid: Option<u32>,
    /// When the running process was started.
    pub started_at: Option<DateTime<Utc>>,
    /// How often the process was started again after it died.
    pub restarts: u64,
    /// CPU use of the whole process tree, in per cent of one core.
    pub cpu_percent: Option<f64>,
    /// Resident memory of the whole process tree, in bytes.
    pub memory_bytes: Option<u64>,
    /// The last sign of life.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Why the worker is in `ERROR` or `BACKOFF`, or why its last run ended.
    pub last_error: Option<String>,
    /// How the worker is inside, as of its last heartbeat.
    #[serde(default)]
    pub health: Option<crate::link::WorkerHealth>,
}

/// The answer of `POST /admin/tenants/{id}/worker/{start|stop|restart|force-restart}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LifecycleAnswer {
    /// Whether the desired state was observed; false when the wait ended before that.
    pub success: bool,
    /// The worker as it is now.
    pub worker: WorkerView,
}

/// A lifecycle action on a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LifecycleAction {
    /// Start a worker that is not running.
    Start,
    /// Stop a worker, gracefully first.
    Stop,
    /// Stop, then start.
    Restart,
    /// Stop as far as possible ignoring errors, wait until the old process tree is gone, start afresh.
    ForceRestart,
}

impl LifecycleAction {
    /// The action as it stands in the route.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::ForceRestart => "force-restart",
        }
    }
}
