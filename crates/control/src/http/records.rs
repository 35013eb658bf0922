//! The message log, page by page.

use std::sync::Arc;

use api::records::{MessageView, Page};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::body::Params;
use super::scope::Scope;
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

/// Records on a page when the caller does not say.
pub(super) const LIMIT: u64 = 100;
/// The most records on a page.
pub(super) const MAX_LIMIT: u64 = 1000;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Query {
    pub(super) before: Option<i64>,
    limit: Option<u64>,
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
