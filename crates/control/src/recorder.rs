//! Writes down what happens: events into the event log, the observed state in batches.
//!
//! Routes and watchers never wait for it. The observed state is level-triggered: the next batch holds what one
//! could not write.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::TenantId;
use api::tenant::TenantStatus;
use parking_lot::Mutex;
use store::{NewEvent, Observed, SessionRecord};
use tokio_util::sync::CancellationToken;

use crate::events::{EventLog, writer};
use crate::fleet::{Snapshot, view};
use crate::plane::ControlPlane;

/// How old the observed state in the store may be.
const FLUSH: Duration = Duration::from_secs(2);

/// The least time between two events about the same limit of a tenant: whoever runs into one does so again and again.
const LIMIT_PAUSE: Duration = Duration::from_secs(60);

/// Takes what is to be written down.
#[derive(Clone, Default)]
pub struct Recorder {
    log: Arc<EventLog>,
    /// When a limit was last told.
    limits: Arc<Mutex<HashMap<(TenantId, &'static str), Instant>>>,
}

/// The other end of a [`Recorder`].
pub struct Backlog {
    log: Arc<EventLog>,
}

/// A recorder, and what [`run`] writes from.
#[must_use]
pub fn channel() -> (Recorder, Backlog) {
    let recorder = Recorder::default();
    let log = Arc::clone(&recorder.log);
    (recorder, Backlog { log })
}

impl Recorder {
    /// Notes an event of a tenant.
    pub fn event(&self, tenant: TenantId, kind: &str, detail: impl AsRef<str>) {
        let detail = detail.as_ref();
        tracing::info!(%tenant, kind, detail, "event");
        self.log.publish(NewEvent::new(Some(tenant), kind, detail));
    }

    /// Notes that a tenant ran into a limit, named by its problem's code; at most once a minute.
    pub fn limit_hit(&self, tenant: TenantId, limit: &'static str, detail: &str) {
        let now = Instant::now();
        {
            let mut limits = self.limits.lock();
            limits.retain(|_, told| now.duration_since(*told) < LIMIT_PAUSE);
            if limits.contains_key(&(tenant, limit)) {
                return;
            }
            limits.insert((tenant, limit), now);
        }
        self.event(tenant, "limit.hit", format!("{limit}: {detail}"));
    }

    /// Notes an event of the installation: a sign-in, or the end of a tenant.
    pub fn fleet_event(&self, kind: &str, detail: impl AsRef<str>) {
        let detail = detail.as_ref();
        tracing::info!(kind, detail, "event");
        self.log.publish(NewEvent::new(None, kind, detail));
    }

    /// The event log.
    #[must_use]
    pub fn log(&self) -> &Arc<EventLog> {
        &self.log
    }
}

/// What of a tenant is written to the store when it differs from what was written last.
#[derive(Clone, PartialEq)]
struct Written {
    status: TenantStatus,
    observed: Observed,
    session: SessionRecord,
}

/// Writes until `shutdown`, and then what is left.
pub async fn run(plane: Arc<ControlPlane>, backlog: Backlog, shutdown: CancellationToken) {
    let observed = async {
        let mut written = HashMap::new();
        let mut flush = tokio::time::interval(FLUSH);
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                _ = flush.tick() => flush_observed(&plane, &mut written).await,
            }
        }
        flush_observed(&plane, &mut written).await;
    };
    tokio::join!(observed, writer::run(&backlog.log, &plane.store, shutdown.clone()));
}

/// Writes what has changed since the last time, all tenants in one transaction each kind.
async fn flush_observed(plane: &ControlPlane, written: &mut HashMap<TenantId, Written>) {
    let members = plane.fleet.all();
    written.retain(|tenant, _| plane.fleet.get(*tenant).is_some());
    let changed: Vec<_> = members
        .iter()
        .map(|member| (member.id, state(&member.snapshot())))
        .filter(|(tenant, state)| written.get(tenant) != Some(state))
        .collect();
    if changed.is_empty() {
        return;
    }
    let observed: Vec<_> = changed.iter().map(|(_, state)| state.observed.clone()).collect();
    let sessions: Vec<_> =
        changed.iter().map(|(tenant, state)| (*tenant, state.session.clone())).collect();
    let outcome = async {
        plane.store.record_observed(&observed).await?;
        plane.store.record_sessions(&sessions).await?;
        for (tenant, state) in &changed {
            if written.get(tenant).map(|before| before.status) != Some(state.status) {
                plane.store.set_status(*tenant, state.status).await?;
            }
        }
        Ok::<_, store::StoreError>(())
    };
    match outcome.await {
        Ok(()) => written.extend(changed),
        Err(error) => tracing::error!(%error, "the observed state could not be written"),
    }
}

fn state(snapshot: &Snapshot) -> Written {
    let worker = view::worker(snapshot);
    let session = view::session(snapshot);
    Written {
        status: view::tenant_status(snapshot),
        observed: Observed {
            tenant: snapshot.record.id,
            status: worker.status,
            pid: worker.pid,
            started_at: worker.started_at,
            restarts: worker.restarts,
            last_error: worker.last_error,
            // What counts by the life of the process alone would change at every look.
            last_seen_at: snapshot.link.as_ref().map(|link| link.heard_at),
        },
        session: SessionRecord {
            state: session.state,
            paired: session.paired,
            jid: session.jid,
            connected_at: session.connected_at,
        },
    }
}
