//! One tenant as it lives: its state as it changes, its curves, its conversations.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::records::{MessageView, StatusView};
use crate::session::QrView;

/// The `data` of the event `status` of `GET …/stream`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TenantStream {
    /// The tenant at a glance.
    pub status: StatusView,
    /// The code that waits to be scanned; only for those who may control the bot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qr: Option<QrView>,
}

/// The answer of `GET …/series`: the last two hours, as far as this server has seen them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TenantSeries {
    /// The seconds from one point to the next.
    pub step_seconds: u32,
    /// The points, oldest first. Minutes before anything was known are left out; those between are all there.
    pub points: Vec<SeriesPoint>,
}

/// One minute of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeriesPoint {
    /// When the minute began.
    pub at: DateTime<Utc>,
    /// CPU of the worker, in per cent of one core; absent: it did not run, or nobody measured it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<f64>,
    /// Memory of the worker, in bytes, in steps of 1 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Messages that came in.
    pub received: u64,
    /// Messages that went out.
    pub sent: u64,
}

/// One chat of the message log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConversationView {
    /// The chat's WhatsApp address.
    pub chat: String,
    /// Its newest message.
    pub last: MessageView,
    /// How many messages of it the log has.
    pub messages: u64,
}
