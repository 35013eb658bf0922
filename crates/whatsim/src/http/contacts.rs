//! Contacts and what they say and hear.

use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Body, Failure, Search};
use crate::contact::{Conversation, ReceivedText};
use crate::sim::Sim;

/// Longest wait of one request for a reply.
const WAIT_LIMIT: Duration = Duration::from_secs(60);

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/contacts", post(add))
        .route("/contacts/{phone}/messages", get(messages).post(send_text))
        .route("/contacts/{phone}/messages/{id}/redeliver", post(redeliver))
        .route("/contacts/{phone}/reply", get(reply))
        .route("/contacts/{phone}/corrupt-next", post(corrupt_next))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewContact {
    name: String,
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

async fn add(
    State(sim): State<Sim>,
    body: Body<NewContact>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let Json(new) = body?;
    sim.add_contact(&new.name, &new.phone)?;
    Ok((StatusCode::CREATED, Json(json!({ "name": new.name, "phone": new.phone }))))
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
