//! Records: messages, events, the audit log, logs, pages of them, and health.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::session::SessionView;
use crate::tenant::{TenantId, TenantStatus};
use crate::worker::WorkerView;

/// A page of records. `next` goes into `?after=` (or `?before=` where the newest come first).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The records.
    pub items: Vec<T>,
    /// Where the next page starts; absent on the last page.
    pub next: Option<i64>,
}

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Direction {
    /// From a contact to the bot.
    In,
    /// From the bot to a contact.
    Out,
}

/// How far an outgoing message has come. Only ever forward; `failed` is final, and only comes from
/// `queued` or `sent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// It waits to be sent.
    Queued,
    /// WhatsApp has it.
    Sent,
    /// It reached the recipient's phone.
    Delivered,
    /// The recipient read it.
    Read,
    /// It will not be sent; a reason says why.
    Failed,
}

/// One message of the message log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageView {
    /// The record's number; grows.
    pub seq: i64,
    /// WhatsApp's id of the message.
    pub message_id: String,
    /// The chat's WhatsApp address.
    pub chat: String,
    /// Which way it went.
    pub direction: Direction,
    /// The text.
    pub text: String,
    /// When it was sent.
    pub at: DateTime<Utc>,
    /// How far an outgoing message has come, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<MessageState>,
}

/// One event of a tenant's event log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView {
    /// The record's number; grows.
    pub seq: i64,
    /// The tenant that it happened to.
    pub tenant_id: TenantId,
    /// What happened, such as `worker.started`, `session.connected`, `worker.stale`.
    pub kind: String,
    /// In words.
    pub detail: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// One entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditView {
    /// The record's number; grows.
    pub seq: i64,
    /// Who: `admin-token`, `admin-password`, `portal`, `system`.
    pub actor: String,
    /// What: `tenant.create`, `worker.start`, …
    pub action: String,
    /// The tenant that it was done to.
    pub tenant_id: Option<TenantId>,
    /// `ok`, or the code of the problem that it ended in.
    pub result: String,
    /// More in words.
    pub detail: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// The answer of `GET …/logs` without `follow`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogView {
    /// The last lines, oldest first.
    pub lines: Vec<String>,
}

/// The answer of `GET …/status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusView {
    /// The tenant's id.
    pub tenant_id: TenantId,
    /// The display name.
    pub name: String,
    /// Where the tenant stands.
    pub status: TenantStatus,
    /// The worker.
    pub worker: WorkerView,
    /// The session.
    pub session: SessionView,
}

/// The answer of `GET /health` and `GET /ready`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthView {
    /// `ok`, or `degraded` when a part is ill.
    pub status: String,
    /// The program's version.
    pub version: String,
    /// The parts, each `ok` or what is wrong with it.
    pub parts: std::collections::BTreeMap<String, String>,
}
