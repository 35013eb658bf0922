use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn budget(at_once: usize, per_second: f64, burst: u32) -> StartBudget {
    StartBudget::new(BudgetSettings { at_once, per_second, burst })
}

#[test]
fn asked_ones_go_first_and_each_class_in_its_order() {
    let mut budget = budget(3, 100.0, 100);
    for id in [1, 2] {
        budget.request(id, Class::Automatic);
    }
    for id in [8, 9] {
        budget.request(id, Class::Asked);
    }
    assert_eq!(budget.next(0), Next::Start(vec![8, 9, 1]));
    assert_eq!(budget.next(0), Next::Idle);
    budget.done(9);
    assert_eq!(budget.next(0), Next::Start(vec![2]));
}

#[test]
fn automatic_ones_wait_for_the_rate_and_asked_ones_do_not() {
    let mut budget = budget(100, 10.0, 2);
    for id in 0..4 {
        budget.request(id, Class::Automatic);
    }
    assert_eq!(budget.next(5000), Next::Start(vec![0, 1]));
    assert_eq!(budget.next(5000), Next::Wait { until_ms: 5100 });
    budget.request(9, Class::Asked);
    assert_eq!(budget.next(5001), Next::Start(vec![9]));
    assert_eq!(budget.next(5100), Next::Start(vec![2]));
}

#[test]
fn a_request_that_is_repeated_counts_once_and_may_gain_a_better_class() {
    let mut budget = budget(1, 1.0, 1);
    budget.request(1, Class::Automatic);
    budget.request(2, Class::Automatic);
    budget.request(2, Class::Automatic);
    budget.request(2, Class::Asked);
    budget.request(2, Class::Automatic);
    assert_eq!(budget.waiting(), 2);
    assert_eq!(budget.next(0), Next::Start(vec![2]));
    budget.done(2);
    assert_eq!(budget.next(0), Next::Start(vec![1]));
    budget.done(1);
    assert_eq!(budget.next(0), Next::Idle);
}

#[test]
fn a_request_during_its_own_launch_waits_for_the_launch_and_can_be_taken_back() {
    let mut budget = budget(4, 100.0, 100);
    budget.request(1, Class::Asked);
    assert_eq!(budget.next(0), Next::Start(vec![1]));
    budget.request(1, Class::Automatic);
    assert_eq!(budget.next(0), Next::Idle);
    budget.done(1);
    assert_eq!(budget.next(0), Next::Start(vec![1]));
    budget.request(1, Class::Asked);
    budget.cancel(1);
    assert!(budget.is_under_way(1));
    budget.done(1);
    assert_eq!(budget.next(0), Next::Idle);
}

#[test]
fn senseless_settings_still_start_everything() {
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let mut budget = budget(0, rate, 0);
        budget.request(1, Class::Automatic);
        assert_eq!(budget.next(0), Next::Start(vec![1]));
    }
}

#[test]
fn a_clock_that_jumps_backwards_neither_stalls_nor_floods() {
    let mut budget = budget(100, 10.0, 1);
    for id in 0..3 {
        budget.request(id, Class::Automatic);
    }
    assert_eq!(budget.next(1_000_000), Next::Start(vec![0]));
    assert_eq!(budget.next(500), Next::Wait { until_ms: 600 });
    assert_eq!(budget.next(600), Next::Start(vec![1]));
    assert_eq!(budget.next(0), Next::Wait { until_ms: 100 });
    assert_eq!(budget.next(100), Next::Start(vec![2]));
}

#[derive(Debug, Clone)]
enum Step {
    Request(u32, bool),
    Cancel(u32),
    /// Ends the nth launch that is under way.
    Done(usize),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (0_u32..40, any::<bool>()).prop_map(|(id, asked)| Step::Request(id, asked)),
        1 => (0_u32..40).prop_map(Step::Cancel),
        4 => any::<usize>().prop_map(Step::Done),
        3 => (0_u64..400).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..120)
}

/// What is known from outside: who was requested and not let through, who was let through and is not done.
#[derive(Default)]
struct Model {
    wanted: Vec<(u32, Class)>,
    under_way: Vec<u32>,
    again: HashSet<u32>,
    automatic_starts: Vec<u64>,
}

impl Model {
    fn request(&mut self, id: u32, class: Class) {
        if self.under_way.contains(&id) {
            self.again.insert(id);
        } else if let Some(found) = self.wanted.iter_mut().find(|(wanted, _)| *wanted == id) {
            if class == Class::Asked {
                found.1 = class;
            }
        } else {
            self.wanted.push((id, class));
        }
    }

    fn started(&mut self, id: u32, now_ms: u64) -> Result<(), TestCaseError> {
        let at = self.wanted.iter().position(|(wanted, _)| *wanted == id);
        prop_assert!(at.is_some(), "{id} was not to be started");
        let (_, class) = self.wanted.remove(at.unwrap());
        let asked_waits = self.wanted.iter().any(|(_, class)| *class == Class::Asked);
        prop_assert!(
            class == Class::Asked || !asked_waits,
            "{id} went before one that was asked for"
        );
        if class == Class::Automatic {
            self.automatic_starts.push(now_ms);
        }
        self.under_way.push(id);
        Ok(())
    }

    fn rate_holds(&self, per_second: f64, burst: u32) -> bool {
        let starts = &self.automatic_starts;
        (0..starts.len()).all(|from| {
            (from..starts.len()).all(|to| {
                let seconds = (starts[to] - starts[from]) as f64 / 1000.0;
                (to - from + 1) as f64 <= f64::from(burst) + per_second * seconds + 1e-6
            })
        })
    }
}

proptest! {
    #[test]
    fn bounds_hold_and_everything_starts_in_the_end(
        (at_once, per_second, burst) in (1_usize..6, 0.5_f64..200.0, 1_u32..8),
        steps in steps(),
    ) {
        let mut budget = budget(at_once, per_second, burst);
        let mut model = Model::default();
        let mut now_ms = 0_u64;
        // Classes of repeated requests during a launch are not followed by the model, so those are asked ones.
        for step in steps {
            match step {
                Step::Request(id, asked) => {
                    let asked = asked || model.under_way.contains(&id);
                    let class = if asked { Class::Asked } else { Class::Automatic };
                    budget.request(id, class);
                    model.request(id, class);
                }
                Step::Cancel(id) => {
                    budget.cancel(id);
                    model.wanted.retain(|(wanted, _)| *wanted != id);
                    model.again.remove(&id);
                }
                Step::Done(nth) if !model.under_way.is_empty() => {
                    let id = model.under_way.swap_remove(nth % model.under_way.len());
                    budget.done(id);
                    if model.again.remove(&id) {
                        model.wanted.push((id, Class::Asked));
                    }
                }
                Step::Done(_) => {}
                Step::Pass(ms) => now_ms += ms,
            }
            if let Next::Start(ids) = budget.next(now_ms) {
                prop_assert!(!ids.is_empty());
                for id in ids { model.started(id, now_ms)?; }
            }
            prop_assert!(model.under_way.len() <= at_once);
            prop_assert_eq!(budget.waiting(), model.wanted.len());
        }
        // From here on launches end at once: all that waits is started, and time only passes as asked for.
        for _ in 0..1000 {
            for id in model.under_way.drain(..) {
                budget.done(id);
                if model.again.remove(&id) { model.wanted.push((id, Class::Asked)); }
            }
            match budget.next(now_ms) {
                Next::Start(ids) => for id in ids { model.started(id, now_ms)?; },
                Next::Wait { until_ms } => {
                    prop_assert!(until_ms > now_ms);
                    now_ms = until_ms;
                }
                Next::Idle => break,
            }
        }
        prop_assert!(model.wanted.is_empty(), "never started: {:?}", model.wanted);
        prop_assert!(model.rate_holds(per_second, burst));
    }

    #[test]
    fn any_clock_is_borne(times in prop::collection::vec(any::<u64>(), 1..50)) {
        let mut budget = budget(1, 10.0, 1);
        for now_ms in times {
            budget.request(1, Class::Automatic);
            match budget.next(now_ms) {
                Next::Start(ids) => ids.into_iter().for_each(|id| budget.done(id)),
                Next::Wait { until_ms } => prop_assert!(until_ms > now_ms || now_ms == u64::MAX),
                Next::Idle => prop_assert!(false, "a free slot and somebody waiting"),
            }
        }
    }
}
