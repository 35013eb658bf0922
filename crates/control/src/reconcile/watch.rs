//! Follows the runtimes: what they report goes into the fleet, and whom it concerns to the reconciler.

use std::sync::Arc;
use std::time::Duration;

use api::worker::RuntimeKind;
use futures::StreamExt;
use runtime::{ObservedState, ObservedWorker, RuntimeEvent};
use tokio_util::sync::CancellationToken;

use crate::plane::ControlPlane;

/// How often everything is looked at again, whatever was or was not reported.
const RESYNC: Duration = Duration::from_secs(30);

/// Follows one runtime from when it is in use until `shutdown`.
pub async fn run(plane: Arc<ControlPlane>, kind: RuntimeKind, shutdown: CancellationToken) {
    tokio::select! {
        () = shutdown.cancelled() => return,
        () = plane.runtimes.in_use(kind) => {}
    }
    let mut events = plane.runtimes.get(kind).watch();
    let mut resync = tokio::time::interval(RESYNC);
    resync.tick().await;
    loop {
        plane.metrics.pulses.watch.beat();
        tokio::select! {
            () = shutdown.cancelled() => return,
            event = events.next() => match event {
                Some(event) => take_in(&plane, kind, event),
                None => return,
            },
            _ = resync.tick() => match plane.runtimes.get(kind).list().await {
                Ok(workers) => {
                    for worker in workers {
                        changed(&plane, kind, worker);
                    }
                    kick_all(&plane);
                }
                Err(error) => tracing::warn!(%kind, %error, "the runtime could not be listed"),
            },
        }
    }
}

fn take_in(plane: &Arc<ControlPlane>, kind: RuntimeKind, event: RuntimeEvent) {
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
            plane.fleet.sync(kind, workers);
            kick_all(plane);
        }
        RuntimeEvent::Changed(worker) => changed(plane, kind, *worker),
        RuntimeEvent::Gone(name) => {
            let Some(member) = plane.fleet.by_worker(&name) else { return };
            if member.runtime() == kind {
                plane.observe(&member, None);
            } else {
                member.observe_stray(kind, false);
            }
            plane.reconciler.kick(plane, &member);
        }
        RuntimeEvent::Lost(reason) => {
            tracing::warn!(%kind, reason, "the runtime does not answer; workers go on without it");
            plane.fleet.lost(kind);
            // Those of other runtimes have perhaps waited for a word of this one.
            kick_all(plane);
        }
    }
}

fn kick_all(plane: &Arc<ControlPlane>) {
    for member in plane.fleet.all() {
        plane.reconciler.kick(plane, &member);
    }
}

fn changed(plane: &Arc<ControlPlane>, kind: RuntimeKind, worker: ObservedWorker) {
    let Some(member) = plane.fleet.by_worker(&worker.name) else { return };
    if member.runtime() == kind {
        plane.observe_news(&member, worker);
    } else {
        member.observe_stray(kind, true);
    }
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
