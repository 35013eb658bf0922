//! Tenants: the customers, one bot each.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::phone::Phone;
use crate::session::SessionView;
use crate::worker::{HeartbeatMode, WorkerView};

/// A tenant's id: a `UUIDv7`, so that ids sort by the time of their making.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(transparent)]
pub struct TenantId(pub Uuid);

impl TenantId {
    /// Makes a new id.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for TenantId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// Where a tenant stands as a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TenantStatus {
    /// Made, never started.
    New,
    /// Started; somebody must scan the QR code.
    QrPending,
    /// The bot is connected, or its stored session is being logged in again.
    Active,
    /// Stopped by a person.
    Paused,
    /// The worker failed or is stale; see the worker's `last_error`.
    Error,
}

/// A tenant with its worker and session, as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TenantView {
    /// The tenant's id.
    pub id: TenantId,
    /// The display name, 1 to 120 characters.
    pub name: String,
    /// The name's short form for the command line and addresses; unique.
    pub slug: String,
    /// The WhatsApp number that the bot is meant for; unique.
    pub phone: Option<Phone>,
    /// Where the tenant stands.
    pub status: TenantStatus,
    /// The settings of the tenant's bot.
    pub config: TenantConfig,
    /// The tenant's worker.
    pub worker: WorkerView,
    /// The tenant's WhatsApp session.
    pub session: SessionView,
    /// When the tenant was made.
    pub created_at: DateTime<Utc>,
    /// When the tenant's row was last changed.
    pub updated_at: DateTime<Utc>,
}

/// The settings of one tenant's bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TenantConfig {
    /// What the bot answers to a contact's message; empty: it does not answer.
    pub greeting: String,
    /// At most so many answers in a minute.
    pub rate_limit_max_per_minute: u32,
    /// The tenant's own program instead of `tenantry worker`: an argument vector, never a shell line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// The working directory of the tenant's own program; its session directory when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// More environment variables for the tenant's own program. The values are not shown again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// What counts as the worker's sign of life.
    pub heartbeat: HeartbeatMode,
}

/// The body of `POST /admin/tenants`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTenant {
    /// The display name: 1 to 120 characters, no control characters.
    pub name: String,
    /// The WhatsApp number, in E.164 form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// See [`TenantConfig::greeting`]; at most 4,096 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greeting: Option<String>,
    /// See [`TenantConfig::rate_limit_max_per_minute`]; 1 to 600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit_max_per_minute: Option<u32>,
    /// See [`TenantConfig::command`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// See [`TenantConfig::cwd`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// See [`TenantConfig::env`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Default: `link` for `tenantry worker`, `process` for the tenant's own program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<HeartbeatMode>,
}

/// The body of `PATCH /admin/tenants/{id}`: what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateTenant {
    /// The new display name. Slug and worker name stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The new number; an empty text removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// See [`TenantConfig::greeting`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greeting: Option<String>,
    /// See [`TenantConfig::rate_limit_max_per_minute`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit_max_per_minute: Option<u32>,
    /// See [`TenantConfig::command`]; an empty vector goes back to `tenantry worker`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// See [`TenantConfig::cwd`]; an empty text removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// See [`TenantConfig::env`]; replaces the whole map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, String>>,
    /// See [`TenantConfig::heartbeat`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<HeartbeatMode>,
}
