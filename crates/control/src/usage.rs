//! CPU and memory of the workers: asked for when somebody looks, never on a timer.

use std::time::Duration;

use api::worker::RuntimeKind;

use crate::plane::ControlPlane;

/// Nobody who looks waits longer for figures than this.
const PATIENCE: Duration = Duration::from_secs(1);

/// Brings the figures of all workers up to date. A runtime keeps them for a second, so that many
/// who look cost no more than one. When it does not answer, the last figures stay.
pub async fn refresh(plane: &ControlPlane) {
    let used = plane.runtimes.used().into_iter().filter(|kind| plane.fleet.may_act(*kind));
    futures::future::join_all(used.map(|kind| refresh_of(plane, kind))).await;
}

async fn refresh_of(plane: &ControlPlane, kind: RuntimeKind) {
    match tokio::time::timeout(PATIENCE, plane.runtimes.get(kind).list()).await {
        Ok(Ok(workers)) => {
            for worker in workers {
                if let Some(member) = plane.fleet.by_worker(&worker.name)
                    && member.runtime() == kind
                {
                    member.observe_usage(&worker);
                }
            }
        }
        Ok(Err(error)) => tracing::debug!(%error, "no figures of use"),
        Err(_) => tracing::debug!("the runtime takes its time; the last figures stay"),
    }
}
