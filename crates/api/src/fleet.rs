//! The fleet at a glance: its numbers, one short row a tenant, and what changes of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::phone::Phone;
use crate::session::SessionState;
use crate::tenant::{TenantId, TenantStatus};
use crate::worker::{DesiredState, RuntimeKind, WorkerStatus};

/// The answer of `GET /admin/fleet`: the whole fleet in numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FleetView {
    /// Tenants by status.
    pub tenants: TenantCounts,
    /// Workers by status.
    pub workers: WorkerCounts,
    /// Sessions by state.
    pub sessions: SessionCounts,
    /// Tenants by the heartbeat of their worker.
    pub heartbeats: HeartbeatCounts,
    /// How many tenants need attention.
    pub attention: u64,
    /// How often workers were started again since this server began: they had died, or were stale.
    pub restarts: u64,
    /// Messages of the last 60 to 70 seconds, or of less when the server began less ago.
    pub messages_per_minute: MessageRate,
    /// What workers and server use.
    pub usage: FleetUsage,
    /// The machine.
    pub machine: MachineView,
    /// The newest sample; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<FleetSample>,
    /// The last hour in steps of ten seconds, oldest first. Empty on the stream.
    pub history: Vec<FleetSample>,
}

/// Tenants by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TenantCounts {
    /// `NEW`.
    pub new: u64,
    /// `QR_PENDING`.
    pub qr_pending: u64,
    /// `ACTIVE`.
    pub active: u64,
    /// `PAUSED`.
    pub paused: u64,
    /// `ERROR`.
    pub error: u64,
    /// All of them.
    pub total: u64,
}

/// Workers by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkerCounts {
    /// `STOPPED`.
    pub stopped: u64,
    /// `STARTING`.
    pub starting: u64,
    /// `RUNNING`.
    pub running: u64,
    /// `STOPPING`.
    pub stopping: u64,
    /// `BACKOFF`.
    pub backoff: u64,
    /// `ERROR`.
    pub error: u64,
}

/// Sessions by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionCounts {
    /// `DISCONNECTED`.
    pub disconnected: u64,
    /// `QR_READY`.
    pub qr_ready: u64,
    /// `CONNECTED`.
    pub connected: u64,
    /// `LOGGED_OUT`.
    pub logged_out: u64,
}

/// Tenants by [`HeartbeatHealth`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeartbeatCounts {
    /// See [`HeartbeatHealth::OnTime`].
    pub on_time: u64,
    /// See [`HeartbeatHealth::Late`].
    pub late: u64,
    /// See [`HeartbeatHealth::Stale`].
    pub stale: u64,
    /// See [`HeartbeatHealth::None`].
    pub none: u64,
}

/// How a worker's signs of life come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeartbeatHealth {
    /// The last one came within one and a half intervals. Where the process itself is the sign of life: it runs.
    OnTime,
    /// The last one is older than that.
    Late,
    /// The stale detector has given the worker up.
    Stale,
    /// There is none: no process runs, or it has said nothing yet.
    #[default]
    None,
}

/// Messages in a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MessageRate {
    /// That came in.
    pub received: u64,
    /// That went out.
    pub sent: u64,
}

/// What workers and server use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FleetUsage {
    /// CPU of all workers together, in per cent of one core.
    pub workers_cpu_percent: f64,
    /// Resident memory of all workers together, in bytes.
    pub workers_memory_bytes: u64,
    /// Resident memory of this server, in bytes.
    pub server_memory_bytes: u64,
}

/// The machine that the server runs on. What cannot be read is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MachineView {
    /// CPU in the last sample, in per cent of all processors together: 0 to 100.
    pub cpu_percent: f64,
    /// How many processors there are.
    pub cpus: u32,
    /// Memory in use, in bytes: what could not be had without swapping.
    pub memory_bytes: u64,
    /// All memory, in bytes.
    pub memory_total_bytes: u64,
    /// What is free on the disk of the home, in bytes.
    pub disk_free_bytes: u64,
    /// The size of that disk, in bytes.
    pub disk_total_bytes: u64,
}

/// The fleet at one moment, and its messages since the sample before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FleetSample {
    /// When.
    pub at: DateTime<Utc>,
    /// Tenants that are `ACTIVE`.
    pub active: u64,
    /// Tenants that need attention.
    pub attention: u64,
    /// Messages that came in since the sample before.
    pub received: u64,
    /// Messages that went out since the sample before.
    pub sent: u64,
    /// CPU of all workers, in per cent of one core.
    pub cpu_percent: f64,
    /// CPU of the machine, in per cent of all processors.
    pub machine_cpu_percent: f64,
    /// Memory of all workers, in bytes.
    pub memory_bytes: u64,
    /// Memory of the machine that is in use, in bytes.
    pub machine_memory_bytes: u64,
}

/// A tenant in one row of a long list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FleetRow {
    /// The tenant's id.
    #[schema(value_type = uuid::Uuid)]
    pub id: TenantId,
    /// The name's short form; unique.
    pub slug: String,
    /// The display name.
    pub name: String,
    /// The WhatsApp number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// Where the tenant stands.
    pub status: TenantStatus,
    /// What is observed of the worker.
    pub worker: WorkerStatus,
    /// What is wanted of the worker.
    pub desired: DesiredState,
    /// The session's state.
    pub session: SessionState,
    /// How the worker's signs of life come.
    pub heartbeat: HeartbeatHealth,
    /// Why somebody should look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<Attention>,
    /// How often the process was started again after it died.
    pub restarts: u64,
    /// CPU of the process tree, in whole per cent of one core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<u32>,
    /// Memory of the process tree, in bytes, rounded to whole MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// When the running process was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// Where the worker runs, or would.
    pub runtime: RuntimeKind,
}

/// Why somebody should look at a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Attention {
    /// The kind, by which to choose what mends it.
    pub kind: AttentionKind,
    /// In a sentence.
    pub reason: String,
    /// Since when, as far as this server has seen it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
}

/// What somebody should look at, the most urgent first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AttentionKind {
    /// The worker gives no sign of life, or hears nothing from WhatsApp although it is connected.
    Stale,
    /// The worker dies again and again.
    RestartLoop,
    /// The worker could not be started, or ended for good.
    Failed,
    /// The worker runs, but its session needs help: banned, outdated, a full disk.
    Trouble,
    /// The phone or WhatsApp has ended the login.
    LoggedOut,
    /// Somebody has to scan a code.
    QrWaiting,
    /// A limit was run into in the last ten minutes.
    LimitHit,
}

impl AttentionKind {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 7] = [
        Self::Stale,
        Self::RestartLoop,
        Self::Failed,
        Self::Trouble,
        Self::LoggedOut,
        Self::QrWaiting,
        Self::LimitHit,
    ];
}

/// The answer of `GET /admin/fleet/tenants`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FleetRows {
    /// All tenants, oldest first.
    pub items: Vec<FleetRow>,
    /// Where the stream goes on: its `after`.
    pub cursor: String,
}

/// What changed of the rows: the `data` of the event `rows`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FleetChanges {
    /// The rows that are new or differ, whole.
    pub changed: Vec<FleetRow>,
    /// Tenants that are no more.
    #[schema(value_type = Vec<uuid::Uuid>)]
    pub removed: Vec<TenantId>,
}

/// The `data` of the event `reset`: what changed after the cursor is not known any more, so that all rows have to be
/// fetched anew. The stream goes on with what changes from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FleetReset {}

/// The `data` of a message of `GET /admin/fleet/stream`, by its event: `fleet`, `rows` or `reset`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum FleetMessage {
    /// `fleet`: the numbers, without their history.
    Fleet(Box<FleetView>),
    /// `rows`: what changed of the rows.
    Rows(FleetChanges),
    /// `reset`.
    Reset(FleetReset),
}
