//! Contacts and what they say and hear.

use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Failure, MessageId, Search};
use crate::contact::{Conversation, ReceivedText};
use crate::media::{Media, MediaFlaw, MediaKind};
use crate::sim::Sim;

/// Longest wait of one request for a reply.
const WAIT_LIMIT: Duration = Duration::from_secs(60);

/// Largest request: a file of the default limit in base64.
const BODY_LIMIT: usize = 96 << 20;

pub(super) fn routes() -> Router<Sim> {
    Router::new()
        .route("/contacts", post(add))
        .route("/contacts/{phone}/messages", get(messages).post(send_text))
        .route("/contacts/{phone}/media", post(send_media))
        .route("/contacts/{phone}/reactions", post(react))
        .route("/contacts/{phone}/raw", post(send_raw))
        .route("/contacts/{phone}/received/{index}/file", get(received_file))
        .route("/contacts/{phone}/messages/{id}/redeliver", post(redeliver))
        .route("/contacts/{phone}/reply", get(reply))
        .route("/contacts/{phone}/corrupt-next", post(corrupt_next))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
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

/// A file from a contact.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMedia {
    to: String,
    kind: MediaKind,
    /// The content in base64.
    data: String,
    mime_type: Option<String>,
    caption: Option<String>,
    file_name: Option<String>,
    flaw: Option<MediaFlaw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewReaction {
    to: String,
    message: String,
    emoji: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMessage {
    to: String,
    /// An encoded `Message` in base64.
    message: String,
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

async fn send_media(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
    body: Body<NewMedia>,
) -> Result<(StatusCode, Json<MessageId>), Failure> {
    let Json(new) = body?;
    let usual = Media::new(new.kind, decoded(&new.data)?);
    let media = Media {
        mime_type: new.mime_type.unwrap_or(usual.mime_type),
        caption: new.caption,
        file_name: new.file_name,
        flaw: new.flaw,
        ..usual
    };
    let id = sim.send_media(&phone, &new.to, &media)?;
    Ok((StatusCode::CREATED, Json(MessageId { id })))
}

async fn react(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
    body: Body<NewReaction>,
) -> Result<(StatusCode, Json<MessageId>), Failure> {
    let Json(new) = body?;
    let id = sim.react(&phone, &new.to, &new.message, &new.emoji)?;
    Ok((StatusCode::CREATED, Json(MessageId { id })))
}

async fn send_raw(
    State(sim): State<Sim>,
    Path(phone): Path<String>,
    body: Body<RawMessage>,
) -> Result<(StatusCode, Json<MessageId>), Failure> {
    let Json(raw) = body?;
    let id = sim.send_raw(&phone, &raw.to, decoded(&raw.message)?)?;
    Ok((StatusCode::CREATED, Json(MessageId { id })))
}

async fn received_file(
    State(sim): State<Sim>,
    path: Result<Path<(String, u64)>, PathRejection>,
) -> Result<Vec<u8>, Failure> {
    let Path((phone, index)) = path?;
    Ok(sim.received_media(&phone, index)?)
}

fn decoded(base64: &str) -> Result<Vec<u8>, Failure> {
    BASE64_STANDARD.decode(base64).map_err(|error| {
        Failure::new(StatusCode::BAD_REQUEST, "invalid_body", format!("not base64: {error}"))
    })
}
