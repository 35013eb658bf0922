use api::worker::DesiredState;
use proptest::prelude::*;

use super::{Process, Step, Wanted, decide, has_given_up};

fn process() -> impl Strategy<Value = Process> {
    prop_oneof![
        Just(Process::None),
        Just(Process::Stopping),
        (0_u64..6).prop_map(Process::Alive),
        (0_u64..6).prop_map(Process::Failed),
    ]
}

fn wanted() -> impl Strategy<Value = Wanted> {
    (prop::bool::ANY, 1_u64..6, prop::bool::ANY, prop::bool::ANY).prop_map(
        |(run, generation, start_failed, stray)| Wanted {
            desired: if run { DesiredState::Running } else { DesiredState::Stopped },
            generation,
            start_failed,
            stray,
        },
    )
}

/// A runtime that does what it is told, one step at a time.
fn apply(step: Step, wanted: Wanted, process: Process) -> Process {
    match (step, process) {
        (Step::Start, Process::None | Process::Failed(_)) => Process::Alive(wanted.generation),
        (Step::Start, Process::Alive(_) | Process::Stopping) => unreachable!("started twice"),
        (Step::Stop, _) => Process::Stopping,
        (Step::Settled, Process::Stopping) => Process::None,
        (Step::Settled | Step::Evict, process) => process,
    }
}

proptest! {
    /// Never two processes: a start is decided only where none lives.
    #[test]
    fn nothing_is_started_beside_a_living_process(wanted in wanted(), process in process()) {
        if decide(wanted, process) == Step::Start {
            prop_assert!(matches!(process, Process::None | Process::Failed(_)));
            prop_assert!(!wanted.stray, "nor beside one in another runtime");
            prop_assert_eq!(wanted.desired, DesiredState::Running);
        }
    }

    /// What has given up comes to life with another generation, and nothing else has.
    #[test]
    fn what_has_given_up_is_started_by_another_generation(wanted in wanted(), process in process()) {
        let anew = Wanted { generation: 7, start_failed: false, ..wanted };
        if has_given_up(wanted, process) {
            prop_assert_eq!(decide(anew, process), Step::Start);
        } else if !wanted.stray && wanted.desired == DesiredState::Running {
            let lives = matches!(process, Process::Alive(_) | Process::Stopping);
            prop_assert!(lives || decide(wanted, process) == Step::Start);
        }
    }

    /// From anywhere, a few steps lead to what is wanted, and there the rule rests.
    #[test]
    fn it_converges(start_wanted in wanted(), start in process()) {
        let (mut wanted, mut process) = (start_wanted, start);
        for _ in 0..7 {
            let step = decide(wanted, process);
            process = apply(step, wanted, process);
            wanted.stray &= step != Step::Evict;
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
