//! Writes down what happens: events into the event log, the observed state in batches.
//!
//! Routes and watchers never wait for it. The observed state is level-triggered: the next batch holds what one
//! could not write.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::TenantId;
use parking_lot::Mutex;
use store::NewEvent;
use tokio_util::sync::CancellationToken;

use crate::events::{EventLog, writer};
use crate::observed::{Flush, Observations};
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

/// Writes until `shutdown`, and then what is left.
pub async fn run(plane: Arc<ControlPlane>, backlog: Backlog, shutdown: CancellationToken) {
    let observed = async {
        let mut observations = Observations::loaded(&plane);
        let mut flush = tokio::time::interval(FLUSH);
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                _ = flush.tick() => observations.flush(&plane, Flush::Changed).await,
            }
        }
        observations.flush(&plane, Flush::All).await;
    };
    tokio::join!(observed, writer::run(&backlog.log, &plane.store, shutdown.clone()));
}
