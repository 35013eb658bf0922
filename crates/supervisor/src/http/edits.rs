//! What is asked of one process without ending it, and its description.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::{HttpError, Shared, parse};
use crate::engine::{Edit, Target};
use crate::wire::{ProcessSpec, SignalRequest};

pub(super) async fn spec(
    State(served): Shared,
    Path(target): Path<String>,
) -> Result<Json<ProcessSpec>, HttpError> {
    let target = Target::Text(target);
    let specs = served.engine.specs(Some(target)).await?;
    let spec = specs.into_iter().next().map(|(_, spec)| Json(spec));
    spec.ok_or_else(HttpError::not_found)
}

pub(super) async fn specs(
    State(served): Shared,
) -> Result<Json<Vec<(u32, ProcessSpec)>>, HttpError> {
    Ok(Json(served.engine.specs(None).await?))
}

pub(super) async fn signal(
    State(served): Shared,
    Path(target): Path<String>,
    body: Bytes,
) -> Result<StatusCode, HttpError> {
    let request: SignalRequest = parse(&body)?;
    served.engine.edit(Target::Text(target), Edit::Signal(request.signal)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn stdin(
    State(served): Shared,
    Path(target): Path<String>,
    body: Bytes,
) -> Result<StatusCode, HttpError> {
    served.engine.edit(Target::Text(target), Edit::Input(body.to_vec())).await?;
    Ok(StatusCode::NO_CONTENT)
}
