//! `/health`: is the process well. `/ready`: can it do its work.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::records::HealthView;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use crate::plane::ControlPlane;

/// A part that takes longer than this to answer is ill.
const PATIENCE: Duration = Duration::from_secs(2);

async fn look(plane: &ControlPlane) -> HealthView {
    let mut parts = BTreeMap::new();
    let said = |outcome: Result<(), String>| outcome.err().unwrap_or_else(|| "ok".to_owned());
    let store = plane.store.ping().await.map_err(|error| error.to_string());
    parts.insert("store".to_owned(), said(store));
    for kind in plane.runtimes.used() {
        let runtime = plane.runtimes.get(kind);
        let runtime = match tokio::time::timeout(PATIENCE, runtime.health()).await {
            Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
            Ok(Err(error)) => Err(error.to_string()),
            Ok(Ok(_)) if !plane.fleet.may_act(kind) => {
                Err("not all workers are known yet".to_owned())
            }
            Ok(Ok(_)) => Ok(()),
        };
        parts.insert(format!("runtime_{kind}"), said(runtime));
    }
    let well = parts.values().all(|part| part == "ok");
    HealthView {
        status: if well { "ok" } else { "degraded" }.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        parts,
    }
}

/// Answers 200 as long as the process can answer: a monitor that restarts the control plane because
/// its database is away would make things worse.
#[utoipa::path(get, path = "", tag = "health", responses((status = 200, description = "The process answers; the parts say how they are.", body = HealthView)))]
pub async fn health(State(plane): State<Arc<ControlPlane>>) -> impl IntoResponse {
    Json(look(&plane).await)
}

/// Answers 503 while a part is ill.
#[utoipa::path(get, path = "", tag = "health", responses((status = 200, description = "Everything works.", body = HealthView), (status = 503, description = "A part is ill; the body says which.", body = HealthView)))]
pub async fn ready(State(plane): State<Arc<ControlPlane>>) -> impl IntoResponse {
    let view = look(&plane).await;
    let status = if view.status == "ok" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(view))
}
