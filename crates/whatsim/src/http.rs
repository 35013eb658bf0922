//! The simulator's HTTP interface: the same operations as the Rust handle, in JSON, and a page to do
//! them by hand.

mod accounts;
mod contacts;
mod events;
mod groups;
mod network;
mod origin;
mod panel;
mod presence;

use std::time::Duration;

use axum::extract::Query;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, middleware};
use serde::Serialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::error::SimError;
use crate::sim::Sim;

/// How long requests under way may still take once the network stops.
const GRACE: Duration = Duration::from_secs(1);

/// Serves the interface until the network stops.
pub(crate) async fn serve(listener: TcpListener, sim: Sim, stop: CancellationToken) {
    let stopping = stop.clone().cancelled_owned();
    let server = axum::serve(listener, router(sim)).with_graceful_shutdown(stopping);
    let out_of_patience = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = server => {
            if let Err(error) = served {
                tracing::error!(%error, "the HTTP interface failed");
            }
        }
        () = out_of_patience => {}
    }
}

fn router(sim: Sim) -> Router {
    Router::new()
        .merge(network::routes())
        .merge(accounts::routes())
        .merge(contacts::routes())
        .merge(groups::routes())
        .merge(presence::routes())
        .merge(events::routes())
        .merge(panel::routes())
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(origin::guard))
        .with_state(sim)
}

async fn unknown_route() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "unknown_route", "there is no such route")
}

async fn wrong_method() -> Failure {
    Failure::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong_method",
        "this route does not know the method",
    )
}

/// A JSON body; its faults are answered like any other.
type Body<T> = Result<Json<T>, JsonRejection>;

/// A query string; its faults are answered like any other.
type Search<T> = Result<Query<T>, QueryRejection>;

/// The id of a message that was sent.
#[derive(Serialize)]
struct MessageId {
    id: String,
}

/// An error as `{"code": …, "message": …}`.
struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = json!({ "code": self.code, "message": self.message });
        (self.status, Json(body)).into_response()
    }
}

impl From<SimError> for Failure {
    fn from(error: SimError) -> Self {
        let status = match &error {
            SimError::InvalidPhone(_)
            | SimError::MalformedQr(_)
            | SimError::InvalidFault(_)
            | SimError::EmptyGroup
            | SimError::InvalidKey(_) => StatusCode::BAD_REQUEST,
            SimError::UnknownAccount(_)
            | SimError::UnknownContact(_)
            | SimError::UnknownGroup(_)
            | SimError::UnknownMessage(_) => StatusCode::NOT_FOUND,
            SimError::NumberTaken(_)
            | SimError::NotAMember(_)
            | SimError::NotLinked(_)
            | SimError::NotConnected(_)
            | SimError::PairingRefused { .. }
            | SimError::PairingAbandoned
            | SimError::PasskeyNeeded
            | SimError::AlreadyPaired(_) => StatusCode::CONFLICT,
            SimError::QrExpired | SimError::CodeExpired => StatusCode::GONE,
            SimError::WrongCode => StatusCode::FORBIDDEN,
            SimError::Media(_) => StatusCode::UNPROCESSABLE_ENTITY,
            SimError::QueueFull(_) => StatusCode::TOO_MANY_REQUESTS,
            SimError::TimedOut(_) => StatusCode::REQUEST_TIMEOUT,
            SimError::Session(_) | SimError::Signal(_) | SimError::Io { .. } => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl From<PathRejection> for Failure {
    fn from(rejection: PathRejection) -> Self {
        Self::new(rejection.status(), "invalid_path", rejection.body_text())
    }
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), "invalid_body", rejection.body_text())
    }
}

impl From<QueryRejection> for Failure {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status(), "invalid_query", rejection.body_text())
    }
}
