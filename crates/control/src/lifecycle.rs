//! The lifecycle of a worker as operators ask for it: start, stop, restart, force-restart.
//!
//! Each request writes what is wanted into the store, hands the tenant to the reconciler, and waits
//! with a bound until it is observed. One request for a tenant at a time; a second one is refused.

use std::sync::Arc;
use std::time::Duration;

use api::worker::{DesiredState, LifecycleAction, LifecycleAnswer, WorkerStatus};
use chrono::Utc;
use runtime::{ObservedState, StopMode};
use tokio::sync::{OwnedMutexGuard, watch};
use tokio_util::sync::CancellationToken;

use crate::audit::{Actor, audited, record};
use crate::fleet::{Member, Snapshot, StartFailure, view};
use crate::plane::ControlPlane;
use crate::problem::{ApiError, Kind};
use crate::reconcile::{self, inputs};

/// How long a request waits until all workers are known.
const SYNC_WAIT: Duration = Duration::from_secs(3);
/// Lines of the log that a failed start shows.
const TAIL: usize = 20;

/// Carries out an action for somebody and writes it into the audit log. When the caller hangs up,
/// what was asked for goes on, but nobody waits for its effect any more.
///
/// # Errors
/// [`ApiError`]: what was refused or failed.
pub async fn act(
    plane: &Arc<ControlPlane>,
    member: &Arc<Member>,
    action: LifecycleAction,
    actor: Actor,
    wait: Duration,
) -> Result<LifecycleAnswer, ApiError> {
    let hung_up = CancellationToken::new();
    let _caller = hung_up.clone().drop_guard();
    let id = member.id;
    let name = format!("worker.{}", action.as_str());
    let (task_plane, task_member) = (Arc::clone(plane), Arc::clone(member));
    audited(plane, actor, name, move |_| Some(id), async move {
        let _guard = lock(&task_member)?;
        let patience = Patience { wait, hung_up };
        carry_out(&task_plane, &task_member, action, &patience).await
    })
    .await
}

/// Waits for the start of a generation that was asked for, and says how it went.
pub(crate) async fn await_start(
    plane: &ControlPlane,
    member: &Member,
    changes: watch::Receiver<Snapshot>,
    generation: u64,
    patience: &Patience,
) -> Result<LifecycleAnswer, ApiError> {
    match wait_for(changes, patience, |snapshot| started(snapshot, generation)).await {
        Some(Ok(())) => Ok(answer(member, true)),
        Some(Err(failure)) => Err(failed(plane, member, failure).await),
        None => Ok(answer(member, false)),
    }
}

/// How long to wait for an effect: for a time, and as long as somebody wants to know.
pub(crate) struct Patience {
    wait: Duration,
    hung_up: CancellationToken,
}

impl Patience {
    /// For a time, whoever listens.
    pub(crate) fn of(wait: Duration) -> Self {
        Self { wait, hung_up: CancellationToken::new() }
    }
}

/// Restarts a worker on behalf of the stale detector; gives whether it did, since somebody else may
/// be at it.
pub async fn restart_stale(
    plane: &Arc<ControlPlane>,
    member: &Arc<Member>,
    reason: String,
    mode: StopMode,
) -> bool {
    let Ok(_guard) = lock(member) else { return false };
    let outcome = want_running(plane, member, mode).await.map(drop);
    if outcome.is_ok() {
        plane.recorder.event(member.id, "worker.restarted", reason.clone());
    }
    record(plane, &Actor::System, "worker.restart", Some(member.id), &outcome, &reason).await;
    true
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
    let patience = Patience::of(plane.settings.lifecycle_wait);
    need_runtime(plane, member, &patience).await?;
    let answer = stop(plane, member, &patience).await?;
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

/// What came of [`rouse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roused {
    /// It is started now, or has not given up.
    Begun,
    /// Somebody else is at its lifecycle and has precedence.
    UnderWay,
    /// It was started for the same reason less than a minute ago, and has given up again.
    InVain,
}

/// Starts a worker that is wanted and has given up, for somebody who needs it, at most once a minute.
///
/// # Errors
/// [`Kind::RuntimeUnavailable`], or what the store says.
pub async fn rouse(plane: &Arc<ControlPlane>, member: &Arc<Member>) -> Result<Roused, ApiError> {
    let has_given_up = || {
        let (wanted, process) = inputs(&member.snapshot());
        reconcile::has_given_up(wanted, process)
    };
    if !has_given_up() {
        return Ok(Roused::Begun);
    }
    let Ok(_guard) = lock(member) else { return Ok(Roused::UnderWay) };
    need_runtime(plane, member, &Patience::of(plane.settings.lifecycle_wait)).await?;
    if !has_given_up() {
        return Ok(Roused::Begun);
    }
    if !member.activity.may_be_roused(Utc::now()) {
        return Ok(Roused::InVain);
    }
    let outcome = want_running(plane, member, StopMode::Graceful).await.map(drop);
    let why = "it was wanted and had given up; somebody asked for a code";
    record(plane, &Actor::System, "worker.start", Some(member.id), &outcome, why).await;
    outcome.map(|()| Roused::Begun)
}

pub(crate) fn lock(member: &Member) -> Result<OwnedMutexGuard<()>, ApiError> {
    member.lifecycle.clone().try_lock_owned().map_err(|_| {
        let detail = "another lifecycle request for this tenant is under way; wait for it";
        ApiError::new(Kind::LifecycleBusy, detail)
    })
}

/// Right after a start of the control plane, or of the supervisor, it takes a moment until all
/// workers are known; before that nothing may be decided.
pub(crate) async fn need_runtime(
    plane: &ControlPlane,
    member: &Member,
    patience: &Patience,
) -> Result<(), ApiError> {
    let kind = member.runtime();
    if plane.fleet.may_act_within(kind, patience.wait.min(SYNC_WAIT)).await {
        return Ok(());
    }
    let detail = format!(
        "the {kind} runtime does not answer at the moment; workers go on, nothing was changed"
    );
    Err(ApiError::new(Kind::RuntimeUnavailable, detail))
}

async fn carry_out(
    plane: &Arc<ControlPlane>,
    member: &Arc<Member>,
    action: LifecycleAction,
    patience: &Patience,
) -> Result<LifecycleAnswer, ApiError> {
    need_runtime(plane, member, patience).await?;
    let mode = match action {
        LifecycleAction::Stop => return stop(plane, member, patience).await,
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
    let stopping = member.snapshot().is_stopping();
    let generation = want_running(plane, member, mode).await?;
    if mode == StopMode::Force && stopping {
        // The reconciler waits for the graceful stop that is under way; this cuts it short.
        escalate(plane, member);
    }
    await_start(plane, member, changes, generation, patience).await
}

/// Ends a process that is being stopped gracefully at once, as far as possible.
fn escalate(plane: &Arc<ControlPlane>, member: &Arc<Member>) {
    let (plane, member) = (Arc::clone(plane), Arc::clone(member));
    tokio::spawn(async move {
        if let Err(error) =
            plane.runtime_of(&member).stop(&member.worker_name, StopMode::Force).await
        {
            tracing::debug!(tenant = %member.id, %error, "the stop could not be cut short");
        }
    });
}

fn already_running(snapshot: &Snapshot) -> ApiError {
    let worker = view::worker(snapshot);
    if snapshot.is_stopping() {
        let detail =
            format!("worker {} is being stopped; wait for it, or force-restart it", worker.name);
        return ApiError::new(Kind::LifecycleBusy, detail);
    }
    let pid = worker.pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
    let detail = format!(
        "worker {} is {}{pid}; use restart, or stop it first",
        worker.name,
        format!("{:?}", worker.status).to_uppercase()
    );
    ApiError::new(Kind::WorkerAlreadyRunning, detail)
}

pub(crate) fn answer(member: &Member, success: bool) -> LifecycleAnswer {
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
    patience: &Patience,
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
    let gone =
        wait_for(changes, patience, |snapshot| (!snapshot.has_process()).then_some(())).await;
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
    let died = || {
        let exit = process.exit.map(|exit| format!("its process ended with {exit}"));
        process.last_error.clone().or(exit).unwrap_or_else(|| "its process ended".to_owned())
    };
    match &process.state {
        ObservedState::Running { .. } => {
            // One that has trouble with WhatsApp was started all the same.
            let up = view::worker_status(snapshot) == WorkerStatus::Running
                || view::trouble(snapshot).is_some();
            up.then_some(Ok(()))
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
            plane.runtime_of(member).log_tail(&member.worker_name, TAIL).await.unwrap_or_default();
    }
    plane.start_failed(member, failure.clone()).await;
    if member.snapshot().has_process()
        && let Err(error) =
            plane.runtime_of(member).stop(&member.worker_name, StopMode::Force).await
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

/// Waits until `condition` holds of the state; `None` when patience ends before.
async fn wait_for<T>(
    mut changes: watch::Receiver<Snapshot>,
    patience: &Patience,
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
    tokio::select! {
        held = tokio::time::timeout(patience.wait, held) => held.ok().flatten(),
        () = patience.hung_up.cancelled() => None,
    }
}
