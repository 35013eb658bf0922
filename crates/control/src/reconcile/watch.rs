//! Follows the runtime: what it reports goes into the fleet, and whom it concerns to the reconciler.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use runtime::{ObservedState, ObservedWorker, RuntimeEvent};
use tokio_util::sync::CancellationToken;

use crate::plane::ControlPlane;

/// How often everything is looked at again, whatever was or was not reported.
const RESYNC: Duration = Duration::from_secs(30);

/// Runs until `shutdown`.
pub async fn run(plane: Arc<ControlPlane>, shutdown: CancellationToken) {
    let mut events = plane.runtime.watch();
    let mut resync = tokio::time::interval(RESYNC);
    resync.tick().await;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            event = events.next() => match event {
                Some(event) => take_in(&plane, event),
                None => return,
            },
            _ = resync.tick() => match plane.runtime.list().await {
                Ok(workers) => {
                    for worker in workers {
                        changed(&plane, worker);
                    }
                    kick_all(&plane);
                }
                Err(error) => tracing::warn!(%error, "the runtime could not be listed"),
            },
        }
    }
}

fn take_in(plane: &Arc<ControlPlane>, event: RuntimeEvent) {
    match event {
        RuntimeEvent::Sync(workers) => {
            for worker in &workers {
                if plane.fleet.by_worker(&worker.name).is_none() {
                    // Another database may know it (a restored backup, a wrong DATABASE_URL): ending
                    // a customer's bot is for a person to decide.
                    let worker = &worker.name;
                    tracing::warn!(
                        worker,
                        "no tenant of this database has this worker; left alone"
                    );
                }
            }
            plane.fleet.sync(workers);
            kick_all(plane);
        }
        RuntimeEvent::Changed(worker) => changed(plane, *worker),
        RuntimeEvent::Gone(name) => {
            if let Some(member) = plane.fleet.by_worker(&name) {
                plane.observe(&member, None);
                plane.reconciler.kick(plane, &member);
            }
        }
        RuntimeEvent::Lost(reason) => {
            tracing::warn!(reason, "the runtime does not answer; workers go on without it");
            plane.fleet.lost();
        }
    }
}

fn kick_all(plane: &Arc<ControlPlane>) {
    for member in plane.fleet.all() {
        plane.reconciler.kick(plane, &member);
    }
}

fn changed(plane: &Arc<ControlPlane>, worker: ObservedWorker) {
    let Some(member) = plane.fleet.by_worker(&worker.name) else { return };
    plane.observe_news(&member, worker);
    plane.reconciler.kick(plane, &member);
}

/// The event's name and text for a process's new state; `None` where nobody needs to know.
#[must_use]
pub fn describe(worker: &ObservedWorker) -> Option<(&'static str, String)> {
    let why = || worker.last_error.clone().or_else(|| worker.exit.map(|exit| exit.to_string()));
    match &worker.state {
        ObservedState::Running { pid, .. } => {
            Some(("worker.started", format!("process {pid}, generation {}", worker.generation)))
        }
        ObservedState::Stopped => Some(("worker.stopped", why().unwrap_or_default())),
        ObservedState::Backoff { until } => Some((
            "worker.died",
            format!("{}; started again at {}", why().unwrap_or_default(), until.to_rfc3339()),
        )),
        ObservedState::Failed { reason } => Some(("worker.failed", reason.clone())),
        ObservedState::Starting | ObservedState::Stopping => None,
    }
}
