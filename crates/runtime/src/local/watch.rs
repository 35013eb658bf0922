//! The supervisor's events as ours, across connections.

use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt};
use supervisor::client::ClientError;
use supervisor::wire::Event;

use super::connection::Connection;
use super::conversion::{is_worker, observed};
use crate::RuntimeEvent;

/// Pause after a failed attempt to connect; grows twofold up to the second one.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

type Events = BoxStream<'static, Result<Event, ClientError>>;

/// Where a watch has got to.
enum State {
    /// Not connected; the next attempt comes after this pause.
    Apart { pause: Duration },
    /// Connected.
    Together { events: Events },
}

pub(super) fn watch(connection: Connection) -> BoxStream<'static, RuntimeEvent> {
    let begin = State::Apart { pause: Duration::ZERO };
    stream::unfold((connection, begin, false), |(connection, state, told_lost)| async move {
        let (event, state, told_lost) = next(&connection, state, told_lost).await;
        Some((event, (connection, state, told_lost)))
    })
    .boxed()
}

async fn next(
    connection: &Connection,
    mut state: State,
    mut told_lost: bool,
) -> (RuntimeEvent, State, bool) {
    loop {
        match state {
            State::Apart { pause } => {
                tokio::time::sleep(pause).await;
                match connect(connection).await {
                    Ok(events) => state = State::Together { events },
                    Err(reason) => {
                        state = State::Apart { pause: (pause * 2).clamp(PAUSE.0, PAUSE.1) };
                        // Once is enough, however long it lasts.
                        if !std::mem::replace(&mut told_lost, true) {
                            return (RuntimeEvent::Lost(reason), state, told_lost);
                        }
                    }
                }
            }
            State::Together { mut events } => match events.next().await {
                Some(Ok(event)) => {
                    state = State::Together { events };
                    if let Some(event) = translate(event) {
                        return (event, state, false);
                    }
                }
                Some(Err(error)) => {
                    tracing::debug!(%error, "the supervisor's events broke off");
                    state = State::Apart { pause: PAUSE.0 };
                }
                None => state = State::Apart { pause: PAUSE.0 },
            },
        }
    }
}

async fn connect(connection: &Connection) -> Result<Events, String> {
    connection.ensure().await.map_err(|error| error.to_string())?;
    connection.client().events().await.map_err(|error| error.to_string())
}

fn translate(event: Event) -> Option<RuntimeEvent> {
    match event {
        Event::Sync(views) => {
            let workers = views.iter().filter(|view| is_worker(view)).map(observed);
            Some(RuntimeEvent::Sync(workers.collect()))
        }
        Event::Process(view) => {
            is_worker(&view).then(|| RuntimeEvent::Changed(Box::new(observed(&view))))
        }
        // Whether it was a worker cannot be told any more; an unknown name does no harm.
        Event::Gone(gone) => Some(RuntimeEvent::Gone(gone.name)),
    }
}
