//! The worker link: heartbeats and events in, commands out (`docs/worker-contract.md`).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use api::link::{
    Command, EventBatch, EventsAnswer, Heartbeat, HeartbeatAnswer, MAX_EVENTS, SessionReport,
    WorkerConfig,
};
use api::problem::FieldError;
use api::session::SessionState;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt, stream};
use store::TenantRecord;
use tokio_stream::wrappers::BroadcastStream;

use super::body::Body;
use super::handing_over;
use super::scope::{Scope, WorkerScope};
use crate::fleet::{LinkState, Member, Snapshot};
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

/// The longest text of a QR code, in bytes: what fits into the largest one (version 40, level L).
const MAX_QR: usize = 2953;

/// What a worker needs to know of its tenant's settings.
#[must_use]
pub fn worker_config(record: &TenantRecord) -> WorkerConfig {
    WorkerConfig {
        version: record.config_version,
        greeting: record.config.greeting.clone(),
        rate_limit_max_per_minute: record.config.rate_limit_max_per_minute,
        business: record.name.clone(),
        rules: record.rules.as_deref().cloned(),
        webhook_secret: record.webhook_secret.clone().filter(|_| record.rules.is_some()),
        pacing: record.pacing.clone(),
    }
}

/// A worker's sign of life.
#[utoipa::path(post, path = "", tag = "worker link", request_body = Heartbeat, responses((status = 200, description = "It was heard.", body = HeartbeatAnswer), (status = 409, description = "`stale_generation`", body = api::Problem)))]
pub async fn heartbeat(
    State(plane): State<Arc<ControlPlane>>,
    Scope(member): Scope,
    WorkerScope { generation }: WorkerScope,
    Body(beat): Body<Heartbeat>,
) -> Result<Json<HeartbeatAnswer>, ApiError> {
    fence(&member, generation, beat.generation, beat.incarnation)?;
    if beat.session.qr.as_ref().is_some_and(|qr| qr.code.len() > MAX_QR) {
        let message = format!("must have at most {MAX_QR} bytes, to fit into a QR code");
        let error = FieldError { field: "session.qr.code".to_owned(), message };
        return Err(ApiError::fields(vec![error]));
    }
    let (was, was_connected_at) = member.read(known_session);
    let state = beat.session.state;
    let connected_at = if state == SessionState::Connected && was != SessionState::Connected {
        Some(Utc::now())
    } else {
        was_connected_at
    };
    if was != state {
        let detail = beat.session.detail.clone().or_else(|| beat.session.jid.clone());
        plane.recorder.event(member.id, session_event(state), detail.unwrap_or_default());
        if state == SessionState::Connected {
            plane.fleet.encourage();
        }
    }
    tell_codes(&plane, &member, &beat.session);
    let config_version = beat.config_version;
    member.update(|snapshot| {
        snapshot.link = Some(LinkState {
            generation,
            incarnation: beat.incarnation,
            heard_at: Utc::now(),
            heard: Instant::now(),
            session: beat.session,
            health: beat.health,
            connected_at,
        });
    });
    let config = member.read(|now| {
        (now.record.config_version != config_version).then(|| worker_config(&now.record))
    });
    Ok(Json(HeartbeatAnswer { config }))
}

/// Notes codes that were not there before, without them.
fn tell_codes(plane: &ControlPlane, member: &Member, report: &SessionReport) {
    let known = member.snapshot().link.as_ref().map(|link| {
        let session = &link.session;
        (session.qr.as_ref().map(|qr| qr.code.clone()), session.pairing_code.clone())
    });
    let (known_qr, known_code) = known.unwrap_or_default();
    if let Some(qr) = report.qr.as_ref().filter(|qr| known_qr.as_ref() != Some(&qr.code)) {
        let until = format!("good until {}", qr.expires_at.to_rfc3339());
        plane.recorder.event(member.id, "session.qr_issued", until);
    }
    if let Some(code) = &report.pairing_code
        && known_code.is_none_or(|known| known.code != code.code)
    {
        let until = format!("good until {}", code.expires_at.to_rfc3339());
        plane.recorder.event(member.id, "session.pairing_code_issued", until);
    }
}

/// The session as last known: from a heartbeat, or from before this control plane was started.
fn known_session(snapshot: &Snapshot) -> (SessionState, Option<DateTime<Utc>>) {
    match &snapshot.link {
        Some(link) => (link.session.state, link.connected_at),
        None => (snapshot.record.session.state, snapshot.record.session.connected_at),
    }
}

const fn session_event(state: SessionState) -> &'static str {
    match state {
        SessionState::Disconnected => "session.disconnected",
        SessionState::QrReady => "session.qr_ready",
        SessionState::Connected => "session.connected",
        SessionState::LoggedOut => "session.logged_out",
    }
}

/// Refuses what a process says that a newer one has replaced.
fn fence(member: &Member, token: u64, generation: u64, incarnation: u64) -> Result<(), ApiError> {
    if generation != token {
        let message = format!("must be {token}, the generation that the token is good for");
        let error = FieldError { field: "generation".to_owned(), message };
        return Err(ApiError::fields(vec![error]));
    }
    let newest = member.read(|now| {
        let link = now.link.as_ref().filter(|link| link.generation == generation);
        link.map_or(0, |link| link.incarnation)
    });
    if incarnation != 0 && incarnation < newest {
        let detail = format!("process {incarnation} of this worker was replaced by {newest}");
        return Err(ApiError::new(Kind::StaleGeneration, detail));
    }
    Ok(())
}

/// What has happened in a worker, each event once.
#[utoipa::path(post, path = "", tag = "worker link", request_body = EventBatch, responses((status = 200, description = "They were taken in.", body = EventsAnswer), (status = 409, description = "`stale_generation`", body = api::Problem)))]
pub async fn events(
    State(plane): State<Arc<ControlPlane>>,
    Scope(member): Scope,
    WorkerScope { generation }: WorkerScope,
    Body(batch): Body<EventBatch>,
) -> Result<Json<EventsAnswer>, ApiError> {
    fence(&member, generation, batch.generation, batch.incarnation)?;
    let refuse = |message: String| {
        Err(ApiError::fields(vec![FieldError { field: "events".to_owned(), message }]))
    };
    if batch.events.len() > MAX_EVENTS {
        return refuse(format!("may hold at most {MAX_EVENTS} events"));
    }
    if !batch.events.is_sorted_by(|one, two| one.seq < two.seq) {
        return refuse("must ascend by seq".to_owned());
    }
    let begun = Instant::now();
    let taken = plane.store.accept_link_events(member.id, batch.store_id, &batch.events).await?;
    plane.metrics.store.batches.observe(begun.elapsed());
    for event in &taken.events {
        member.activity.note_event(&event.kind, event.at);
    }
    plane.recorder.log().committed(taken.events);
    if taken.progress {
        plane.settled.notify_one();
    }
    Ok(Json(EventsAnswer { accepted_through: taken.through }))
}

/// Commands as they come, the settings first, and messages from outside. The stream ends when a newer generation takes over or
/// when the worker lags; it reconnects and is told the settings again.
#[utoipa::path(get, path = "", tag = "worker link", responses((status = 200, description = "Commands as they come; `data` is a Command.", body = Command, content_type = "text/event-stream"), (status = 409, description = "`stale_generation`", body = api::Problem)))]
pub async fn commands(
    State(plane): State<Arc<ControlPlane>>,
    Scope(member): Scope,
    WorkerScope { generation }: WorkerScope,
) -> impl IntoResponse {
    let coming = BroadcastStream::new(member.commands.subscribe());
    let config = Command::Config(member.read(|now| worker_config(&now.record)));
    let commands = stream::iter([Ok(Arc::new(config))]).chain(coming);
    let sends = handing_over::messages(plane, Arc::clone(&member)).map(|it| Ok(Arc::new(it)));
    let all = stream::select(commands, sends).take_while(|it| {
        let current = it.is_ok();
        async move { current }
    });
    let events = all.filter_map(async |command| {
        let command = command.ok()?;
        Some(Ok::<_, Infallible>(Event::default().json_data(command).ok()?))
    });
    Sse::new(until_superseded(member, generation, events)).keep_alive(KeepAlive::default())
}

fn until_superseded<T: Send + 'static>(
    member: Arc<Member>,
    generation: u64,
    events: impl Stream<Item = T> + Send + 'static,
) -> impl Stream<Item = T> + Send + 'static {
    let mut changes = member.subscribe();
    let superseded = async move {
        // Holding the member keeps the channel open; an error cannot come before it is dropped.
        let _member = member;
        let _ = changes.wait_for(|now| now.record.worker.generation != generation).await;
    };
    Box::pin(events.take_until(Box::pin(superseded)))
}
