//! Writes down what happens: events at once, the observed state in batches.
//!
//! Routes and watchers never wait for it. Its queue is bounded; what does not fit is counted and
//! said, and the observed state is level-triggered: the next batch holds it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::TenantId;
use api::tenant::TenantStatus;
use store::{Observed, SessionRecord};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::fleet::{Snapshot, view};
use crate::plane::ControlPlane;

/// Events that wait to be written.
const QUEUE: usize = 4096;
/// How old the observed state in the store may be.
const FLUSH: Duration = Duration::from_secs(2);

struct Event {
    tenant: TenantId,
    kind: String,
    detail: String,
}

/// Takes what is to be written down.
#[derive(Clone)]
pub struct Recorder {
    events: mpsc::Sender<Event>,
    dropped: Arc<AtomicU64>,
}

/// The other end of a [`Recorder`].
pub struct Backlog {
    events: mpsc::Receiver<Event>,
    dropped: Arc<AtomicU64>,
}

/// A recorder, and what [`run`] writes from.
#[must_use]
pub fn channel() -> (Recorder, Backlog) {
    let (sender, events) = mpsc::channel(QUEUE);
    let dropped = Arc::<AtomicU64>::default();
    (Recorder { events: sender, dropped: dropped.clone() }, Backlog { events, dropped })
}

impl Recorder {
    /// Notes an event of a tenant.
    pub fn event(&self, tenant: TenantId, kind: &str, detail: impl Into<String>) {
        let event = Event { tenant, kind: kind.to_owned(), detail: detail.into() };
        if self.events.try_send(event).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
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
pub async fn run(plane: Arc<ControlPlane>, mut backlog: Backlog, shutdown: CancellationToken) {
    let mut written = HashMap::new();
    let mut flush = tokio::time::interval(FLUSH);
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            Some(event) = backlog.events.recv() => write_event(&plane, event).await,
            _ = flush.tick() => flush_observed(&plane, &mut written, &backlog.dropped).await,
        }
    }
    backlog.events.close();
    while let Some(event) = backlog.events.recv().await {
        write_event(&plane, event).await;
    }
    flush_observed(&plane, &mut written, &backlog.dropped).await;
}

async fn write_event(plane: &ControlPlane, event: Event) {
    let Event { tenant, kind, detail } = event;
    tracing::info!(%tenant, kind, detail, "event");
    // The tenant may have been deleted since; then its event has no place and goes with it.
    if plane.fleet.get(tenant).is_some()
        && let Err(error) = plane.store.append_event(tenant, &kind, &detail).await
    {
        tracing::error!(%tenant, kind, %error, "an event could not be written");
    }
}

/// Writes what has changed since the last time, all tenants in one transaction each kind.
async fn flush_observed(
    plane: &ControlPlane,
    written: &mut HashMap<TenantId, Written>,
    dropped: &AtomicU64,
) {
    let lost = dropped.swap(0, Ordering::Relaxed);
    if lost > 0 {
        tracing::error!(lost, "events were not written: the queue was full");
    }
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
