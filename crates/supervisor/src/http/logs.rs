//! Log lines, at once or as they come.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream, StreamExt};
use serde::{Deserialize, Serialize};

use super::{HttpError, KEEP_ALIVE, Served, Shared, parse_query};
use crate::engine::{LogSource, Target};
use crate::pulse::Listener;
use crate::tail::{self, Follower};
use crate::wire::{LogLine, LogLines, ProcessLine};

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
    let count = checked_tail(query.tail)?;
    let source = served.engine.logs(Target::Text(target)).await?;
    if !query.follow {
        let lines = last_lines(source, count).await?;
        return Ok(Json(LogLines { lines }).into_response());
    }
    let lines = follow(source, count).await?;
    Ok(events(lines, &served))
}

/// What a question about several processes says.
#[derive(Debug, Default, PartialEq, Eq)]
struct ManyQuery {
    /// In the order given, each once.
    ids: Vec<u32>,
    tail: Option<usize>,
    follow: bool,
}

impl ManyQuery {
    /// `id` may come several times, which no struct of parameters can hold.
    fn parse(parameters: &[(String, String)]) -> Result<Self, HttpError> {
        let mut query = Self::default();
        for (name, value) in parameters {
            let bad =
                |expected: &str| HttpError::bad_request(&format!("{name}: must be {expected}"));
            match name.as_str() {
                "id" => {
                    let id = value.parse().map_err(|_| bad("the id of a process"))?;
                    if !query.ids.contains(&id) {
                        query.ids.push(id);
                    }
                }
                "tail" => query.tail = Some(value.parse().map_err(|_| bad("a number"))?),
                "follow" => query.follow = value.parse().map_err(|_| bad("true or false"))?,
                other => {
                    return Err(HttpError::bad_request(&format!("unknown parameter {other}")));
                }
            }
        }
        if query.ids.is_empty() {
            return Err(HttpError::bad_request("id: must be given at least once"));
        }
        Ok(query)
    }
}

/// `GET /v1/logs`: of several processes.
pub(super) async fn logs_of_many(
    State(served): Shared,
    RawQuery(query): RawQuery,
) -> Result<Response, HttpError> {
    let parameters: Vec<(String, String)> = parse_query(query.as_deref())?;
    let query = ManyQuery::parse(&parameters)?;
    let count = checked_tail(query.tail)?;
    let mut sources = Vec::with_capacity(query.ids.len());
    for id in query.ids {
        sources.push((id, served.engine.logs(Target::Id(id)).await?));
    }
    if !query.follow {
        let mut all = Vec::new();
        for (id, source) in sources {
            let lines = last_lines(source, count).await?;
            all.extend(lines.into_iter().map(|line| ProcessLine { id, line }));
        }
        return Ok(Json(all).into_response());
    }
    let mut streams = Vec::with_capacity(sources.len());
    for (id, source) in sources {
        let lines = follow(source, count).await?;
        streams.push(lines.map(move |line| ProcessLine { id, line }).boxed());
    }
    Ok(events(stream::select_all(streams), &served))
}

fn checked_tail(tail: Option<usize>) -> Result<usize, HttpError> {
    let count = tail.unwrap_or(DEFAULT_TAIL);
    if count > tail::MAX_LINES {
        return Err(HttpError::bad_request("tail: must be at most 10000"));
    }
    Ok(count)
}

async fn last_lines(source: LogSource, count: usize) -> Result<Vec<LogLine>, HttpError> {
    blocking(move || tail::last_lines(&source.spec, count)).await
}

/// Reads files where a hung disk does no harm to others.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, HttpError> {
    let read = tokio::task::spawn_blocking(read).await;
    read.map_err(io::Error::other).and_then(|read| read).map_err(|error| unreadable(&error))
}

fn events<T: Serialize>(
    lines: impl Stream<Item = T> + Send + 'static,
    served: &Served,
) -> Response {
    let events = lines
        .map(|line| Ok::<_, Infallible>(SseEvent::default().json_data(line).unwrap_or_default()))
        .take_until(served.shutdown.clone().cancelled_owned());
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

fn unreadable(error: &io::Error) -> HttpError {
    HttpError::bad_request(&format!("the log cannot be read: {error}"))
}

/// Where a listener has got to.
struct Following {
    followers: Vec<Follower>,
    ready: VecDeque<LogLine>,
    pulse: Listener,
}

/// The last lines, then each that is added. Ends when the process is forgotten or its file unreadable.
async fn follow(
    source: LogSource,
    count: usize,
) -> Result<impl Stream<Item = LogLine> + use<>, HttpError> {
    let following = blocking(move || Following::start(&source, count)).await?;
    Ok(stream::unfold(following, |mut following| async move {
        loop {
            if let Some(line) = following.ready.pop_front() {
                return Some((line, following));
            }
            if following.read_more().ok()? {
                continue;
            }
            following.pulse.more().await?;
        }
    }))
}

impl Following {
    fn start(source: &LogSource, count: usize) -> io::Result<Self> {
        let mut pulse = source.pulse.clone();
        // Marked as seen before the first look: what comes later is a new pulse.
        pulse.forget();
        let mut following = Self { followers: Vec::new(), ready: VecDeque::new(), pulse };
        for (path, stream) in tail::files(&source.spec) {
            let (follower, before) = Follower::start(path, stream, source.spec.log_keep, count)?;
            following.followers.push(follower);
            following.ready.extend(before);
        }
        Ok(following)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ManyQuery, HttpError> {
        ManyQuery::parse(&parse_query::<Vec<(String, String)>>(Some(text))?)
    }

    #[test]
    fn several_ids_can_be_asked_for() {
        let query = parse("id=3&id=1&id=3&tail=2&follow=true").unwrap();
        assert_eq!(query, ManyQuery { ids: vec![3, 1], tail: Some(2), follow: true });
        assert_eq!(parse("id=0").unwrap(), ManyQuery { ids: vec![0], ..ManyQuery::default() });
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "tail=1", "id=x", "id=1&tail=-1", "id=1&follow=maybe", "id=1&other=1"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
