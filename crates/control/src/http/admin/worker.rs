//! `/admin/tenants/{tenant}/worker/{start|stop|restart|force-restart}`.

use std::sync::Arc;
use std::time::Duration;

use api::worker::LifecycleAction;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::http::body::Params;
use crate::http::scope::{Operator, Scope};
use crate::lifecycle;
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

/// The longest time that a caller may have us wait, in seconds.
const MAX_WAIT: f64 = 300.0;

#[derive(Deserialize)]
pub(super) struct Query {
    wait: Option<f64>,
}

type Plane = State<Arc<ControlPlane>>;

macro_rules! actions {
    ($($name:ident = $action:ident),*) => {$(
        pub(super) async fn $name(
            State(plane): Plane,
            operator: Operator,
            scope: Scope,
            Params(query): Params<Query>,
        ) -> Result<Response, ApiError> {
            act(&plane, operator, &scope, &query, LifecycleAction::$action).await
        }
    )*};
}

actions!(start = Start, stop = Stop, restart = Restart, force_restart = ForceRestart);

async fn act(
    plane: &Arc<ControlPlane>,
    Operator(actor): Operator,
    Scope(member): &Scope,
    query: &Query,
    action: LifecycleAction,
) -> Result<Response, ApiError> {
    let wait = match query.wait {
        None => plane.settings.lifecycle_wait,
        Some(wait) if (0.0..=MAX_WAIT).contains(&wait) => Duration::from_secs_f64(wait),
        Some(_) => {
            let detail = format!("wait must be from 0 to {MAX_WAIT} seconds");
            return Err(ApiError::new(Kind::InvalidQuery, detail));
        }
    };
    let answer = lifecycle::act(plane, member, action, actor, wait).await?;
    // What was asked for is written and under way, but not yet seen: 202.
    let status = if answer.success { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(answer)).into_response())
}
