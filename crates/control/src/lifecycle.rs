//! The lifecycle of a worker as operators ask for it: start, stop, restart, force-restart.
//!
//! Each request writes what is wanted into the store, hands the tenant to the reconciler, and waits
//! with a bound until it is observed. One request for a tenant at a time; a second one is refused.

use std::sync::Arc;
use std::time::Duration;

use api::worker::{DesiredState, LifecycleAction, LifecycleAnswer, WorkerStatus};
use runtime::{ObservedState, StopMode};
use tokio::sync::{OwnedMutexGuard, watch};

use crate::audit::{Actor, record};
use crate::fleet::{Member, Snapshot, StartFailure, view};
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};

/// Lines of the log that a failed start shows.
const TAIL: usize = 20;

/// Carries out an action for somebody and writes it into the audit log.
///
/// # Errors
/// [`ApiError`]: what was refused or failed.
pub async fn act(
    plane: &Arc<ControlPlane>,
    member: &Arc<Member>,
    action: LifecycleAction,
    actor: &Actor,
    wait: Duration,
) -> Result<LifecycleAnswer, ApiError> {
    // The work goes on when the caller hangs up: half a lifecycle action helps nobody.
    let (task_plane, task_member) = (Arc::clone(plane), Arc::clone(member));
    let work = tokio::spawn(async move {
        let guard = lock(&task_member)?;
        carry_out(&task_plane, &task_member, action, wait, guard).await
    });
    let outcome =
        work.await.unwrap_or_else(|error| Err(ApiError::new(Kind::Internal, error.to_string())));
    let name = format!("worker.{}", action.as_str());
    let result = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
    record(plane, actor, &name, Some(member.id), &result, "").await;
    outcome
}

/// Restarts a worker on behalf of the stale detector, unless somebody is at it.
pub async fn restart_stale(
    plane: &Arc<ControlPlane>,
    member: &Arc<Member>,
    reason: String,
    mode: StopMode,
) {
    let Ok(_guard) = lock(member) else { return };
    let outcome = want_running(plane, member, mode).await.map(drop);
    if outcome.is_ok() {
        plane.recorder.event(member.id, "worker.restarted", reason.clone());
    }
    record(plane, &Actor::System, "worker.restart", Some(member.id), &outcome, &reason).await;
}

/// Stops a worker whoever wants it to run, and keeps everybody else off it meanwhile.
///
/// # Errors
/// [`Kind::LifecycleBusy`], [`Kind::WorkerStopFailed`], or what the store says.
pub async fn halt(
    plane: &Arc<ControlPlane>,
    member: &Arc<Member>,
) -> Result<OwnedMutexGuard<()>, ApiError> {
    let guard = lock(member)?;
    need_runtime(plane)?;
    let answer = stop(plane, member, plane.settings.lifecycle_wait).await?;
    if !answer.success {
        let detail = "its process has not ended in time; try again, or force-restart it first";
        return Err(ApiError::new(Kind::WorkerStopFailed, detail));
    }
    Ok(guard)
}

/// Lets a worker run again that [`halt`] stopped; the caller still keeps everybody else off it.
///
/// # Errors
/// What the store says.
pub async fn resume(plane: &Arc<ControlPlane>, member: &Arc<Member>) -> Result<(), ApiError> {
    want_running(plane, member, StopMode::Graceful).await.map(drop)
}

fn lock(member: &Member) -> Result<OwnedMutexGuard<()>, ApiError> {
    member.lifecycle.clone().try_lock_owned().map_err(|_| {
        let detail = "another lifecycle request for this tenant is under way; wait for it";
        ApiError::new(Kind::LifecycleBusy, detail)
    })
}

fn need_runtime(plane: &ControlPlane) -> Result<(), ApiError> {
    if plane.fleet.is_synced() {
        return Ok(());
    }
    let detail = "the supervisor does not answer at the moment; workers go on, nothing was changed";
    Err(ApiError::new(Kind::RuntimeUnavailable, detail))
}

async fn carry_out(
    plane: &Arc<ControlPlane>,
    member: &Arc<Member>,
    action: LifecycleAction,
    wait: Duration,
    _guard: OwnedMutexGuard<()>,
) -> Result<LifecycleAnswer, ApiError> {
    need_runtime(plane)?;
    let mode = match action {
        LifecycleAction::Stop => return stop(plane, member, wait).await,
        LifecycleAction::Start => {
            let snapshot = member.snapshot();
            if snapshot.has_process() {
                return Err(already_running(&snapshot));
            }
            StopMode::Graceful
        }
        LifecycleAction::Restart => StopMode::Graceful,
        LifecycleAction::ForceRestart => StopMode::Force,
    };
    let changes = member.subscribe();
    let generation = want_running(plane, member, mode).await?;
    match wait_for(changes, wait, |snapshot| started(snapshot, generation)).await {
        Some(Ok(())) => Ok(answer(member, true)),
        Some(Err(failure)) => Err(failed(plane, member, failure).await),
        None => Ok(answer(member, false)),
    }
}

fn already_running(snapshot: &Snapshot) -> ApiError {
    let worker = view::worker(snapshot);
    let pid = worker.pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
    let detail = format!(
        "worker {} is {}{pid}; use restart, or stop it first",
        worker.name,
        format!("{:?}", worker.status).to_uppercase()
    );
    ApiError::new(Kind::WorkerAlreadyRunning, detail)
}

fn answer(member: &Member, success: bool) -> LifecycleAnswer {
    LifecycleAnswer { success, worker: view::worker(&member.snapshot()) }
}

/// Writes that the worker shall run in a new generation, and hands it to the reconciler.
async fn want_running(
    plane: &Arc<ControlPlane>,
    member: &Arc<Member>,
    mode: StopMode,
) -> Result<u64, ApiError> {
    let generation = plane.store.want_running(member.id).await?;
    member.update(|snapshot| {
        let record = Arc::make_mut(&mut snapshot.record);
        record.worker.desired = DesiredState::Running;
        record.worker.generation = generation;
        record.worker.last_error = None;
        snapshot.start_failure = None;
        snapshot.stop_mode = mode;
    });
    plane.reconciler.kick(plane, member);
    Ok(generation)
}

async fn stop(
    plane: &Arc<ControlPlane>,
    member: &Arc<Member>,
    wait: Duration,
) -> Result<LifecycleAnswer, ApiError> {
    plane.store.want_stopped(member.id).await?;
    let changes = member.subscribe();
    member.update(|snapshot| {
        let record = Arc::make_mut(&mut snapshot.record);
        record.worker.desired = DesiredState::Stopped;
        record.worker.last_error = None;
        snapshot.start_failure = None;
        snapshot.stale = None;
        snapshot.stop_mode = StopMode::Graceful;
    });
    plane.reconciler.kick(plane, member);
    let gone = wait_for(changes, wait, |snapshot| (!snapshot.has_process()).then_some(())).await;
    Ok(answer(member, gone.is_some()))
}

/// Whether a generation is up, or will never be; `None` while that is open.
fn started(snapshot: &Snapshot, generation: u64) -> Option<Result<(), StartFailure>> {
    if let Some(failure) = &snapshot.start_failure
        && failure.generation == generation
    {
        return Some(Err(failure.clone()));
    }
    let process = snapshot.process.as_ref().filter(|process| process.generation == generation)?;
    let failure =
        |reason: String| Some(Err(StartFailure { generation, reason, log_tail: Vec::new() }));
    let died = || process.last_error.clone().unwrap_or_else(|| "its process ended".to_owned());
    match &process.state {
        ObservedState::Running { .. } => {
            (view::worker_status(snapshot) == WorkerStatus::Running).then_some(Ok(()))
        }
        ObservedState::Backoff { .. } => failure(died()),
        ObservedState::Failed { reason } => failure(reason.clone()),
        ObservedState::Starting | ObservedState::Stopping | ObservedState::Stopped => None,
    }
}

/// Ends what is left of a start that failed, so that it does not go on failing unseen, and says why.
async fn failed(plane: &ControlPlane, member: &Member, mut failure: StartFailure) -> ApiError {
    if failure.log_tail.is_empty() {
        failure.log_tail =
            plane.runtime.log_tail(&member.worker_name, TAIL).await.unwrap_or_default();
    }
    member.update(|snapshot| snapshot.start_failure = Some(failure.clone()));
    if member.snapshot().has_process()
        && let Err(error) = plane.runtime.stop(&member.worker_name, StopMode::Force).await
    {
        tracing::warn!(tenant = %member.id, %error, "a failed start could not be cleared away");
    }
    plane.recorder.event(member.id, "worker.start_failed", failure.reason.clone());
    let detail = format!(
        "worker {} could not be started: {}; mend the cause and start it again",
        member.worker_name, failure.reason
    );
    ApiError::new(Kind::WorkerStartFailed, detail).with_log_tail(failure.log_tail)
}

/// Waits until `condition` holds of the state; `None` when the time is over before.
async fn wait_for<T>(
    mut changes: watch::Receiver<Snapshot>,
    wait: Duration,
    condition: impl Fn(&Snapshot) -> Option<T>,
) -> Option<T> {
    let held = async {
        loop {
            if let Some(value) = condition(&changes.borrow_and_update()) {
                return Some(value);
            }
            if changes.changed().await.is_err() {
                return None;
            }
        }
    };
    tokio::time::timeout(wait, held).await.ok().flatten()
}
