//! The audit log: who did what to which tenant, and how it ended.

use std::fmt;
use std::sync::Arc;

use api::TenantId;
use store::NewAudit;

use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody who has said who they are: an attempt to sign in.
    Anonymous,
    /// The bearer of the admin token.
    AdminToken,
    /// Somebody who knows the admin password.
    AdminPassword,
    /// A person, by the account's address.
    User(Arc<str>),
    /// A program, by its key's name and how the secret begins.
    Key(Arc<str>),
    /// Somebody with a link to connect a tenant's WhatsApp.
    PairLink,
    /// A foreign portal.
    Portal,
    /// The control plane itself.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::AdminToken => f.write_str("admin-token"),
            Self::AdminPassword => f.write_str("admin-password"),
            Self::User(email) => write!(f, "user {email}"),
            Self::Key(key) => write!(f, "key {key}"),
            Self::PairLink => f.write_str("pair-link"),
            Self::Portal => f.write_str("portal"),
            Self::System => f.write_str("system"),
        }
    }
}

/// Does something for somebody and writes it into the audit log. The work goes on when the caller
/// hangs up: half of an action helps nobody. `about` says which tenant it was done to.
///
/// # Errors
/// Those of the work.
pub async fn audited<T: Send + 'static>(
    plane: &Arc<ControlPlane>,
    actor: Actor,
    action: impl Into<String>,
    about: impl FnOnce(&Result<T, ApiError>) -> Option<TenantId> + Send + 'static,
    work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    let (plane, action) = (Arc::clone(plane), action.into());
    let task = tokio::spawn(async move {
        let outcome = work.await;
        let told = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
        record(&plane, &actor, &action, about(&outcome), &told, "").await;
        outcome
    });
    task.await.unwrap_or_else(|error| Err(ApiError::new(Kind::Internal, error.to_string())))
}

/// An entry about something that the store is to do in the same transaction: done and told, or neither.
pub fn entry(actor: &Actor, action: &str, tenant: TenantId, detail: String) -> NewAudit {
    let (actor, action, result) = (actor.to_string(), action.to_owned(), "ok".to_owned());
    NewAudit { actor, action, tenant: Some(tenant), result, detail }
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
