//! `/v1/tenants/{tenant}/messages` and `/v1/messages/{message}`: sending, and what became of it.

use std::sync::Arc;

use api::messages::{IDEMPOTENCY_KEY, SendMessage, SentMessage};
use api::problem::FieldError;
use api::records::{Direction, Page};
use api::worker::HeartbeatMode;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::Utc;
use store::{Enqueued, NewOutgoing};

use crate::audit;
use crate::fleet::Member;
use crate::http::body::{Body, Params};
use crate::http::records::Query;
use crate::http::scope::{By, MessageScope, Scope};
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};
use crate::sending::request;

/// So many messages of a tenant may wait to be sent.
const QUEUE: u64 = 10_000;

type Plane = State<Arc<ControlPlane>>;

/// Accepts a message: 202, or 200 when the same request was accepted before.
#[utoipa::path(post, path = "", tag = "sending", params(("Idempotency-Key" = String, Header, description = "A text of your own for this message; the same again when the request is repeated.")), request_body = SendMessage, responses((status = 200, description = "The same request was accepted before.", body = SentMessage), (status = 202, description = "It is accepted, and will be sent.", body = SentMessage), (status = 409, description = "`worker_without_link`", body = api::Problem)))]
pub async fn send(
    State(plane): Plane,
    By(actor): By,
    Scope(member): Scope,
    headers: HeaderMap,
    Body(wish): Body<SendMessage>,
) -> Result<(StatusCode, Json<SentMessage>), ApiError> {
    let new = checked(&plane, &member, &headers, &wish).await?;
    // Neither the text nor the recipient: entries are kept for good, also when the tenant is deleted.
    let detail = format!("message {}", new.message.send_id);
    let audit = audit::entry(&actor, "message.send", member.id, detail);
    match plane.store.enqueue(&new, audit, QUEUE).await? {
        Enqueued::New(message) => {
            tracing::info!(tenant = %member.id, id = %message.id, %actor, "accepted a message from outside");
            member.sends.send_replace(());
            Ok((StatusCode::ACCEPTED, Json(message)))
        }
        Enqueued::Same(message) => Ok((StatusCode::OK, Json(message))),
        Enqueued::KeyTaken(earlier) => {
            let detail = format!(
                "the Idempotency-Key {:?} was used for another message ({}); give each message its own key, and repeat a key only with the same body",
                new.key, earlier.id
            );
            Err(ApiError::new(Kind::IdempotencyKeyReused, detail))
        }
        Enqueued::Full => {
            let detail = format!(
                "{QUEUE} messages of this tenant wait to be sent already; try again when some are (GET /v1/tenants/{}/messages), and see whether its worker is connected",
                member.id
            );
            plane.limit_hit(&member, "queue_full", &detail);
            Err(ApiError::new(Kind::QueueFull, detail))
        }
        Enqueued::NoUpload => {
            Err(no_upload("has a message already, or was deleted; upload the file again"))
        }
    }
}

/// Understands a request; nothing is stored yet.
async fn checked(
    plane: &ControlPlane,
    member: &Member,
    headers: &HeaderMap,
    wish: &SendMessage,
) -> Result<NewOutgoing, ApiError> {
    let key = idempotency_key(headers)?;
    if member.snapshot().record.config.heartbeat == HeartbeatMode::Process {
        let detail = "this tenant's own program does not use the worker link, and so cannot be told to send; let it use the link (docs/worker-contract.md) and set heartbeat to \"link\"";
        return Err(ApiError::new(Kind::WorkerWithoutLink, detail));
    }
    let mut message = request::message(wish, Utc::now()).map_err(ApiError::fields)?;
    let upload = wish.media.as_ref().and_then(|media| media.upload);
    let upload_hash =
        match upload {
            None => None,
            Some(id) => Some(plane.store.upload_hash(member.id, id).await?.ok_or_else(|| {
                no_upload("is not known; give the id that POST …/media answered")
            })?),
        };
    if let Some(quoted) = &mut message.reply_to
        && let Some(logged) = plane.store.logged_message(member.id, &quoted.message_id).await?
    {
        quoted.text = logged.text;
        quoted.from_me = Some(logged.direction == Direction::Out);
    }
    let request_hash = request::hash(wish, upload_hash.as_deref());
    Ok(NewOutgoing { tenant: member.id, key, request_hash, message, upload })
}

fn idempotency_key(headers: &HeaderMap) -> Result<String, ApiError> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        let detail = "give the header Idempotency-Key: a text of your own for this message, such as an order's number or a UUID, and the same again when you repeat the request; so a repeated request sends nothing twice";
        return Err(ApiError::new(Kind::IdempotencyKeyMissing, detail));
    };
    request::key(value.to_str().unwrap_or_default()).map_err(|message| {
        ApiError::fields(vec![FieldError { field: "Idempotency-Key".to_owned(), message }])
    })
}

fn no_upload(message: &str) -> ApiError {
    let message = message.to_owned();
    ApiError::fields(vec![FieldError { field: "media.upload".to_owned(), message }])
}

/// A tenant's messages from outside, newest first.
#[utoipa::path(get, path = "", tag = "sending", params(Query), responses((status = 200, description = "Messages from outside, newest first.", body = Page<SentMessage>)))]
pub async fn list(
    State(plane): Plane,
    Scope(member): Scope,
    Params(query): Params<Query>,
) -> Result<Json<Page<SentMessage>>, ApiError> {
    Ok(Json(plane.store.sent_messages(member.id, query.before, query.limit()?).await?))
}

/// One of them.
#[utoipa::path(get, path = "", tag = "sending", responses((status = 200, description = "The message.", body = SentMessage)))]
pub async fn show(MessageScope(message): MessageScope) -> Json<SentMessage> {
    Json(*message)
}
