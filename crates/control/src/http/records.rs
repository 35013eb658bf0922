//! Messages, events and the audit log, page by page.

use std::sync::Arc;

use api::TenantId;
use api::records::{AuditView, EventView, MessageView, Page};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::body::Params;
use super::scope::Scope;
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

/// Records on a page when the caller does not say.
const LIMIT: u64 = 100;
/// The most records on a page.
const MAX_LIMIT: u64 = 1000;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Query {
    pub(super) before: Option<i64>,
    after: Option<i64>,
    limit: Option<u64>,
    tenant: Option<TenantId>,
}

impl Query {
    pub fn limit(&self) -> Result<u64, ApiError> {
        match self.limit.unwrap_or(LIMIT) {
            limit @ 1..=MAX_LIMIT => Ok(limit),
            _ => {
                let detail = format!("limit must be from 1 to {MAX_LIMIT}");
                Err(ApiError::new(Kind::InvalidQuery, detail))
            }
        }
    }
}

type Plane = State<Arc<ControlPlane>>;
type Answer<T> = Result<Json<Page<T>>, ApiError>;

/// A tenant's messages, newest first.
#[utoipa::path(get, path = "", tag = "tenants", params(Query), responses((status = 200, description = "Messages, newest first.", body = Page<MessageView>)))]
pub async fn messages(
    State(plane): Plane,
    Scope(member): Scope,
    Params(query): Params<Query>,
) -> Answer<MessageView> {
    Ok(Json(plane.store.messages(member.id, query.before, query.limit()?).await?))
}

/// A tenant's events, oldest first.
#[utoipa::path(get, path = "", tag = "events", params(Query), responses((status = 200, description = "Events, oldest first.", body = Page<EventView>)))]
pub async fn events(
    State(plane): Plane,
    Scope(member): Scope,
    Params(query): Params<Query>,
) -> Answer<EventView> {
    let after = query.after.unwrap_or(0);
    Ok(Json(plane.store.events(Some(member.id), after, query.limit()?).await?))
}

/// Every tenant's events, oldest first.
#[utoipa::path(get, path = "", tag = "events", params(Query), responses((status = 200, description = "Events of all tenants, oldest first.", body = Page<EventView>)))]
pub async fn all_events(State(plane): Plane, Params(query): Params<Query>) -> Answer<EventView> {
    let after = query.after.unwrap_or(0);
    Ok(Json(plane.store.events(query.tenant, after, query.limit()?).await?))
}

/// The audit log, newest first.
#[utoipa::path(get, path = "", tag = "audit", params(Query), responses((status = 200, description = "The audit log, newest first.", body = Page<AuditView>)))]
pub async fn audit(State(plane): Plane, Params(query): Params<Query>) -> Answer<AuditView> {
    Ok(Json(plane.store.audit(query.tenant, query.before, query.limit()?).await?))
}
