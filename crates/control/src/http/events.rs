//! The event log, page by page or as it happens (server-sent events).

#![allow(unused_qualifications, reason = "utoipa's macro repeats the handlers' types")]

use std::convert::Infallible;
use std::sync::Arc;

use api::TenantId;
use api::events::{EventView, KindFilter};
use api::records::Page;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt as _, stream};
use serde::Deserialize;
use store::EventSelection;
use utoipa::IntoParams;

use super::body::Params;
use super::records::{LIMIT, MAX_LIMIT};
use super::scope::Scope;
use crate::events::follow;
use crate::fleet::Member;
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

/// What a browser says when it comes back to a stream: the number of the last event that it saw.
pub(super) const LAST_EVENT_ID: &str = "last-event-id";

/// Which events, and how.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// Those after this number. Without it a page begins with the oldest event that is kept, and a stream with what
    /// happens from now on. A `Last-Event-ID` header stands before it.
    after: Option<i64>,
    /// In place of `after`: begin with so many of the newest.
    last: Option<u64>,
    /// The most events on a page: 1 to 1000, else 100.
    limit: Option<u64>,
    /// Kinds and groups of kinds with commas between them: `message.*,worker.stale`.
    kind: Option<String>,
    /// Whether to go on with each event as it happens. `Accept: text/event-stream` means the same.
    #[serde(default)]
    follow: bool,
}

/// The same over all tenants.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FleetQuery {
    /// Of this tenant alone: its id.
    #[param(value_type = Option<uuid::Uuid>)]
    tenant: Option<TenantId>,
    after: Option<i64>,
    last: Option<u64>,
    limit: Option<u64>,
    kind: Option<String>,
    #[serde(default)]
    follow: bool,
}

type Plane = State<Arc<ControlPlane>>;

/// A tenant's events, oldest first.
#[utoipa::path(
    get,
    path = "/admin/tenants/{tenant}/events",
    params(("tenant" = String, Path, description = "The tenant's id or slug"), Query),
    responses(
        (status = 200, description = "A page of events, or with `follow` a stream of them, whose `id:` is `seq`", content(
            (Page<EventView> = "application/json"),
            (EventView = "text/event-stream"),
        )),
        (status = 400, description = "A parameter was refused", body = api::Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many listeners", body = api::Problem, content_type = "application/problem+json"),
    ),
    tag = "events"
)]
pub async fn of_tenant(
    State(plane): Plane,
    Scope(member): Scope,
    headers: HeaderMap,
    Params(query): Params<Query>,
) -> Result<Response, ApiError> {
    let wish = Wish::new(&query, &headers, Some(member.id))?;
    answer(&plane, wish, Some(member)).await
}

/// The events of the tenant whose person asks, oldest first.
#[utoipa::path(
    get,
    path = "/portal/tenant/current/events",
    params(Query),
    responses(
        (status = 200, description = "As for operators", content(
            (Page<EventView> = "application/json"),
            (EventView = "text/event-stream"),
        )),
        (status = 400, description = "A parameter was refused", body = api::Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many listeners", body = api::Problem, content_type = "application/problem+json"),
    ),
    tag = "events"
)]
pub async fn of_current(
    plane: Plane,
    scope: Scope,
    headers: HeaderMap,
    query: Params<Query>,
) -> Result<Response, ApiError> {
    of_tenant(plane, scope, headers, query).await
}

/// Every tenant's events and those of the installation, oldest first.
#[utoipa::path(
    get,
    path = "/admin/events",
    params(FleetQuery),
    responses(
        (status = 200, description = "A page of events, or with `follow` a stream of them, whose `id:` is `seq`", content(
            (Page<EventView> = "application/json"),
            (EventView = "text/event-stream"),
        )),
        (status = 400, description = "A parameter was refused", body = api::Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many listeners", body = api::Problem, content_type = "application/problem+json"),
    ),
    tag = "events"
)]
pub async fn all(
    State(plane): Plane,
    headers: HeaderMap,
    Params(query): Params<FleetQuery>,
) -> Result<Response, ApiError> {
    let FleetQuery { tenant, after, last, limit, kind, follow } = query;
    let wish = Wish::new(&Query { after, last, limit, kind, follow }, &headers, tenant)?;
    answer(&plane, wish, None).await
}

/// What a request asks for, understood.
struct Wish {
    selection: EventSelection,
    from: From,
    limit: u64,
    follow: bool,
}

/// Where to begin.
#[derive(Clone, Copy)]
enum From {
    /// After this number.
    After(i64),
    /// With so many of the newest.
    Last(u64),
    /// Wherever it is usual.
    Anywhere,
}

impl Wish {
    fn new(query: &Query, headers: &HeaderMap, tenant: Option<TenantId>) -> Result<Self, ApiError> {
        let refuse = |detail: String| ApiError::new(Kind::InvalidQuery, detail);
        let kinds = match query.kind.as_deref().map(str::parse::<KindFilter>) {
            Some(kinds) => kinds.map_err(|error| refuse(error.to_string()))?,
            None => KindFilter::default(),
        };
        let most = |number: Option<u64>, name: &str| match number {
            Some(1..=MAX_LIMIT) | None => Ok(number),
            Some(_) => Err(refuse(format!("{name} must be from 1 to {MAX_LIMIT}"))),
        };
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
        let follow = query.follow || accept.is_some_and(|it| it.contains("text/event-stream"));
        let seen = headers.get(LAST_EVENT_ID).filter(|_| follow);
        let after = match seen.map(|id| id.to_str().ok().and_then(|id| id.trim().parse().ok())) {
            Some(None) => {
                let detail = "Last-Event-ID must be the number of an event, as the stream's id: lines say it";
                return Err(refuse(detail.to_owned()));
            }
            Some(after) => after,
            None => query.after,
        };
        let from = match (after, most(query.last, "last")?) {
            (Some(..0), _) => return Err(refuse("after must not be negative".to_owned())),
            (Some(after), _) if seen.is_some() => From::After(after),
            (Some(_), Some(_)) => return Err(refuse("give after or last, not both".to_owned())),
            (Some(after), None) => From::After(after),
            (None, Some(last)) => From::Last(last),
            (None, None) => From::Anywhere,
        };
        let limit = most(query.limit, "limit")?.unwrap_or(LIMIT);
        Ok(Self { selection: EventSelection { tenant, kinds }, from, limit, follow })
    }
}

async fn answer(
    plane: &Arc<ControlPlane>,
    wish: Wish,
    member: Option<Arc<Member>>,
) -> Result<Response, ApiError> {
    if let From::After(after) = wish.from {
        is_given(plane, after).await?;
    }
    if wish.follow {
        return stream_of(plane, wish, member).await;
    }
    let page = match wish.from {
        From::Last(last) => {
            Page { items: plane.store.newest_events(&wish.selection, last).await?, next: None }
        }
        From::After(after) => plane.store.events(&wish.selection, after, wish.limit).await?,
        From::Anywhere => plane.store.events(&wish.selection, 0, wish.limit).await?,
    };
    Ok(Json(page).into_response())
}

/// Refuses a number that no event has had yet: after an older backup was restored, a caller would else wait
/// silently until the numbers have come so far again.
async fn is_given(plane: &ControlPlane, after: i64) -> Result<(), ApiError> {
    let log = plane.recorder.log();
    if after <= log.head() {
        return Ok(());
    }
    match plane.store.event_head().await? {
        head if after <= head => Ok(()),
        head => {
            let detail = format!(
                "the newest event has number {head}; if {after} was one of this log, then an older backup was restored: begin again with after=0"
            );
            Err(ApiError::new(Kind::InvalidQuery, detail))
        }
    }
}

async fn stream_of(
    plane: &Arc<ControlPlane>,
    wish: Wish,
    member: Option<Arc<Member>>,
) -> Result<Response, ApiError> {
    let listening = plane.recorder.log().listen(member.as_ref().map(|member| member.id));
    let listening = listening.map_err(|most| {
        let detail = format!("{most} already follow these events; end one, or ask for pages");
        ApiError::new(Kind::TooManyListeners, detail)
    })?;
    let (first, after) = match wish.from {
        From::After(after) => (Vec::new(), after),
        From::Anywhere => (Vec::new(), plane.store.event_head().await?),
        From::Last(last) => {
            // In this order, so that nothing between the two is left out.
            let head = plane.store.event_head().await?;
            let newest = plane.store.newest_events(&wish.selection, last).await?;
            let after = newest.last().map_or(head, |event| head.max(event.seq));
            (newest.into_iter().map(Arc::new).collect(), after)
        }
    };
    // A tenant that is deleted drops its end of the channel, which ends the stream.
    let alive = member.map(|member| member.subscribe());
    let following = follow(plane.store.clone(), listening, wish.selection, after, alive);
    let events = stream::iter(first).chain(following).map(|event| {
        let told = Event::default().id(event.seq.to_string()).json_data(&*event);
        told.or_else(|error| Ok::<_, Infallible>(Event::default().comment(error.to_string())))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

#[cfg(test)]
mod tests;
