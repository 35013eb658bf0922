//! Applies the rule for stale workers on a timer.

use std::sync::Arc;
use std::time::Instant;

use api::worker::DesiredState;
use runtime::{ObservedState, StopMode};
use tokio_util::sync::CancellationToken;

use super::{Signs, Verdict, verdict};
use crate::fleet::{Member, Snapshot};
use crate::lifecycle;
use crate::plane::ControlPlane;

/// Runs until `shutdown`.
pub async fn run(plane: Arc<ControlPlane>, shutdown: CancellationToken) {
    let mut timer = tokio::time::interval(plane.settings.stale_check_interval);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = timer.tick() => {
                for member in plane.fleet.all() {
                    look_at(&plane, &member).await;
                }
            }
        }
    }
}

async fn look_at(plane: &Arc<ControlPlane>, member: &Arc<Member>) {
    let snapshot = member.snapshot();
    let Some(signs) = signs(member, &snapshot) else { return };
    match verdict(&signs, plane.settings.stale_threshold) {
        Verdict::Fine => {
            if snapshot.stale.is_some() {
                member.update(|snapshot| snapshot.stale = None);
                plane.recorder.event(member.id, "worker.recovered", "");
            }
        }
        Verdict::Stale { reason, restart } => {
            if snapshot.stale.is_none() {
                plane.recorder.event(member.id, "worker.stale", reason.clone());
            }
            member.update(|snapshot| snapshot.stale = Some(reason.clone()));
            if restart {
                *member.stale_restart.lock() = Some(Instant::now());
                lifecycle::restart_stale(plane, member, reason, StopMode::Force).await;
            }
        }
    }
}

/// What the rule looks at; `None` when no process runs that is wanted.
fn signs(member: &Member, snapshot: &Snapshot) -> Option<Signs> {
    let process = snapshot.process.as_ref()?;
    let wanted = snapshot.record.worker.desired == DesiredState::Running
        && snapshot.record.worker.generation == process.generation;
    let (true, ObservedState::Running { .. }) = (wanted, &process.state) else { return None };
    let link = snapshot.live_link();
    let heard = link.map(|link| link.heard).or(snapshot.running_since)?;
    Some(Signs {
        heartbeat: snapshot.record.config.heartbeat,
        silent_for: heard.elapsed(),
        session: link.map(|link| link.session.state).unwrap_or_default(),
        last_frame_age: link
            .and_then(|link| link.session.last_frame_age_ms)
            .map(std::time::Duration::from_millis),
        since_restart: member.stale_restart.lock().map(|at| at.elapsed()),
    })
}
