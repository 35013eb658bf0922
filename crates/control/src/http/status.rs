//! `…/status`: a tenant at a glance.

use std::sync::Arc;

use api::records::StatusView;
use axum::Json;
use axum::extract::State;

use super::scope::Scope;
use crate::fleet::view;
use crate::plane::ControlPlane;
use crate::usage;

/// The tenant at a glance.
#[utoipa::path(get, path = "", tag = "tenants", responses((status = 200, description = "The tenant at a glance.", body = StatusView)))]
pub async fn status(
    State(plane): State<Arc<ControlPlane>>,
    Scope(member): Scope,
) -> Json<StatusView> {
    usage::refresh(&plane).await;
    Json(member.read(view::status))
}
