//! The simulator's HTTP interface: the same operations as the Rust handle, in JSON.

use std::time::Duration;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::account::AccountState;
use crate::contact::{Conversation, ReceivedText};
use crate::error::SimError;
use crate::pairing::LinkedDevice;
use crate::sim::{Sim, SimState};

/// Longest wait of one request for a reply.
const WAIT_LIMIT: Duration = Duration::from_secs(60);

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
        .route("/state", get(state))
        .route("/accounts", post(add_account))
        .route("/accounts/{phone}", get(account))
        .route("/accounts/{phone}/{fault}", post(account_fault))
        .route("/contacts", post(add_contact))
        .route("/contacts/{phone}/messages", get(messages).post(send_text))
        .route("/contacts/{phone}/messages/{id}/redeliver", post(redeliver))
        .route("/contacts/{phone}/reply", get(reply))
        .route("/contacts/{phone}/corrupt-next", post(corrupt_next))
        .route("/scan", post(scan))
        .route("/network", post(network))
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .with_state(sim)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    phone: String,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewContact {
    name: String,
    phone: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scan {
    qr: String,
    phone: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewText {
    to: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkChange {
    refuse: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyWait {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    wait_ms: u64,
}

#[derive(Serialize)]
struct MessageId {
    id: String,
}

async fn state(State(sim): State<Sim>) -> Json<SimState> {
    Json(sim.state())
}

async fn add_account(
    State(sim): State<Sim>,
    body: Body<NewAccount>,
) -> Result<(StatusCode, Json<AccountState>), Failure> {
    let Json(new) = body?;
    match new.name {
        Some(name) => sim.add_named_account(&new.phone, &name)?,
        None => sim.add_account(&new.phone)?,
    }
    Ok((StatusCode::CREATED, Json(sim.account(&new.phone)?)))
}

async fn account(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
) -> Result<Json<AccountState>, Failure> {
    Ok(Json(sim.account(&phone)?))
}

async fn account_fault(
    State(sim): State<Sim>,
    Path((phone, fault)): Path<(String, String)>,
) -> Result<Json<AccountState>, Failure> {
    match fault.as_str() {
        "cut" => sim.cut(&phone)?,
        "stall" => sim.stall(&phone)?,
        "resume" => sim.resume(&phone)?,
        "replace" => sim.replace(&phone)?,
        "logout" => sim.logout(&phone)?,
        _ => return Err(unknown_route().await),
    }
    Ok(Json(sim.account(&phone)?))
}

async fn add_contact(
    State(sim): State<Sim>,
    body: Body<NewContact>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let Json(new) = body?;
    sim.add_contact(&new.name, &new.phone)?;
    Ok((StatusCode::CREATED, Json(json!({ "name": new.name, "phone": new.phone }))))
}

async fn scan(State(sim): State<Sim>, body: Body<Scan>) -> Result<Json<LinkedDevice>, Failure> {
    let Json(scan) = body?;
    Ok(Json(sim.scan(&scan.qr, &scan.phone).await?))
}

async fn messages(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
) -> Result<Json<Conversation>, Failure> {
    Ok(Json(sim.messages(&phone)?))
}

async fn send_text(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
    body: Body<NewText>,
) -> Result<(StatusCode, Json<MessageId>), Failure> {
    let Json(new) = body?;
    let id = sim.send_text(&phone, &new.to, &new.text)?;
    Ok((StatusCode::CREATED, Json(MessageId { id })))
}

async fn redeliver(
    State(sim): State<Sim>,
    Path((phone, id)): Path<(String, String)>,
) -> Result<Json<MessageId>, Failure> {
    sim.redeliver(&phone, &id)?;
    Ok(Json(MessageId { id }))
}

async fn reply(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
    search: Search<ReplyWait>,
) -> Result<Json<ReceivedText>, Failure> {
    let Query(wait) = search?;
    let limit = Duration::from_millis(wait.wait_ms).min(WAIT_LIMIT);
    Ok(Json(sim.wait_for_reply(&phone, wait.after, limit).await?))
}

async fn corrupt_next(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
) -> Result<StatusCode, Failure> {
    sim.corrupt_next(&phone)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn network(
    State(sim): State<Sim>,
    body: Body<NetworkChange>,
) -> Result<Json<SimState>, Failure> {
    let Json(change) = body?;
    sim.refuse_connections(change.refuse);
    Ok(Json(sim.state()))
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
            | SimError::InvalidKey(_) => StatusCode::BAD_REQUEST,
            SimError::UnknownAccount(_)
            | SimError::UnknownContact(_)
            | SimError::UnknownMessage(_) => StatusCode::NOT_FOUND,
            SimError::NumberTaken(_)
            | SimError::NotLinked(_)
            | SimError::NotConnected(_)
            | SimError::PairingRefused { .. }
            | SimError::PairingAbandoned
            | SimError::AlreadyPaired(_) => StatusCode::CONFLICT,
            SimError::QrExpired => StatusCode::GONE,
            SimError::QueueFull(_) => StatusCode::TOO_MANY_REQUESTS,
            SimError::TimedOut(_) => StatusCode::REQUEST_TIMEOUT,
            SimError::Session(_) | SimError::Signal(_) | SimError::Io { .. } => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self::new(status, error.code(), error.to_string())
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
