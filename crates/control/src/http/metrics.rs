//! `/metrics`: the control plane in numbers, for Prometheus.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::metrics;
use crate::plane::ControlPlane;

/// All metrics in Prometheus' text format.
#[utoipa::path(
    get,
    path = "/metrics",
    responses((status = 200, description = "Metrics in Prometheus' text format", body = String, content_type = "text/plain")),
    tag = "health"
)]
pub async fn scrape(State(plane): State<Arc<ControlPlane>>) -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, metrics::page(&plane).await)
}

#[cfg(test)]
mod tests;
