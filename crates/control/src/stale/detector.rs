//! Applies the rule for stale workers on a timer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::worker::DesiredState;
use runtime::{ObservedState, StopMode};
use tokio_util::sync::CancellationToken;

use super::{Signs, Verdict, verdict};
use crate::fleet::{Member, Snapshot};
use crate::lifecycle;
use crate::plane::ControlPlane;

/// How much later than planned a look may come on a busy machine.
const LATE: Duration = Duration::from_secs(1);

/// Runs until `shutdown`.
pub async fn run(plane: Arc<ControlPlane>, shutdown: CancellationToken) {
    let every = plane.settings.stale_check_interval;
    let mut timer = tokio::time::interval(every);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut awake_since, mut last_look) = (Instant::now(), Instant::now());
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = timer.tick() => {
                plane.metrics.pulses.detector.beat();
                // A look that comes late means that we were frozen ourselves (a suspended machine, a
                // debugger): heartbeats wait to be read, and nobody's silence is proven.
                if last_look.elapsed() > every * 2 + LATE {
                    awake_since = Instant::now();
                }
                last_look = Instant::now();
                let members = plane.fleet.all();
                for member in &members {
                    look_at(&plane, member, awake_since).await;
                }
                let took_us = u64::try_from(last_look.elapsed().as_micros()).unwrap_or(u64::MAX);
                tracing::debug!(tenants = members.len(), took_us, "looked for stale workers");
            }
        }
    }
}

async fn look_at(plane: &Arc<ControlPlane>, member: &Arc<Member>, awake_since: Instant) {
    // In place: of nearly all there is nothing more to know.
    let looked = member.read(|now| (signs(member, now, awake_since), now.stale.is_some()));
    let (Some(signs), was_stale) = looked else { return };
    match verdict(&signs, plane.settings.stale_threshold) {
        Verdict::Fine => {
            if was_stale {
                member.update(|snapshot| snapshot.stale = None);
                plane.recorder.event(member.id, "worker.recovered", "");
            }
        }
        Verdict::Stale { reason, restart } => {
            if !was_stale {
                plane.recorder.event(member.id, "worker.stale", reason.clone());
            }
            member.update(|snapshot| snapshot.stale = Some(reason.clone()));
            if restart && lifecycle::restart_stale(plane, member, reason, StopMode::Force).await {
                *member.stale_restart.lock() = Some(Instant::now());
            }
        }
    }
}

/// What the rule looks at; `None` when no process runs that is wanted.
fn signs(member: &Member, snapshot: &Snapshot, awake_since: Instant) -> Option<Signs> {
    let process = snapshot.process.as_ref()?;
    let wanted = snapshot.record.worker.desired == DesiredState::Running
        && snapshot.record.worker.generation == process.generation;
    let (true, ObservedState::Running { .. }) = (wanted, &process.state) else { return None };
    let link = snapshot.live_link();
    let heard = link.map(|link| link.heard).or(snapshot.running_since)?;
    Some(Signs {
        heartbeat: snapshot.record.config.heartbeat,
        silent_for: heard.elapsed().min(awake_since.elapsed()),
        session: link.map(|link| link.session.state).unwrap_or_default(),
        last_frame_age: link
            .and_then(|link| link.session.last_frame_age_ms)
            .map(Duration::from_millis),
        since_restart: member.stale_restart.lock().map(|at| at.elapsed()),
    })
}
