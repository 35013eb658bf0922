//! The reconciler: makes what runs equal to what is wanted.
//!
//! It is level-triggered: it looks at the state as it is, never at how it came about, so that a lost
//! message, a crash half-way or a restart of the control plane leads to the same end. [`decide`] is
//! the pure rule for one tenant, [`driver`] carries it out.

pub mod driver;
pub mod watch;

use api::worker::DesiredState;
use runtime::ObservedState;

use crate::fleet::Snapshot;

/// What to do about one worker now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// What runs is what is wanted, or will become so by itself.
    Settled,
    /// Start the wanted generation.
    Start,
    /// End the process that runs; what comes after is decided when it is gone.
    Stop,
    /// Have another runtime forget the worker, which does not belong there.
    Evict,
}

/// What of a process matters to the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// There is none.
    None,
    /// One lives, or the runtime will bring it back, in this generation.
    Alive(u64),
    /// One was told to end and has not yet gone.
    Stopping,
    /// The runtime gave up on this generation.
    Failed(u64),
}

/// What the store wants of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Run or not.
    pub desired: DesiredState,
    /// In this generation.
    pub generation: u64,
    /// Whether this very generation could not be started; it is not tried again by itself.
    pub start_failed: bool,
    /// Whether another runtime has this worker too.
    pub stray: bool,
}

/// Decides the next step for one worker.
#[must_use]
pub fn decide(wanted: Wanted, process: Process) -> Step {
    match step_here(wanted, process) {
        // What is to end here ends, even if the other runtime does not answer.
        Step::Start | Step::Settled if wanted.stray => Step::Evict,
        step => step,
    }
}

/// The next step as far as the worker's own runtime goes.
fn step_here(wanted: Wanted, process: Process) -> Step {
    match (wanted.desired, process) {
        (_, Process::Stopping) => Step::Settled,
        (DesiredState::Stopped, Process::Alive(_)) => Step::Stop,
        (DesiredState::Stopped, Process::None | Process::Failed(_)) => Step::Settled,
        (DesiredState::Running, Process::Alive(generation)) => {
            if generation == wanted.generation {
                Step::Settled
            } else {
                Step::Stop
            }
        }
        (DesiredState::Running, Process::Failed(generation)) if generation == wanted.generation => {
            Step::Settled
        }
        (DesiredState::Running, Process::None | Process::Failed(_)) => {
            if wanted.start_failed {
                Step::Settled
            } else {
                Step::Start
            }
        }
    }
}

/// Whether a worker that is wanted lies still until somebody asks for it: it could not be started, or the
/// runtime gave up on it.
#[must_use]
pub fn has_given_up(wanted: Wanted, process: Process) -> bool {
    wanted.desired == DesiredState::Running
        && matches!(process, Process::None | Process::Failed(_))
        && decide(wanted, process) == Step::Settled
}

/// The rule's view of a snapshot.
#[must_use]
pub fn inputs(snapshot: &Snapshot) -> (Wanted, Process) {
    let worker = &snapshot.record.worker;
    let wanted = Wanted {
        desired: worker.desired,
        generation: worker.generation,
        start_failed: snapshot
            .start_failure
            .as_ref()
            .is_some_and(|failure| failure.generation == worker.generation),
        stray: !snapshot.strays.is_empty(),
    };
    let process = snapshot.process.as_ref().map_or(Process::None, |process| match process.state {
        ObservedState::Starting | ObservedState::Running { .. } | ObservedState::Backoff { .. } => {
            Process::Alive(process.generation)
        }
        ObservedState::Stopping => Process::Stopping,
        ObservedState::Stopped => Process::None,
        ObservedState::Failed { .. } => Process::Failed(process.generation),
    });
    (wanted, process)
}

#[cfg(test)]
mod tests;
