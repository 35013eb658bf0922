//! What happens on the network, as server-sent events.

use std::convert::Infallible;

use axum::Router;
use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use axum::routing::get;
use futures::Stream;
use tokio::sync::broadcast::error::RecvError;

use crate::sim::Sim;

pub(super) fn routes() -> Router<Sim> {
    Router::new().route("/events", get(events))
}

/// Everything from now on, one JSON object each. A reader that falls behind is told
/// how many it missed by an event named `missed`.
async fn events(State(sim): State<Sim>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let stop = sim.stopping();
    let stream = futures::stream::unfold((sim.events(), stop), |(mut events, stop)| async move {
        let event = tokio::select! {
            event = events.recv() => event,
            () = stop.cancelled() => return None,
        };
        let event = match event {
            Ok(event) => Event::default().data(serde_json::to_string(&event).unwrap_or_default()),
            Err(RecvError::Lagged(missed)) => {
                Event::default().event("missed").data(missed.to_string())
            }
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(event), (events, stop)))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}
