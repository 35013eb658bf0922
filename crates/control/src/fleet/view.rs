//! What a snapshot means: the statuses that the API shows, derived and never stored on their own.
//!
//! ```text
//!                        desired RUNNING                                     desired STOPPED
//!  no process ── start failed ─► ERROR        process starting ─► STARTING   process lives ─► STOPPING
//!      │                                          │ first sign of life       none          ─► STOPPED
//!      └── not yet tried ─► STARTING              ▼
//!                              gave up ─► ERROR ◄─ BACKOFF ◄─ died ─ RUNNING ─ stale ─► ERROR
//!                                                                      ▲  └─ in trouble ─► ERROR
//!                                                                      └──── out of it ◄─────┘
//! ```
//!
//! In trouble is what a worker says of itself: it runs, but does not try to connect, or only rarely.

use api::link::Trouble;
use api::records::StatusView;
use api::session::{SessionState, SessionView};
use api::tenant::{TenantStatus, TenantView};
use api::worker::{DesiredState, HeartbeatMode, WorkerStatus, WorkerView};
use chrono::Utc;
use runtime::ObservedState;

use super::Snapshot;

/// The worker's status.
#[must_use]
pub fn worker_status(snapshot: &Snapshot) -> WorkerStatus {
    let wanted = snapshot.record.worker.desired == DesiredState::Running;
    let failed = snapshot
        .start_failure
        .as_ref()
        .is_some_and(|failure| failure.generation == snapshot.record.worker.generation);
    let Some(process) = &snapshot.process else {
        return match (wanted, failed) {
            (true, false) => WorkerStatus::Starting,
            (true, true) => WorkerStatus::Error,
            (false, _) => WorkerStatus::Stopped,
        };
    };
    match &process.state {
        ObservedState::Stopped | ObservedState::Failed { .. } if !wanted => WorkerStatus::Stopped,
        ObservedState::Stopped if failed => WorkerStatus::Error,
        ObservedState::Stopped => WorkerStatus::Starting,
        ObservedState::Failed { .. } => WorkerStatus::Error,
        ObservedState::Starting | ObservedState::Running { .. } | ObservedState::Backoff { .. }
            if !wanted =>
        {
            WorkerStatus::Stopping
        }
        ObservedState::Stopping => WorkerStatus::Stopping,
        ObservedState::Backoff { .. } => WorkerStatus::Backoff,
        ObservedState::Starting => WorkerStatus::Starting,
        ObservedState::Running { .. } if snapshot.stale.is_some() => WorkerStatus::Error,
        ObservedState::Running { .. } => match snapshot.record.config.heartbeat {
            HeartbeatMode::Process if snapshot.starting == Some(process.generation) => {
                WorkerStatus::Starting
            }
            HeartbeatMode::Process => WorkerStatus::Running,
            HeartbeatMode::Link if trouble(snapshot).is_some() => WorkerStatus::Error,
            HeartbeatMode::Link if snapshot.live_link().is_some() => WorkerStatus::Running,
            HeartbeatMode::Link => WorkerStatus::Starting,
        },
    }
}

/// What the running worker says that it cannot mend by itself.
#[must_use]
pub fn trouble(snapshot: &Snapshot) -> Option<&Trouble> {
    snapshot.live_link()?.session.trouble.as_ref()
}

/// Why the worker is not well, or why its last run ended.
#[must_use]
pub fn last_error(snapshot: &Snapshot) -> Option<String> {
    if let Some(stale) = &snapshot.stale {
        return Some(stale.clone());
    }
    if let Some(failure) = &snapshot.start_failure {
        return Some(failure.reason.clone());
    }
    if let Some(trouble) = trouble(snapshot) {
        return Some(trouble.detail.clone());
    }
    let process = snapshot.process.as_ref();
    let observed = process.and_then(|process| match &process.state {
        ObservedState::Failed { reason } => Some(reason.clone()),
        ObservedState::Starting
        | ObservedState::Running { .. }
        | ObservedState::Stopping
        | ObservedState::Stopped
        | ObservedState::Backoff { .. } => process.last_error.clone(),
    });
    observed.or_else(|| snapshot.record.worker.last_error.clone())
}

/// The worker.
#[must_use]
pub fn worker(snapshot: &Snapshot) -> WorkerView {
    let record = &snapshot.record.worker;
    let (pid, started_at) = match snapshot.process.as_ref().map(|process| &process.state) {
        Some(ObservedState::Running { pid, started_at }) => (Some(*pid), Some(*started_at)),
        _ => (None, None),
    };
    let running = snapshot.process.as_ref().filter(|_| pid.is_some());
    let last_seen_at = snapshot.link.as_ref().map(|link| link.heard_at).or(record.last_seen_at);
    WorkerView {
        name: record.name.clone(),
        desired: record.desired,
        status: worker_status(snapshot),
        runtime: record.runtime,
        generation: record.generation,
        pid,
        started_at,
        restarts: snapshot.process.as_ref().map_or(0, |process| u64::from(process.restarts)),
        cpu_percent: running.map(|process| process.cpu_percent),
        memory_bytes: running.map(|process| process.memory_bytes),
        last_seen_at: match snapshot.record.config.heartbeat {
            HeartbeatMode::Process if pid.is_some() => Some(Utc::now()),
            HeartbeatMode::Process | HeartbeatMode::Link => last_seen_at,
        },
        last_error: last_error(snapshot),
        health: snapshot.live_link().and_then(|link| link.health.clone()),
    }
}

/// The session's state; see [`session`].
#[must_use]
pub fn session_state(snapshot: &Snapshot) -> SessionState {
    match (snapshot.live_link(), snapshot.record.session.state) {
        (Some(link), _) => link.session.state,
        (None, SessionState::LoggedOut) => SessionState::LoggedOut,
        (None, SessionState::Disconnected | SessionState::QrReady | SessionState::Connected) => {
            SessionState::Disconnected
        }
    }
}

/// The session: as the running worker says, else as it was last known, but not connected.
#[must_use]
pub fn session(snapshot: &Snapshot) -> SessionView {
    let stored = &snapshot.record.session;
    let Some(link) = snapshot.live_link() else {
        return SessionView {
            state: session_state(snapshot),
            paired: stored.paired,
            jid: stored.jid.clone(),
            connected_at: stored.connected_at,
            ..SessionView::default()
        };
    };
    let report = &link.session;
    let since = u64::try_from(link.heard.elapsed().as_millis()).unwrap_or(u64::MAX);
    SessionView {
        state: report.state,
        paired: report.paired,
        jid: report.jid.clone(),
        connected_at: link.connected_at.or(stored.connected_at),
        last_frame_age_ms: report.last_frame_age_ms.map(|age| age.saturating_add(since)),
        detail: report.detail.clone(),
        retry_at: report.retry_at,
        pairing: report.pairing,
        // Shown as long as it is good.
        pairing_code: report.pairing_code.clone().filter(|code| code.expires_at > Utc::now()),
        trouble: report.trouble.clone(),
    }
}

/// Where the tenant stands.
#[must_use]
pub fn tenant_status(snapshot: &Snapshot) -> TenantStatus {
    let record = &snapshot.record;
    match (record.worker.desired, worker_status(snapshot)) {
        (DesiredState::Stopped, _) if record.worker.generation == 0 => TenantStatus::New,
        (DesiredState::Stopped, _) => TenantStatus::Paused,
        (DesiredState::Running, WorkerStatus::Error) => TenantStatus::Error,
        (DesiredState::Running, _) if record.config.heartbeat == HeartbeatMode::Process => {
            TenantStatus::Active
        }
        (DesiredState::Running, _) => {
            let paired = match snapshot.live_link() {
                Some(link) => link.session.paired,
                None => record.session.paired,
            };
            match session_state(snapshot) {
                SessionState::Connected => TenantStatus::Active,
                SessionState::QrReady | SessionState::LoggedOut => TenantStatus::QrPending,
                SessionState::Disconnected if paired => TenantStatus::Active,
                SessionState::Disconnected => TenantStatus::QrPending,
            }
        }
    }
}

/// The tenant. Values of environment variables are not shown: they hold secrets.
#[must_use]
pub fn tenant(snapshot: &Snapshot) -> TenantView {
    let record = &snapshot.record;
    let mut config = record.config.clone();
    for value in config.env.values_mut() {
        "********".clone_into(value);
    }
    TenantView {
        id: record.id,
        name: record.name.clone(),
        slug: record.slug.clone(),
        phone: record.phone.clone(),
        status: tenant_status(snapshot),
        config,
        worker: worker(snapshot),
        session: session(snapshot),
        created_at: record.created_at,
        updated_at: record.updated_at,
    }
}

/// The tenant's status.
#[must_use]
pub fn status(snapshot: &Snapshot) -> StatusView {
    StatusView {
        tenant_id: snapshot.record.id,
        name: snapshot.record.name.clone(),
        status: tenant_status(snapshot),
        worker: worker(snapshot),
        session: session(snapshot),
    }
}
