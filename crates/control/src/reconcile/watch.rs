//! Follows the runtime: what it reports goes into the fleet, and whom it concerns to the reconciler.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use runtime::{ObservedState, ObservedWorker, RuntimeEvent, StopMode};
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
                Some(event) => take_in(&plane, event).await,
                None => return,
            },
            _ = resync.tick() => match plane.runtime.list().await {
                Ok(workers) => {
                    for worker in workers {
                        changed(&plane, worker).await;
                    }
                    kick_all(&plane);
                }
                Err(error) => tracing::warn!(%error, "the runtime could not be listed"),
            },
        }
    }
}

async fn take_in(plane: &Arc<ControlPlane>, event: RuntimeEvent) {
    match event {
        RuntimeEvent::Sync(workers) => {
            let orphans: Vec<_> = workers
                .iter()
                .filter(|worker| plane.fleet.by_worker(&worker.name).is_none())
                .map(|worker| worker.name.clone())
                .collect();
            plane.fleet.sync(workers);
            for name in orphans {
                end_orphan(plane, name).await;
            }
            kick_all(plane);
        }
        RuntimeEvent::Changed(worker) => changed(plane, *worker).await,
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

async fn changed(plane: &Arc<ControlPlane>, worker: ObservedWorker) {
    let Some(member) = plane.fleet.by_worker(&worker.name) else {
        return end_orphan(plane, worker.name).await;
    };
    plane.observe_news(&member, worker);
    plane.reconciler.kick(plane, &member);
}

/// Ends a worker of a tenant that is no more (deleted while the runtime was away).
async fn end_orphan(plane: &ControlPlane, name: String) {
    tracing::warn!(worker = name, "a worker runs for a tenant that does not exist; ending it");
    if let Err(error) = plane.runtime.stop(&name, StopMode::Graceful).await {
        tracing::warn!(worker = name, %error, "the orphan could not be stopped");
    }
    if let Err(error) = plane.runtime.forget(&name).await {
        tracing::warn!(worker = name, %error, "the orphan could not be forgotten");
    }
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
