//! `…/session/events`: the session and its codes as they change.

use std::convert::Infallible;

use api::session::{SessionEvent, SessionView};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{StreamExt, future};
use tokio_stream::wrappers::WatchStream;

use super::qr;
use super::scope::Scope;
use crate::fleet::{Snapshot, view};

/// The present state, and each that differs from the one before. What only grows older between two
/// heartbeats is no change, and is left out.
#[utoipa::path(get, path = "", tag = "session", responses((status = 200, description = "The session and its code, now and whenever they change; `data` is a SessionEvent.", body = SessionEvent, content_type = "text/event-stream")))]
pub async fn follow(Scope(member): Scope) -> impl IntoResponse {
    let mut last = None;
    let changes = WatchStream::new(member.subscribe()).filter_map(move |snapshot| {
        let event = event(&snapshot);
        let changed = last.as_ref() != Some(&event);
        last = Some(event.clone());
        future::ready(changed.then_some(event))
    });
    // A tenant that is deleted drops its end of the channel, which ends the stream.
    drop(member);
    let events = changes.filter_map(async |event| {
        Some(Ok::<_, Infallible>(Event::default().json_data(event).ok()?))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

fn event(snapshot: &Snapshot) -> SessionEvent {
    let session = SessionView { last_frame_age_ms: None, ..view::session(snapshot) };
    SessionEvent { session, qr: qr::waiting(snapshot) }
}
