//! Log lines, at once or as they come.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream, StreamExt};
use serde::Deserialize;
use tokio::sync::watch;

use super::{HttpError, KEEP_ALIVE, Shared, parse_query};
use crate::engine::{LogSource, Target};
use crate::tail::{self, Follower};
use crate::wire::{LogLine, LogLines};

/// Lines that are shown when nobody says how many.
const DEFAULT_TAIL: usize = 15;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogQuery {
    tail: Option<usize>,
    #[serde(default)]
    follow: bool,
}

pub(super) async fn logs(
    State(served): Shared,
    Path(target): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, HttpError> {
    let query: LogQuery = parse_query(query.as_deref())?;
    let count = query.tail.unwrap_or(DEFAULT_TAIL);
    if count > tail::MAX_LINES {
        return Err(HttpError::bad_request("tail: must be at most 10000"));
    }
    let source = served.engine.logs(Target::Text(target)).await?;
    if !query.follow {
        let spec = source.spec;
        let lines = tokio::task::spawn_blocking(move || tail::last_lines(&spec, count)).await;
        let lines = lines.map_err(io::Error::other).and_then(|lines| lines);
        let lines = lines.map_err(|error| unreadable(&error))?;
        return Ok(Json(LogLines { lines }).into_response());
    }
    let lines = follow(source, count).map_err(|error| unreadable(&error))?;
    let events = lines
        .map(|line| Ok::<_, Infallible>(SseEvent::default().json_data(line).unwrap_or_default()))
        .take_until(served.shutdown.clone().cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

fn unreadable(error: &io::Error) -> HttpError {
    HttpError::bad_request(&format!("the log cannot be read: {error}"))
}

/// Where a listener has got to.
struct Following {
    followers: Vec<Follower>,
    ready: VecDeque<LogLine>,
    pulse: watch::Receiver<u64>,
}

/// The last lines, then each that is added. Ends when the process is forgotten or its file unreadable.
fn follow(source: LogSource, count: usize) -> io::Result<impl Stream<Item = LogLine>> {
    let mut following =
        Following { followers: Vec::new(), ready: VecDeque::new(), pulse: source.pulse };
    // Marked as seen before the first look: what comes later is a new pulse.
    following.pulse.mark_unchanged();
    for (path, stream) in tail::files(&source.spec) {
        let (follower, before) = Follower::start(path, stream, count)?;
        following.followers.push(follower);
        following.ready.extend(before);
    }
    Ok(stream::unfold(following, |mut following| async move {
        loop {
            if let Some(line) = following.ready.pop_front() {
                return Some((line, following));
            }
            if following.read_more().ok()? {
                continue;
            }
            following.pulse.changed().await.ok()?;
        }
    }))
}

impl Following {
    /// Reads one piece of each file; whether there may be more.
    fn read_more(&mut self) -> io::Result<bool> {
        let mut any = false;
        for follower in &mut self.followers {
            let (lines, more) = follower.read_more()?;
            self.ready.extend(lines);
            any |= more;
        }
        Ok(any)
    }
}
