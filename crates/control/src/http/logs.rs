//! `…/logs`: what a worker's process wrote, the last lines or as it comes.

use std::convert::Infallible;
use std::sync::Arc;

use api::records::LogView;
use axum::Json;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use runtime::RuntimeError;
use serde::{Deserialize, Serialize};

use super::body::Params;
use super::scope::Scope;
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

/// Lines that are sent when the caller does not say; the number that `pm2 logs` has.
const TAIL: usize = 15;
/// The most lines in one answer.
const MAX_TAIL: usize = 10_000;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Query {
    tail: Option<usize>,
    #[serde(default)]
    follow: bool,
}

#[derive(Serialize)]
struct Line {
    line: String,
}

/// The last lines, or with `follow` each line as it comes.
#[utoipa::path(get, path = "", tag = "tenants", params(Query), responses((status = 200, description = "The last lines, or with `follow` each line as it comes.", content((LogView = "application/json"), (String = "text/event-stream"))), (status = 404, description = "`no_log`: there is nothing to follow yet.", body = api::Problem)))]
pub async fn logs(
    State(plane): State<Arc<ControlPlane>>,
    Scope(member): Scope,
    Params(query): Params<Query>,
) -> Result<Response, ApiError> {
    let tail = query.tail.unwrap_or(TAIL);
    if tail > MAX_TAIL {
        let detail = format!("tail may be at most {MAX_TAIL}");
        return Err(ApiError::new(Kind::InvalidQuery, detail));
    }
    if !query.follow {
        let lines = match plane.runtime_of(&member).log_tail(&member.worker_name, tail).await {
            Ok(lines) => lines,
            Err(RuntimeError::Unknown { .. }) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        return Ok(Json(LogView { lines }).into_response());
    }
    let lines = match plane.runtime_of(&member).log_follow(&member.worker_name, tail).await {
        Ok(lines) => lines,
        Err(RuntimeError::Unknown { .. }) => {
            let detail = "the worker has not been started yet, so there is nothing to follow";
            return Err(ApiError::new(Kind::NoLog, detail));
        }
        Err(error) => return Err(error.into()),
    };
    let events = lines.map(|line| {
        Event::default()
            .json_data(Line { line })
            .or_else(|error| Ok::<_, Infallible>(Event::default().comment(error.to_string())))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}
