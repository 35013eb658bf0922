//! Links with which somebody without an account connects a tenant's WhatsApp, and does nothing else.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::tenant::TenantId;

/// For how many minutes a link is good when its maker does not say.
pub const DEFAULT_MINUTES: u32 = 60;
/// The shortest life of a link, in minutes.
pub const MIN_MINUTES: u32 = 5;
/// The longest life of a link, in minutes: a week.
pub const MAX_MINUTES: u32 = 7 * 24 * 60;

/// The body of `POST /admin/tenants/{tenant}/pair-links` and `POST /portal/tenant/current/pair-links`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePairLink {
    /// For how many minutes it is good: 5 to 10,080 (a week); 60 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 5, maximum = 10080)]
    pub expires_in_minutes: Option<u32>,
}

/// A link to hand over. It is not shown again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PairLink {
    /// The address to open: `<public_url>/connect#<token>`.
    pub url: String,
    /// Until when it is good, unless it is taken back.
    pub expires_at: DateTime<Utc>,
}

/// Without the address, which is a secret.
impl fmt::Debug for PairLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PairLink").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// The body of `POST /auth/pair-link`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenPairLink {
    /// What the link holds behind its `#`: `tnp_…`. From then on it is sent as `Authorization: Bearer …`.
    pub token: String,
}

/// Without the token.
impl fmt::Debug for OpenPairLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenPairLink").finish_non_exhaustive()
    }
}

/// What a link is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PairLinkView {
    /// The tenant whose WhatsApp is connected with it.
    pub tenant_id: TenantId,
    /// The tenant's display name.
    pub tenant_name: String,
    /// Until when it is good, unless it is taken back.
    pub expires_at: DateTime<Utc>,
}
