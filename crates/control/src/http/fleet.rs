//! The fleet at a glance: its numbers, its rows, and both as they change (server-sent events).

#![allow(unused_qualifications, reason = "utoipa's macro repeats the handlers' types")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use api::fleet::{FleetMessage, FleetReset, FleetRows, FleetView};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, stream};
use serde::Deserialize;
use tokio::sync::watch;
use utoipa::IntoParams;

use super::body::Params;
use super::events::LAST_EVENT_ID;
use super::pages::Encoding;
use crate::dashboard::{Changes, Cursor, Dashboard, News};
use crate::places::Place;
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};
use crate::usage;

type Plane = State<Arc<ControlPlane>>;

/// The fleet in numbers, with its last hour.
#[utoipa::path(get, path = "/admin/fleet", tag = "fleet", responses((status = 200, description = "The fleet in numbers, with its last hour.", body = FleetView)))]
pub async fn view(State(plane): Plane) -> Json<FleetView> {
    usage::refresh(&plane).await;
    Json(plane.dashboard.view(&plane))
}

/// All tenants, one short row each.
#[utoipa::path(get, path = "/admin/fleet/tenants", tag = "fleet", responses((status = 200, description = "All tenants, oldest first; compressed for those who accept gzip.", body = FleetRows)))]
pub async fn rows(State(plane): Plane, asked: HeaderMap) -> Result<Response, ApiError> {
    // Nobody waits for figures here: the stream brings them.
    usage::renew(&plane);
    let list = Dashboard::list(&plane).await?;
    let gzip = Encoding::Gzip;
    let is_read = gzip.is_read_by(&asked);
    let bytes = if is_read { &list.gzip } else { &list.plain };
    let mut answer = bytes.clone().into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if is_read {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(gzip.name()));
    }
    Ok(answer)
}

/// Where to go on.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct After {
    /// The cursor of the rows that are known. Without it the stream tells of what changes from now on. A
    /// `Last-Event-ID` header stands before it.
    after: Option<String>,
}

/// The fleet's numbers and rows as they change: at most one message of each kind a second. Events: `rows` with what
/// changed after the cursor, `fleet` with the numbers (without history; `newest` is the newest sample), `reset` when what
/// changed after the cursor is not known any more: fetch all rows anew; the stream goes on. Each message's `id:` is the
/// cursor to go on with.
#[utoipa::path(
    get,
    path = "/admin/fleet/stream",
    tag = "fleet",
    params(After),
    responses(
        (status = 200, description = "A stream of messages; the event's name says which kind `data` is of.", body = FleetMessage, content_type = "text/event-stream"),
        (status = 400, description = "`invalid_query`: the cursor was refused", body = api::Problem),
        (status = 429, description = "`too_many_listeners`", body = api::Problem),
    )
)]
pub async fn follow(
    State(plane): Plane,
    headers: HeaderMap,
    Params(query): Params<After>,
) -> Result<impl IntoResponse, ApiError> {
    let cursor = cursor(&headers, query.after.as_deref())?;
    let place = plane.dashboard.followers.enter(None).map_err(|most| {
        let detail =
            format!("{most} already follow the fleet; end one, or ask for the rows every so often");
        ApiError::new(Kind::TooManyListeners, detail)
    })?;
    usage::renew(&plane);
    let follower = Follower {
        passes: plane.dashboard.passes(),
        plane,
        _place: place,
        cursor,
        shown: Arc::default(),
        waiting: VecDeque::new(),
        began: false,
    };
    Ok(Sse::new(follower.messages()).keep_alive(KeepAlive::default()))
}

fn cursor(headers: &HeaderMap, after: Option<&str>) -> Result<Option<Cursor>, ApiError> {
    let refused = |error: &dyn ToString| ApiError::new(Kind::InvalidQuery, error.to_string());
    let seen = headers.get(LAST_EVENT_ID).map(|id| id.to_str().map_err(|error| refused(&error)));
    let text = seen.transpose()?.or(after);
    text.map(|text| text.parse().map_err(|error| refused(&error))).transpose()
}

/// One who follows the fleet.
struct Follower {
    plane: Arc<ControlPlane>,
    passes: watch::Receiver<u64>,
    _place: Place,
    /// Up to where it has been told.
    cursor: Option<Cursor>,
    /// The numbers that it was told last.
    shown: Arc<FleetView>,
    waiting: VecDeque<Event>,
    began: bool,
}

impl Follower {
    fn messages(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut follower| async move {
            loop {
                if let Some(event) = follower.waiting.pop_front() {
                    return Some((Ok(event), follower));
                }
                if std::mem::replace(&mut follower.began, true) {
                    follower.passes.changed().await.ok()?;
                }
                follower.look();
            }
        })
    }

    fn look(&mut self) {
        let News { changes, cursor, view } = self.plane.dashboard.news(&self.plane, self.cursor);
        self.cursor = Some(cursor);
        // Rows before numbers: whoever is cut off between the two comes back with the cursor of the first.
        match changes {
            Changes::Unknown => self.tell("reset", cursor, |event| event.json_data(FleetReset {})),
            Changes::None => {}
            Changes::Rows(text) => self.tell("rows", cursor, |event| Ok(event.data(text))),
        }
        if self.shown != view {
            self.tell("fleet", cursor, |event| event.json_data(&*view));
            self.shown = view;
        }
    }

    fn tell(
        &mut self,
        name: &str,
        cursor: Cursor,
        with_data: impl FnOnce(Event) -> Result<Event, axum::Error>,
    ) {
        let event = with_data(Event::default().event(name).id(cursor.to_string()));
        let event = event.unwrap_or_else(|error| Event::default().comment(error.to_string()));
        self.waiting.push_back(event);
    }
}

#[cfg(test)]
mod tests;
