//! The supervisor's HTTP interface: paths, bodies and status codes; no decisions.

mod batch;
mod edits;
mod error;
mod logs;

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, RawQuery, State};
use axum::http::StatusCode;
use axum::middleware::map_response;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures::stream::{self, Stream, StreamExt};
use serde::de::DeserializeOwned;
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::sync::CancellationToken;

use crate::engine::{Creation, EngineHandle, Target};
use crate::process::Verb;
use crate::stats::Stats;
use crate::wire::{
    ActionRequest, CreateRequest, Event, Info, ProcessView, ShutdownRequest, UpgradeRequest,
};

pub(crate) use error::HttpError;

/// Largest request body: an environment may be large, but not endless.
const MAX_BODY: usize = 4 << 20;
/// Largest request body for many processes.
const MAX_BATCH: usize = 64 << 20;
/// Longest settle time.
const MAX_SETTLE: Duration = Duration::from_secs(60);
/// Sign of life on silent event streams.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What the handlers share.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) engine: EngineHandle,
    pub(crate) stats: Stats,
    pub(crate) run_dir: PathBuf,
    pub(crate) started_at: i64,
    pub(crate) adopted: usize,
    pub(crate) cgroups: bool,
    /// The program that takes our place once we have ended.
    pub(crate) upgrade: Mutex<Option<PathBuf>>,
    /// Ends the daemon.
    pub(crate) shutdown: CancellationToken,
}

type Shared = State<Arc<Served>>;

/// All paths.
pub(crate) fn router(served: Arc<Served>) -> Router {
    Router::new()
        .route("/v1/info", get(info))
        .route("/v1/processes", get(list).post(create))
        .route("/v1/processes/{target}", get(show).delete(delete))
        .route("/v1/processes/{target}/{action}", post(act))
        .route("/v1/processes/{target}/logs", get(logs::logs))
        .route("/v1/processes/{target}/spec", get(edits::spec))
        .route("/v1/processes/{target}/signal", post(edits::signal))
        .route("/v1/processes/{target}/stdin", post(edits::stdin))
        .route("/v1/list", get(batch::rows))
        .route("/v1/specs", get(edits::specs))
        .route("/v1/batch/start", post(batch::start).layer(DefaultBodyLimit::max(MAX_BATCH)))
        .route("/v1/batch/act", post(batch::act))
        .route("/v1/logs", get(logs::logs_of_many))
        .route("/v1/events", get(events))
        .route("/v1/shutdown", post(shutdown))
        .route("/v1/upgrade", post(upgrade))
        .fallback(|| async { HttpError::not_found() })
        .method_not_allowed_fallback(|| async { HttpError::method_not_allowed() })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(map_response(explain_size))
        .with_state(served)
}

/// Says in our own form that a body is too large.
async fn explain_size(response: Response) -> Response {
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return HttpError::too_large().into_response();
    }
    response
}

async fn info(State(served): Shared) -> Result<Json<Info>, HttpError> {
    Ok(Json(Info {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        run_dir: served.run_dir.clone(),
        started_at: served.started_at,
        processes: served.engine.count().await?,
        adopted: served.adopted,
        cgroups: served.cgroups,
    }))
}

async fn list(
    State(served): Shared,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<ProcessView>>, HttpError> {
    // `label` may come several times, which a map of parameters cannot hold.
    let parameters: Vec<(String, String)> = parse_query(query.as_deref())?;
    let mut views = served.engine.list().await?;
    for (name, value) in &parameters {
        match name.as_str() {
            "label" => {
                let Some((key, wanted)) = value.split_once('=') else {
                    return Err(HttpError::bad_request("label: must be key=value"));
                };
                views.retain(|view| view.labels.get(key).is_some_and(|value| value == wanted));
            }
            "env" => {}
            other => {
                return Err(HttpError::bad_request(&format!("unknown parameter {other}")));
            }
        }
    }
    served.stats.fill(&mut views).await;
    if parameters.iter().any(|(name, value)| name == "env" && value == "true") {
        for view in &mut views {
            view.spec.env = Some(served.engine.env(Target::Id(view.id)).await?);
        }
    }
    Ok(Json(views))
}

/// Reads a query string in our own error format.
fn parse_query<T: DeserializeOwned>(query: Option<&str>) -> Result<T, HttpError> {
    let uri = format!("/?{}", query.unwrap_or_default()).parse::<axum::http::Uri>();
    let uri = uri.map_err(|_| HttpError::bad_request("the query is not valid"))?;
    let Query(parameters) =
        Query::try_from_uri(&uri).map_err(|error| HttpError::bad_request(&error.body_text()))?;
    Ok(parameters)
}

async fn create(
    State(served): Shared,
    body: Bytes,
) -> Result<(StatusCode, Json<ProcessView>), HttpError> {
    let request: CreateRequest = parse(&body)?;
    let how = Creation::start(settle(request.settle_ms)?);
    let view = served.engine.create(Arc::new(request.spec), how).await?;
    Ok((StatusCode::CREATED, Json(view)))
}

async fn show(
    State(served): Shared,
    Path(target): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<ProcessView>, HttpError> {
    let parameters: HashMap<String, String> = parse_query(query.as_deref())?;
    let mut views = [served.engine.get(Target::Text(target)).await?];
    served.stats.fill(&mut views).await;
    let [mut view] = views;
    if parameters.get("env").is_some_and(|value| value == "true") {
        view.spec.env = Some(served.engine.env(Target::Id(view.id)).await?);
    }
    Ok(Json(view))
}

async fn delete(
    State(served): Shared,
    Path(target): Path<String>,
) -> Result<Json<ProcessView>, HttpError> {
    let view = served.engine.act(Target::Text(target), Verb::Delete, None, Duration::ZERO).await?;
    Ok(Json(view))
}

async fn act(
    State(served): Shared,
    Path((target, action)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<ProcessView>, HttpError> {
    let target = Target::Text(target);
    let verb = match action.as_str() {
        "start" => Verb::Start,
        "stop" => Verb::Stop,
        "restart" => Verb::Restart,
        "force-restart" => Verb::ForceRestart,
        _ => return Err(HttpError::not_found()),
    };
    let request: ActionRequest =
        if body.is_empty() { ActionRequest::default() } else { parse(&body)? };
    let verb = match verb {
        Verb::Stop if request.force => Verb::ForceStop,
        other => other,
    };
    if matches!(verb, Verb::Stop | Verb::ForceStop) && request.spec.is_some() {
        return Err(HttpError::bad_request("stop takes no spec"));
    }
    let settle = settle(request.settle_ms)?;
    Ok(Json(served.engine.act(target, verb, request.spec, settle).await?))
}

async fn shutdown(State(served): Shared, body: Bytes) -> Result<StatusCode, HttpError> {
    let request: ShutdownRequest =
        if body.is_empty() { ShutdownRequest::default() } else { parse(&body)? };
    if request.stop_processes {
        served.engine.stop_all().await?;
    }
    tracing::info!(stop_processes = request.stop_processes, "asked to shut down");
    served.shutdown.cancel();
    Ok(StatusCode::ACCEPTED)
}

/// How long a new program may take to say its version.
const VERSION_PATIENCE: Duration = Duration::from_secs(10);

async fn upgrade(State(served): Shared, body: Bytes) -> Result<StatusCode, HttpError> {
    let request: UpgradeRequest =
        if body.is_empty() { UpgradeRequest::default() } else { parse(&body)? };
    let program = match request.program {
        Some(program) if program.is_absolute() => program,
        Some(_) => return Err(HttpError::bad_request("program: must be an absolute path")),
        None => own_program().map_err(|error| HttpError::upgrade_failed(&error.to_string()))?,
    };
    try_program(&program).await.map_err(|reason| {
        HttpError::upgrade_failed(&format!("{} cannot take our place: {reason}", program.display()))
    })?;
    *served.upgrade.lock().unwrap_or_else(PoisonError::into_inner) = Some(program);
    served.shutdown.cancel();
    Ok(StatusCode::ACCEPTED)
}

/// Our own program under the name by which it was started: what has taken its place on the disk is what is meant.
fn own_program() -> std::io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    // So the kernel marks one whose file has been replaced or removed.
    let name = program.to_str().and_then(|path| path.strip_suffix(" (deleted)"));
    Ok(name.map_or_else(|| program.clone(), PathBuf::from))
}

/// A program that cannot even say its version would be the end of us.
async fn try_program(program: &std::path::Path) -> Result<(), String> {
    let mut command = tokio::process::Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let ended = tokio::time::timeout(VERSION_PATIENCE, command.kill_on_drop(true).status()).await;
    match ended {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("asked for its version, it ends with {status}")),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it does not say its version".to_owned()),
    }
}

async fn events(
    State(served): Shared,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>, HttpError> {
    let watched = served.engine.watch().await?;
    let mut now = watched.now;
    served.stats.fill(&mut now).await;
    // A listener that lags too far behind is cut off; it connects again and begins with the whole list.
    let changes = BroadcastStream::new(watched.changes)
        .map(Result::ok)
        .take_while(|event| std::future::ready(event.is_some()))
        .filter_map(std::future::ready);
    let all = stream::once(async { Event::Sync(now) }).chain(changes);
    let shutdown = served.shutdown.clone();
    let events = all.map(|event| Ok(sse_event(&event))).take_until(shutdown.cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

fn sse_event(event: &Event) -> SseEvent {
    let named = match event {
        Event::Sync(views) => {
            lines(views).ok().map(|text| SseEvent::default().event("sync").data(text))
        }
        Event::Process(view) => SseEvent::default().event("process").json_data(view).ok(),
        Event::Gone(gone) => SseEvent::default().event("gone").json_data(gone).ok(),
    };
    // Plain data always becomes JSON; were it not to, an empty comment does no harm.
    named.unwrap_or_default()
}

/// A list with a line for each of its elements, each of which becomes a line of the event. Clients look for the
/// end of a line again with every piece that comes: one line of ten thousand processes costs them seconds.
fn lines(list: &[ProcessView]) -> serde_json::Result<String> {
    let elements: Vec<_> = list.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    Ok(format!("[{}]", elements.join(",\n")))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, HttpError> {
    serde_json::from_slice(body).map_err(|error| HttpError::bad_request(&error.to_string()))
}

fn settle(milliseconds: u64) -> Result<Duration, HttpError> {
    let settle = Duration::from_millis(milliseconds);
    if settle > MAX_SETTLE {
        return Err(HttpError::bad_request("settle_ms: must be at most 60000"));
    }
    Ok(settle)
}

/// What every error answer looks like.
impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}
