//! What somebody may do: permissions, roles, and keys for programs.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::tenant::TenantId;

/// One thing that may be done. A key's scopes are these, without `people`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// To see: tenants, status, logs, messages, events.
    Read,
    /// To send messages.
    Send,
    /// To link a tenant's WhatsApp: to see its QR codes, ask for pairing codes, and follow the session.
    Pair,
    /// To start and stop workers, and to reconnect and reset sessions. Who may do this may also `pair`.
    Control,
    /// To change a tenant's settings, rules and pacing, and to make tenants.
    Settings,
    /// To say who of a tenant's own people has access to it.
    People,
    /// Everything, everywhere: people, keys, audit log, deletion, and what a tenant's own program is.
    Admin,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Read,
        Self::Send,
        Self::Pair,
        Self::Control,
        Self::Settings,
        Self::People,
        Self::Admin,
    ];

    /// Those that a key may have.
    pub const SCOPES: [Self; 6] =
        [Self::Read, Self::Send, Self::Pair, Self::Control, Self::Settings, Self::Admin];

    /// The word for it, as on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Send => "send",
            Self::Pair => "pair",
            Self::Control => "control",
            Self::Settings => "settings",
            Self::People => "people",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Permission {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|permission| permission.as_str() == text);
        found.ok_or_else(|| {
            format!("{text:?} is none of read, send, pair, control, settings, admin")
        })
    }
}

/// What one of the operator's people may do, with every tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OperatorRole {
    /// Everything.
    Admin,
    /// To see, to send, to control workers, to change settings and to make tenants.
    Operator,
    /// To see.
    Viewer,
}

impl OperatorRole {
    /// What the role may do with every tenant and the fleet.
    #[must_use]
    pub const fn permissions(self) -> &'static [Permission] {
        use Permission::{Admin, Control, Read, Send, Settings};
        match self {
            Self::Admin => &[Admin],
            Self::Operator => &[Read, Send, Control, Settings],
            Self::Viewer => &[Read],
        }
    }
}

/// What one of a tenant's own people may do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TenantRole {
    /// Everything that does not concern the machine.
    Owner,
    /// To see and to send.
    Staff,
}

impl TenantRole {
    /// What the role may do with its tenant.
    #[must_use]
    pub const fn permissions(self) -> &'static [Permission] {
        use Permission::{Control, People, Read, Send, Settings};
        match self {
            Self::Owner => &[Read, Send, Control, Settings, People],
            Self::Staff => &[Read, Send],
        }
    }
}

/// A key for a program, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyView {
    /// Its id.
    pub id: Uuid,
    /// What its maker calls it.
    pub name: String,
    /// How its secret begins, so that it is known again.
    pub prefix: String,
    /// What it may do.
    pub scopes: Vec<Permission>,
    /// The tenant that it is good for; absent: all.
    pub tenant_id: Option<TenantId>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// From when on it is no longer good; absent: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// The body of `POST /admin/keys`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// What it is for: 1 to 120 characters.
    pub name: String,
    /// What it may do: at least one of `read`, `send`, `pair`, `control`, `settings`, `admin`.
    pub scopes: Vec<Permission>,
    /// The tenant (id or slug) that it is good for; absent: all. Not with `admin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// For how many days it is good, 1 to 3,650; absent: until it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 3650)]
    pub expires_in_days: Option<u32>,
}

/// A new key with its secret, which is not shown again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewKey {
    /// The key.
    pub key: KeyView,
    /// What a program sends as `Authorization: Bearer …`.
    pub secret: String,
}

/// Without the secret.
impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey").field("key", &self.key).finish_non_exhaustive()
    }
}
