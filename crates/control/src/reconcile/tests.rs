use api::worker::DesiredState;
use proptest::prelude::*;

use super::{Process, Step, Wanted, decide};

fn process() -> impl Strategy<Value = Process> {
    prop_oneof![
        Just(Process::None),
        Just(Process::Stopping),
        (0_u64..6).prop_map(Process::Alive),
        (0_u64..6).prop_map(Process::Failed),
    ]
}

fn wanted() -> impl Strategy<Value = Wanted> {
    (prop::bool::ANY, 1_u64..6, prop::bool::ANY).prop_map(|(run, generation, start_failed)| {
        Wanted {
            desired: if run { DesiredState::Running } else { DesiredState::Stopped },
            generation,
            start_failed,
        }
    })
}

/// A runtime that does what it is told, one step at a time.
fn apply(step: Step, wanted: Wanted, process: Process) -> Process {
    match (step, process) {
        (Step::Start, Process::None | Process::Failed(_)) => Process::Alive(wanted.generation),
        (Step::Start, Process::Alive(_) | Process::Stopping) => unreachable!("started twice"),
        (Step::Stop, _) => Process::Stopping,
        (Step::Settled, Process::Stopping) => Process::None,
        (Step::Settled, process) => process,
    }
}

proptest! {
    /// Never two processes: a start is decided only where none lives.
    #[test]
    fn nothing_is_started_beside_a_living_process(wanted in wanted(), process in process()) {
        if decide(wanted, process) == Step::Start {
            prop_assert!(matches!(process, Process::None | Process::Failed(_)));
            prop_assert_eq!(wanted.desired, DesiredState::Running);
        }
    }

    /// From anywhere, a few steps lead to what is wanted, and there the rule rests.
    #[test]
    fn it_converges(wanted in wanted(), start in process()) {
        let mut process = start;
        for _ in 0..6 {
            process = apply(decide(wanted, process), wanted, process);
        }
        prop_assert_eq!(decide(wanted, process), Step::Settled);
        match wanted.desired {
            DesiredState::Stopped => prop_assert!(!matches!(process, Process::Alive(_) | Process::Stopping)),
            DesiredState::Running if wanted.start_failed => {
                prop_assert!(process != Process::Stopping);
                if let Process::Alive(generation) = process {
                    prop_assert_eq!(generation, wanted.generation);
                }
            }
            DesiredState::Running => {
                prop_assert!(matches!(process, Process::Alive(g) | Process::Failed(g) if g == wanted.generation));
            }
        }
    }
}
