//! Carries out the reconciler's decisions, one tenant at a time, many tenants side by side.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use api::worker::HeartbeatMode;
use runtime::{ObservedState, ObservedWorker, RuntimeError, StopMode};
use tokio::sync::Semaphore;

use super::{Step, decide, inputs};
use crate::fleet::{Member, Snapshot, StartFailure};
use crate::launch;
use crate::plane::ControlPlane;

/// Starts and stops under way at once: a fleet that starts at boot must not stampede.
const AT_ONCE: usize = 16;

/// How long a program that gives no sign of life of its own is watched for an early exit.
const SETTLE: Duration = Duration::from_secs(1);

/// How long to wait before a runtime that did not answer is asked again.
const RETRY: Duration = Duration::from_secs(1);

/// Hands tenants to the reconciler.
#[derive(Clone)]
pub struct Reconciler {
    permits: Arc<Semaphore>,
}

impl Default for Reconciler {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Reconciler {
    /// Looks at a tenant soon. Never waits; many calls while it is being looked at are one more look.
    pub fn kick(&self, plane: &Arc<ControlPlane>, member: &Arc<Member>) {
        member.dirty.store(true, Ordering::SeqCst);
        if member.reconciling.swap(true, Ordering::SeqCst) {
            return;
        }
        let (plane, member, permits) = (plane.clone(), member.clone(), self.permits.clone());
        tokio::spawn(async move {
            loop {
                while member.dirty.swap(false, Ordering::SeqCst) {
                    let outcome = match permits.acquire().await {
                        Ok(_permit) => reconcile(&plane, &member).await,
                        Err(_) => return,
                    };
                    if let Err(error) = outcome {
                        tracing::warn!(tenant = %member.id, %error, "trying again soon");
                        tokio::time::sleep(RETRY).await;
                        member.dirty.store(true, Ordering::SeqCst);
                    }
                }
                member.reconciling.store(false, Ordering::SeqCst);
                // A kick between the last look and the line above found us still at it and left.
                if !member.dirty.load(Ordering::SeqCst)
                    || member.reconciling.swap(true, Ordering::SeqCst)
                {
                    return;
                }
            }
        });
    }
}

/// Takes steps until the rule rests. An error means that it is worth trying again.
async fn reconcile(plane: &ControlPlane, member: &Member) -> Result<(), RuntimeError> {
    let _hands = member.hands.lock().await;
    while plane.fleet.may_act(member.runtime()) && plane.fleet.get(member.id).is_some() {
        let snapshot = member.snapshot();
        let (wanted, process) = inputs(&snapshot);
        match decide(wanted, process) {
            Step::Settled => break,
            Step::Start => start(plane, member, &snapshot).await?,
            Step::Stop => stop(plane, member, snapshot.stop_mode).await?,
            Step::Evict => evict(plane, member, &snapshot).await?,
        }
    }
    Ok(())
}

/// Starts the wanted generation. An error means that it is worth trying again.
async fn start(
    plane: &ControlPlane,
    member: &Member,
    snapshot: &Snapshot,
) -> Result<(), RuntimeError> {
    let generation = snapshot.record.worker.generation;
    let launch = match launch::prepare(&plane.settings, &plane.link_key, &snapshot.record) {
        Ok(launch) => launch,
        Err(error) => {
            fail(plane, member, generation, error.to_string(), Vec::new()).await;
            return Ok(());
        }
    };
    let settle = match snapshot.record.config.heartbeat {
        HeartbeatMode::Link => Duration::ZERO,
        HeartbeatMode::Process => SETTLE,
    };
    member.update(|snapshot| snapshot.starting = Some(generation));
    let answer = plane.runtime_of(member).start(&launch, settle).await;
    let outcome = take_in_answer(plane, member, generation, answer).await;
    // Only now may a process that shows as running count as such.
    member.update(|snapshot| snapshot.starting = None);
    outcome
}

async fn take_in_answer(
    plane: &ControlPlane,
    member: &Member,
    generation: u64,
    answer: Result<ObservedWorker, RuntimeError>,
) -> Result<(), RuntimeError> {
    match answer {
        Ok(process) => observe_start(plane, member, process),
        Err(RuntimeError::AlreadyRunning { name }) => {
            // Somebody else started it meanwhile; look again at what it is.
            if let Some(process) = plane.runtime_of(member).get(&name).await? {
                plane.observe(member, Some(process));
            }
        }
        Err(error @ (RuntimeError::Unreachable { .. } | RuntimeError::Busy { .. })) => {
            return Err(error);
        }
        Err(error) => {
            let log_tail = error.log_tail().to_vec();
            fail(plane, member, generation, error.to_string(), log_tail).await;
            if let Ok(process) = plane.runtime_of(member).get(&member.worker_name).await {
                plane.observe(member, process);
            }
        }
    }
    Ok(())
}

async fn fail(
    plane: &ControlPlane,
    member: &Member,
    generation: u64,
    reason: String,
    log_tail: Vec<String>,
) {
    tracing::warn!(tenant = %member.id, generation, reason, "worker could not be started");
    plane.start_failed(member, StartFailure { generation, reason, log_tail }).await;
}

/// Ends the process. An error means that it is worth trying again.
async fn stop(plane: &ControlPlane, member: &Member, mode: StopMode) -> Result<(), RuntimeError> {
    match plane.runtime_of(member).stop(&member.worker_name, mode).await {
        Ok(process) => plane.observe(member, Some(process)),
        Err(RuntimeError::Unknown { .. }) => plane.observe(member, None),
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Ends the worker where it does not belong: what a restored dump of PM2's brings up again after a
/// migration, for example. An error means that it is worth trying again.
async fn evict(
    plane: &ControlPlane,
    member: &Member,
    snapshot: &Snapshot,
) -> Result<(), RuntimeError> {
    for kind in snapshot.strays.iter().copied() {
        plane.runtimes.get(kind).forget(&member.worker_name).await?;
        member.observe_stray(kind, false);
        let belongs = member.runtime();
        plane.recorder.event(
            member.id,
            "worker.evicted",
            format!("from {kind}; it runs in {belongs}"),
        );
    }
    Ok(())
}

/// Takes in the answer to a start, unless the news has told more of the same process meanwhile: an
/// answer that says "running" must not cover that it has died since.
fn observe_start(plane: &ControlPlane, member: &Member, answer: ObservedWorker) {
    let told_since = member.snapshot().process.is_some_and(|known| {
        known.incarnation == answer.incarnation && !matches!(known.state, ObservedState::Starting)
    });
    if !told_since {
        plane.observe_news(member, answer);
    }
}
