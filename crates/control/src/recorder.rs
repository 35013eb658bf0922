//! Writes down what happens: events at once, the observed state in batches.
//!
//! Routes and watchers never wait for it. Its queue is bounded; what does not fit is counted and
//! said, and the observed state is level-triggered: the next batch holds it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::TenantId;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::observed::{Flush, Observations};
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

/// Writes until `shutdown`, and then what is left.
pub async fn run(plane: Arc<ControlPlane>, mut backlog: Backlog, shutdown: CancellationToken) {
    let mut observations = Observations::loaded(&plane);
    let mut flush = tokio::time::interval(FLUSH);
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            Some(event) = backlog.events.recv() => write_event(&plane, event).await,
            _ = flush.tick() => {
                tell_lost(&backlog.dropped);
                observations.flush(&plane, Flush::Changed).await;
            }
        }
    }
    backlog.events.close();
    while let Some(event) = backlog.events.recv().await {
        write_event(&plane, event).await;
    }
    tell_lost(&backlog.dropped);
    observations.flush(&plane, Flush::All).await;
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

fn tell_lost(dropped: &AtomicU64) {
    let lost = dropped.swap(0, Ordering::Relaxed);
    if lost > 0 {
        tracing::error!(lost, "events were not written: the queue was full");
    }
}
