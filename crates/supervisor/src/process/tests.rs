use proptest::prelude::*;

use super::*;

fn phase() -> impl Strategy<Value = Phase> {
    prop::sample::select(vec![
        Phase::Launching,
        Phase::Online,
        Phase::Stopping,
        Phase::Stopped,
        Phase::WaitingRestart,
        Phase::Errored,
    ])
}

fn verb() -> impl Strategy<Value = Verb> {
    prop::sample::select(vec![
        Verb::Start,
        Verb::Stop,
        Verb::ForceStop,
        Verb::Restart,
        Verb::ForceRestart,
        Verb::Delete,
    ])
}

/// The least that stands for a process: which state it is in, and what follows.
#[derive(Debug)]
struct Model {
    phase: Phase,
    then: Option<AfterStop>,
    forgotten: bool,
    /// What the last admitted stop, delete or start wants in the end.
    wanted: Option<Phase>,
}

impl Model {
    fn ask(&mut self, verb: Verb) {
        match admit(self.phase, self.then, verb) {
            Admission::Launch => (self.phase, self.then) = (Phase::Launching, None),
            Admission::Terminate { then, .. } => {
                (self.phase, self.then) = (Phase::Stopping, Some(then));
            }
            Admission::Redirect { then, .. } => self.then = Some(then),
            Admission::Rest => self.phase = Phase::Stopped,
            Admission::Forget => self.forgotten = true,
            Admission::AlreadyRunning | Admission::Busy(_) => return,
        }
        self.wanted = match verb {
            Verb::Stop | Verb::ForceStop if self.then == Some(AfterStop::Forget) => None,
            Verb::Stop | Verb::ForceStop => Some(Phase::Stopped),
            Verb::Delete => None,
            Verb::Start | Verb::Restart | Verb::ForceRestart => Some(Phase::Online),
        };
    }

    /// It does not answer any more.
    fn fail(&mut self) {
        if self.phase == Phase::Online {
            (self.phase, self.then, self.wanted) =
                (Phase::Stopping, Some(AfterStop::Judge), Some(Phase::Errored));
        }
    }

    fn progress(&mut self) {
        match (self.phase, self.then) {
            (Phase::Launching, None) => self.phase = Phase::Online,
            (Phase::Launching, Some(_)) => self.phase = Phase::Stopping,
            (Phase::Stopping, Some(AfterStop::Rest) | None) => {
                (self.phase, self.then) = (Phase::Stopped, None);
            }
            (Phase::Stopping, Some(AfterStop::Launch)) => {
                (self.phase, self.then) = (Phase::Launching, None);
            }
            (Phase::Stopping, Some(AfterStop::Forget)) => self.forgotten = true,
            // The policy may give up at any time.
            (Phase::Stopping, Some(AfterStop::Judge | AfterStop::Fail)) => {
                (self.phase, self.then) = (Phase::Errored, None);
            }
            (Phase::Online | Phase::Stopped | Phase::WaitingRestart | Phase::Errored, _) => {}
        }
    }
}

proptest! {
    #[test]
    fn a_stop_is_never_refused_and_never_leads_to_a_launch(phase in phase(), then in prop::sample::select(
        vec![
            None, Some(AfterStop::Rest), Some(AfterStop::Launch), Some(AfterStop::Forget),
            Some(AfterStop::Judge), Some(AfterStop::Fail),
        ]
    )) {
        for verb in [Verb::Stop, Verb::ForceStop, Verb::Delete] {
            match admit(phase, then, verb) {
                Admission::Rest | Admission::Forget => {}
                Admission::Terminate { then, .. } | Admission::Redirect { then, .. } => {
                    prop_assert_ne!(then, AfterStop::Launch);
                }
                other => prop_assert!(false, "{:?} in {:?}: {:?}", verb, phase, other),
            }
        }
    }

    #[test]
    fn the_last_admitted_request_decides_where_it_ends(
        steps in prop::collection::vec((verb(), 0_usize..3, any::<bool>()), 1..40),
    ) {
        let mut model =
            Model { phase: Phase::Stopped, then: None, forgotten: false, wanted: None };
        for (verb, progress, fails) in steps {
            if fails { model.fail(); }
            model.ask(verb);
            for _ in 0..progress { model.progress(); }
            if model.forgotten { return Ok(()); }
        }
        for _ in 0..4 { model.progress(); }
        match model.wanted {
            Some(wanted) => prop_assert_eq!(model.phase, wanted),
            None => prop_assert!(model.forgotten || model.phase == Phase::Stopped),
        }
    }
}
