//! `/admin/tenants/{tenant}/worker/{start|stop|restart|force-restart|migrate}`.

use std::sync::Arc;
use std::time::Duration;

use api::worker::{LifecycleAction, LifecycleAnswer, Migrate};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::config::Settings;
use crate::http::body::{Body, Params};
use crate::http::scope::{By, Scope};
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};
use crate::{lifecycle, migration};

/// The longest time that a caller may have us wait, in seconds.
const MAX_WAIT: f64 = 300.0;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Query {
    wait: Option<f64>,
}

type Plane = State<Arc<ControlPlane>>;

macro_rules! actions {
    ($($name:ident = $action:ident),*) => {$(
        /// Has the worker started, stopped or restarted, and waits until it is so.
        #[utoipa::path(post, path = "", tag = "worker", params(Query), responses(
            (status = 200, description = "It is so.", body = LifecycleAnswer),
            (status = 202, description = "It is under way.", body = LifecycleAnswer),
            (status = 409, description = "`worker_already_running`, `worker_not_running`, `lifecycle_busy`", body = api::Problem),
            (status = 502, description = "`worker_start_failed`, `worker_stop_failed`", body = api::Problem),
        ))]
        pub async fn $name(
            State(plane): Plane,
            operator: By,
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
    By(actor): By,
    Scope(member): &Scope,
    query: &Query,
    action: LifecycleAction,
) -> Result<Response, ApiError> {
    let wait = wait(&plane.settings, query)?;
    Ok(response(lifecycle::act(plane, member, action, actor, wait).await?))
}

/// `POST …/worker/migrate`: to another runtime.
#[utoipa::path(post, path = "", tag = "worker", params(Query), request_body = Migrate, responses((status = 200, description = "It runs there.", body = LifecycleAnswer), (status = 202, description = "It is under way.", body = LifecycleAnswer), (status = 409, description = "`lifecycle_busy`", body = api::Problem), (status = 502, description = "`worker_start_failed`, `worker_stop_failed`", body = api::Problem)))]
pub async fn migrate(
    State(plane): Plane,
    By(actor): By,
    Scope(member): Scope,
    Params(query): Params<Query>,
    Body(wish): Body<Migrate>,
) -> Result<Response, ApiError> {
    let wait = wait(&plane.settings, &query)?;
    Ok(response(migration::migrate(&plane, &member, wish.to, actor, wait).await?))
}

fn wait(settings: &Settings, query: &Query) -> Result<Duration, ApiError> {
    match query.wait {
        None => Ok(settings.lifecycle_wait),
        Some(wait) if (0.0..=MAX_WAIT).contains(&wait) => Ok(Duration::from_secs_f64(wait)),
        Some(_) => {
            let detail = format!("wait must be from 0 to {MAX_WAIT} seconds");
            Err(ApiError::new(Kind::InvalidQuery, detail))
        }
    }
}

/// What was asked for is written and under way, but not yet seen: 202.
fn response(answer: LifecycleAnswer) -> Response {
    let status = if answer.success { StatusCode::OK } else { StatusCode::ACCEPTED };
    (status, Json(answer)).into_response()
}
