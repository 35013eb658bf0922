//! A control plane that keeps what it hears and refuses what it is told to refuse.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use api::link::{
    Command, EventBatch, EventsAnswer, Heartbeat, HeartbeatAnswer, LinkEvent, LinkEventKind,
    OutsideMessage, WorkerConfig,
};
use api::pacing::Pacing;
use api::records::{Direction, MessageState};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::StreamExt;
use tokio::net::UnixListener;
use tokio::sync::{broadcast, watch};
use tokio::time::timeout;
use uuid::Uuid;

pub const TOKEN: &str = "token-of-the-tests";

/// How long anything may take; a slow machine under load is not a failure.
pub const PATIENCE: Duration = Duration::from_secs(40);

#[derive(Default)]
struct Heard {
    beats: Vec<Heartbeat>,
    events: BTreeMap<u64, LinkEvent>,
    batches: usize,
}

struct Inner {
    heard: Mutex<Heard>,
    changed: watch::Sender<u64>,
    refusal: Mutex<Option<(u16, &'static str)>>,
    config: Mutex<WorkerConfig>,
    commands: broadcast::Sender<Command>,
    /// Messages from outside; said on each new stream until they were accepted.
    sends: Mutex<Vec<OutsideMessage>>,
    /// Their files.
    files: Mutex<BTreeMap<Uuid, Vec<u8>>>,
}

/// The control plane; it lives until its test ends.
#[derive(Clone)]
pub struct Plane {
    inner: Arc<Inner>,
    pub socket: PathBuf,
}

impl Plane {
    /// A control plane that is to listen at `socket`, but does not yet.
    pub fn new(socket: PathBuf) -> Self {
        let config = WorkerConfig {
            version: 1,
            greeting: "hello".to_owned(),
            rate_limit_max_per_minute: 600,
            pacing: Pacing::off(),
            ..WorkerConfig::default()
        };
        let inner = Inner {
            heard: Mutex::default(),
            changed: watch::Sender::new(0),
            refusal: Mutex::default(),
            config: Mutex::new(config),
            commands: broadcast::Sender::new(8),
            sends: Mutex::default(),
            files: Mutex::default(),
        };
        Self { inner: Arc::new(inner), socket }
    }

    pub fn listen(&self) {
        let listener = UnixListener::bind(&self.socket).unwrap();
        let routes = Router::new()
            .route("/link/v1/heartbeat", post(heartbeat))
            .route("/link/v1/events", post(events))
            .route("/link/v1/commands", get(commands))
            .route("/link/v1/media/{id}", get(media))
            .layer(from_fn_with_state(self.clone(), admit))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
    }

    /// Refuses everything from now on; `None`: nothing.
    pub fn refuse(&self, refusal: Option<(u16, &'static str)>) {
        *self.inner.refusal.lock().unwrap() = refusal;
    }

    pub fn command(&self, command: Command) {
        self.inner.commands.send(command).unwrap();
    }

    /// Waits until a worker listens for commands.
    pub async fn listened_to(&self) {
        self.until("a listener for commands", || {
            (self.inner.commands.receiver_count() > 0).then_some(())
        })
        .await;
    }

    pub fn set_config(&self, config: WorkerConfig) {
        *self.inner.config.lock().unwrap() = config;
    }

    pub fn beats(&self) -> usize {
        self.heard().beats.len()
    }

    /// How many heartbeats, from number `from` on, showed a code.
    pub fn codes_from(&self, from: usize) -> usize {
        self.heard().beats.iter().skip(from).filter(|beat| beat.session.qr.is_some()).count()
    }

    /// Waits for a heartbeat, from number `from` on, that `wanted` makes something of.
    pub async fn beat_from<T>(&self, from: usize, wanted: impl Fn(&Heartbeat) -> Option<T>) -> T {
        self.until("a heartbeat", || self.heard().beats.iter().skip(from).find_map(&wanted)).await
    }

    pub async fn beat<T>(&self, wanted: impl Fn(&Heartbeat) -> Option<T>) -> T {
        self.beat_from(0, wanted).await
    }

    pub async fn note(&self, name: &str) -> String {
        self.until(name, || {
            self.heard().events.values().find_map(|event| match &event.kind {
                LinkEventKind::Note { name: found, detail } if found == name => {
                    Some(detail.clone())
                }
                _ => None,
            })
        })
        .await
    }

    /// How many notes of a name were heard.
    pub fn notes(&self, name: &str) -> usize {
        let of = |event: &&LinkEvent| matches!(&event.kind, LinkEventKind::Note { name: found, .. } if found == name);
        self.heard().events.values().filter(of).count()
    }

    /// Waits until so many messages were heard of, and tells which way they went, with their texts.
    pub async fn messages(&self, count: usize) -> Vec<(Direction, String)> {
        self.until("messages", || {
            let messages = self.messages_now();
            (messages.len() >= count).then_some(messages)
        })
        .await
    }

    pub fn messages_now(&self) -> Vec<(Direction, String)> {
        let of = |event: &LinkEvent| match &event.kind {
            LinkEventKind::Message { direction, text, .. } => Some((*direction, text.clone())),
            _ => None,
        };
        self.heard().events.values().filter_map(of).collect()
    }

    /// Has a message sent. Nobody may be listening now.
    pub fn send(&self, message: &OutsideMessage) {
        self.inner.sends.lock().unwrap().push(message.clone());
        let _ = self.inner.commands.send(Command::Send(message.clone()));
    }

    fn not_accepted(&self) -> Vec<Command> {
        let sends = self.inner.sends.lock().unwrap();
        let is_new = |message: &&OutsideMessage| self.acceptances(message.send_id) == 0;
        sends.iter().filter(is_new).cloned().map(Command::Send).collect()
    }

    /// Keeps a file for the worker to fetch.
    pub fn keep_file(&self, id: Uuid, file: &[u8]) {
        self.inner.files.lock().unwrap().insert(id, file.to_vec());
    }

    /// The id under which the worker sends a message from outside, as soon as it has it.
    pub async fn accepted(&self, send: Uuid) -> String {
        self.until("an accepted message", || {
            self.heard().events.values().find_map(|event| match &event.kind {
                LinkEventKind::Accepted { send_id, message_id } if *send_id == send => {
                    Some(message_id.clone())
                }
                _ => None,
            })
        })
        .await
    }

    /// Waits until the worker has told so often that it has a message.
    pub async fn accepted_times(&self, send: Uuid, times: usize) {
        self.until("another acceptance", || (self.acceptances(send) >= times).then_some(())).await;
    }

    /// How often the worker told that it has a message.
    fn acceptances(&self, send: Uuid) -> usize {
        let events = &self.heard().events;
        let of = |event: &&LinkEvent| matches!(event.kind, LinkEventKind::Accepted { send_id, .. } if send_id == send);
        events.values().filter(of).count()
    }

    /// Waits until a message has come to `wanted`, or past it, and gives the reason.
    pub async fn state(&self, id: &str, wanted: MessageState) -> Option<String> {
        self.until(&format!("{wanted:?} of {id}"), || {
            self.heard().events.values().find_map(|event| match &event.kind {
                LinkEventKind::State { message_id, state, reason }
                    if message_id == id
                        && (*state == wanted
                            || *state > wanted && *state != MessageState::Failed) =>
                {
                    Some(reason.clone())
                }
                _ => None,
            })
        })
        .await
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.inner.heard.lock().unwrap()
    }

    pub async fn until<T>(&self, what: &str, mut found: impl FnMut() -> Option<T>) -> T {
        let mut changed = self.inner.changed.subscribe();
        let wait = async {
            loop {
                changed.borrow_and_update();
                if let Some(found) = found() {
                    return found;
                }
                changed.changed().await.unwrap();
            }
        };
        match timeout(PATIENCE, wait).await {
            Ok(found) => found,
            Err(_) => {
                let heard = self.heard();
                let last: Vec<_> = heard.beats.iter().rev().take(3).map(|b| &b.session).collect();
                panic!("no {what}; last heartbeats {last:?}; events {:?}", heard.events);
            }
        }
    }

    fn changed(&self) {
        self.inner.changed.send_modify(|changes| *changes += 1);
    }
}

async fn admit(State(plane): State<Plane>, request: Request, next: Next) -> Response {
    let bearer = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    assert_eq!(bearer, Some(format!("Bearer {TOKEN}").as_str()));
    let refusal = *plane.inner.refusal.lock().unwrap();
    let Some((status, code)) = refusal else { return next.run(request).await };
    let problem = api::Problem {
        kind: format!("/problems/{code}"),
        title: "refused".to_owned(),
        status,
        detail: "refused by the test".to_owned(),
        code: code.to_owned(),
        errors: Vec::new(),
        log_tail: Vec::new(),
    };
    (StatusCode::from_u16(status).unwrap(), Json(problem)).into_response()
}

async fn heartbeat(
    State(plane): State<Plane>,
    Json(beat): Json<Heartbeat>,
) -> Json<HeartbeatAnswer> {
    let config = plane.inner.config.lock().unwrap().clone();
    let answer =
        HeartbeatAnswer { config: (config.version != beat.config_version).then_some(config) };
    plane.heard().beats.push(beat);
    plane.changed();
    Json(answer)
}

async fn events(State(plane): State<Plane>, Json(batch): Json<EventBatch>) -> Json<EventsAnswer> {
    let last = batch.events.last().unwrap().seq;
    {
        let mut heard = plane.heard();
        heard.batches += 1;
        heard.events.extend(batch.events.into_iter().map(|event| (event.seq, event)));
    }
    plane.changed();
    Json(EventsAnswer { accepted_through: last })
}

async fn media(State(plane): State<Plane>, Path(id): Path<Uuid>) -> Response {
    match plane.inner.files.lock().unwrap().get(&id) {
        Some(file) => file.clone().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn commands(State(plane): State<Plane>) -> impl IntoResponse {
    let receiver = plane.inner.commands.subscribe();
    let first = futures::stream::iter(plane.not_accepted());
    plane.changed();
    let commands = futures::stream::unfold(receiver, async |mut receiver| {
        Some((receiver.recv().await.ok()?, receiver))
    });
    Sse::new(first.chain(commands).map(|command| Event::default().json_data(command)))
}
