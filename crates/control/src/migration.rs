//! Moves a worker from one runtime to another, without a second one ever running.
//!
//! ```text
//!  old runtime: end the whole tree ─► forget ─► store: another runtime, next generation ─► new runtime: start
//!  └────── a failure or crash here leaves it where it was ──────┘└──── and from here on, where it goes ────┘
//! ```
//! What is wanted stays as it is throughout, so at each of these moments the reconciler, of this control
//! plane or the next, makes exactly one worker run in the place that the store names.

use std::sync::Arc;
use std::time::Duration;

use api::worker::{DesiredState, LifecycleAnswer, RuntimeKind};
use runtime::{RuntimeError, StopMode};

use crate::audit::{Actor, audited};
use crate::fleet::Member;
use crate::lifecycle::{self, Patience};
use crate::plane::ControlPlane;
use crate::problem::ApiError;

/// How long a runtime that was not in use has to say what it has.
const FIRST_PICTURE: Duration = Duration::from_secs(10);

/// Moves a worker for somebody and writes it into the audit log. One that is there already is left alone.
///
/// # Errors
/// [`ApiError`]. Until its tree is gone and forgotten, the worker stays where it was, as it was wanted.
pub async fn migrate(
    plane: &Arc<ControlPlane>,
    member: &Arc<Member>,
    to: RuntimeKind,
    actor: Actor,
    wait: Duration,
) -> Result<LifecycleAnswer, ApiError> {
    let id = member.id;
    let (plane, member) = (Arc::clone(plane), Arc::clone(member));
    let task_plane = Arc::clone(&plane);
    audited(&plane, actor, "worker.migrate", move |_| Some(id), async move {
        carry_out(&task_plane, &member, to, &Patience::of(wait)).await
    })
    .await
}

async fn carry_out(
    plane: &Arc<ControlPlane>,
    member: &Arc<Member>,
    to: RuntimeKind,
    patience: &Patience,
) -> Result<LifecycleAnswer, ApiError> {
    let _guard = lifecycle::lock(member)?;
    let from = member.runtime();
    if from == to {
        return Ok(lifecycle::answer(member, true));
    }
    prepare(plane, to).await?;
    lifecycle::need_runtime(plane, member, patience).await?;
    let changes = member.subscribe();
    let moved = hand_over(plane, member, to).await;
    // Wherever it is now, it is to be as it is wanted.
    plane.reconciler.kick(plane, member);
    let generation = moved?;
    plane.recorder.event(member.id, "worker.migrated", format!("from {from} to {to}"));
    match member.snapshot().record.worker.desired {
        DesiredState::Stopped => Ok(lifecycle::answer(member, true)),
        DesiredState::Running => {
            lifecycle::await_start(plane, member, changes, generation, patience).await
        }
    }
}

/// Makes sure that the new runtime answers before anything is ended in the old one.
async fn prepare(plane: &ControlPlane, to: RuntimeKind) -> Result<(), ApiError> {
    plane.runtimes.get(to).health().await?;
    if !plane.runtimes.used().contains(&to) {
        plane.fleet.expect(to);
        plane.runtimes.take_into_use(to);
    }
    if plane.fleet.may_act_within(to, FIRST_PICTURE).await {
        return Ok(());
    }
    let message = "it has not yet told what runs there; try again".to_owned();
    Err(RuntimeError::Unreachable { kind: to.as_str(), message }.into())
}

/// The move itself, with the reconciler's hands off the worker. Gives its generation.
async fn hand_over(
    plane: &ControlPlane,
    member: &Member,
    to: RuntimeKind,
) -> Result<u64, ApiError> {
    let _hands = member.hands.lock().await;
    let old = plane.runtime_of(member);
    match old.stop(&member.worker_name, StopMode::Graceful).await {
        Ok(process) => plane.observe(member, Some(process)),
        Err(RuntimeError::Unknown { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    old.forget(&member.worker_name).await?;
    plane.observe(member, None);
    let generation = plane.store.move_worker(member.id, to).await?;
    member.update(|snapshot| {
        let worker = &mut Arc::make_mut(&mut snapshot.record).worker;
        worker.runtime = to;
        worker.generation = generation;
        worker.last_error = None;
        snapshot.start_failure = None;
        snapshot.stale = None;
        snapshot.stop_mode = StopMode::Graceful;
        // What the new runtime has of it was never asked for; the old one has forgotten it.
        snapshot.strays.clear();
        snapshot.process = None;
    });
    Ok(generation)
}
