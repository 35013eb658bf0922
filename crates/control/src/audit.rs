//! The audit log: who did what to which tenant, and how it ended.

use std::fmt;

use api::TenantId;
use store::NewAudit;

use crate::plane::ControlPlane;
use crate::problem::ApiError;

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The bearer of the admin token.
    AdminToken,
    /// Somebody who knows the admin password.
    AdminPassword,
    /// The control plane itself.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AdminToken => "admin-token",
            Self::AdminPassword => "admin-password",
            Self::System => "system",
        })
    }
}

/// Writes an entry. A store that does not answer is logged: what was done is not undone by it.
pub async fn record(
    plane: &ControlPlane,
    actor: &Actor,
    action: &str,
    tenant: Option<TenantId>,
    outcome: &Result<(), ApiError>,
    detail: &str,
) {
    let (result, why) = match outcome {
        Ok(()) => ("ok", String::new()),
        Err(error) => (error.kind().code(), error.detail().to_owned()),
    };
    let detail = if detail.is_empty() { why } else { detail.to_owned() };
    tracing::info!(%actor, action, tenant = tenant.map(tracing::field::display), result, "audit");
    let entry = NewAudit {
        actor: actor.to_string(),
        action: action.to_owned(),
        tenant,
        result: result.to_owned(),
        detail,
    };
    if let Err(error) = plane.store.append_audit(entry).await {
        tracing::error!(action, %error, "an audit entry could not be written");
    }
}
