use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn run(uptime_ms: u64, now_ms: u64) -> EndedRun {
    EndedRun { exit: Some(Exit::Code(1)), uptime_ms, now_ms, chance: 0.0 }
}

#[test]
fn delays_grow_by_half_up_to_the_cap_as_pm2_has_them() {
    let policy =
        RestartPolicy { max_restarts: 100, backoff_jitter_percent: 0, ..RestartPolicy::default() };
    let mut ledger = RestartLedger::default();
    let delays: Vec<u64> = (0..15)
        .map(|_| match ledger.on_exit(&policy, &EndedRun { chance: 1.0, ..run(1500, 0) }) {
            Verdict::Restart { delay_ms } => delay_ms,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        delays,
        [100, 150, 225, 337, 505, 757, 1135, 1702, 2553, 3829, 5743, 8614, 12921, 15_000, 15_000]
    );
}

#[test]
fn a_fixed_delay_is_the_least_and_no_backoff_means_at_once() {
    let off = RestartPolicy { backoff_initial_ms: 0, ..RestartPolicy::default() };
    assert_eq!((delay(&off, 0, 0.0), delay(&off, 50, 1.0)), (0, 0));
    let fixed = RestartPolicy { restart_delay_ms: 400, ..off };
    assert_eq!((delay(&fixed, 0, 0.0), delay(&fixed, 50, 1.0)), (400, 400));
    let both = RestartPolicy { restart_delay_ms: 400, ..RestartPolicy::default() };
    assert_eq!((delay(&both, 0, 0.0), delay(&both, 4, 0.0)), (400, 505));
}

#[test]
fn a_crash_loop_is_errored_after_max_restarts() {
    let policy = RestartPolicy::default();
    let mut ledger = RestartLedger::default();
    let mut now = 0;
    for _ in 0..15 {
        match ledger.on_exit(&policy, &run(5, now)) {
            Verdict::Restart { delay_ms } => now += delay_ms + 5,
            other => panic!("{other:?}"),
        }
    }
    let reason = "ended 16 times within 1 s of its start in the last 5 min (max_restarts), \
                  last after 5 ms with exit code 1";
    let verdict = ledger.on_exit(&policy, &run(5, now));
    assert_eq!(verdict, Verdict::GiveUp { reason: reason.to_owned() });
}

#[test]
fn a_program_that_cannot_be_executed_is_unstable() {
    let policy = RestartPolicy { max_restarts: 2, ..RestartPolicy::default() };
    let mut ledger = RestartLedger::default();
    let missing = EndedRun { exit: None, ..run(0, 0) };
    assert_eq!(ledger.on_exit(&policy, &missing), Verdict::Restart { delay_ms: 100 });
    let reason = "ended 2 times within 1 s of its start in the last 5 min (max_restarts), \
                  last because it could not be executed";
    assert_eq!(ledger.on_exit(&policy, &missing), Verdict::GiveUp { reason: reason.to_owned() });
}

#[test]
fn a_slow_crash_loop_is_errored_after_max_crashes() {
    let policy = RestartPolicy { max_crashes: 10, ..RestartPolicy::default() };
    let mut ledger = RestartLedger::default();
    let killed = |now_ms| EndedRun { exit: Some(Exit::Signal(11)), ..run(20_000, now_ms) };
    for crash in 0..9 {
        let verdict = ledger.on_exit(&policy, &killed(crash * 60_000));
        assert!(matches!(verdict, Verdict::Restart { .. }), "{verdict:?}");
    }
    let clean = EndedRun { exit: Some(Exit::Code(0)), ..run(20_000, 9 * 60_000) };
    assert!(matches!(ledger.on_exit(&policy, &clean), Verdict::Restart { .. }));
    let reason = "failed 10 times within 30 s of its start in the last 1 h (max_crashes), \
                  last after 20 s with signal 11";
    let verdict = ledger.on_exit(&policy, &killed(10 * 60_000));
    assert_eq!(verdict, Verdict::GiveUp { reason: reason.to_owned() });
}

#[test]
fn a_healthy_run_wipes_the_slate_but_not_the_crashes() {
    let policy = RestartPolicy::default();
    let mut ledger = RestartLedger::default();
    for now in 0..10 {
        ledger.on_exit(&policy, &run(5, now));
    }
    let verdict = ledger.on_exit(&policy, &run(30_000, 100_000));
    assert_eq!(verdict, Verdict::Restart { delay_ms: 100 });
    assert_eq!((ledger.unstable(), ledger.crashes()), (0, 10));
}

#[test]
fn a_deliberate_restart_counts_for_nothing_and_heals_after_a_healthy_run() {
    let policy = RestartPolicy::default();
    let mut ledger = RestartLedger::default();
    ledger.on_exit(&policy, &run(5, 0));
    let before = ledger.clone();
    ledger.on_deliberate_restart(&policy, 10);
    assert_eq!(ledger, before);
    ledger.on_deliberate_restart(&policy, 30_000);
    assert_eq!(ledger.unstable(), 0);
    let verdict = ledger.on_exit(&policy, &run(5, 40_000));
    assert_eq!(verdict, Verdict::Restart { delay_ms: 100 });
}

#[test]
fn a_limit_beyond_counting_is_none_and_memory_stays_bounded() {
    let policy =
        RestartPolicy { max_restarts: u32::MAX, max_crashes: u32::MAX, ..RestartPolicy::default() };
    let mut ledger = RestartLedger::default();
    for _ in 0..10_000 {
        let verdict = ledger.on_exit(&policy, &run(0, 0));
        assert!(matches!(verdict, Verdict::Restart { .. }));
    }
    assert_eq!((ledger.unstable.0.len(), ledger.crashes.0.len()), (MOST_COUNTED, MOST_COUNTED));
}

fn exits() -> impl Strategy<Value = Option<Exit>> {
    prop_oneof![
        1 => Just(None),
        2 => Just(Some(Exit::Unknown)),
        3 => (1_i32..32).prop_map(|signal| Some(Exit::Signal(signal))),
        6 => (0_i32..4).prop_map(|code| Some(Exit::Code(code))),
    ]
}

prop_compose! {
    fn policies()(
        autorestart in prop::bool::weighted(0.95),
        max_restarts in 1_u32..12,
        max_crashes in 0_u32..12,
        (min_uptime_ms, more) in (0_u64..2000, 0_u64..30_000),
        (restart_window_ms, crash_window_ms) in (0_u64..60_000, 0_u64..600_000),
        restart_delay_ms in prop_oneof![Just(0_u64), 0_u64..20_000],
        (initial, extra) in (prop_oneof![Just(0_u64), 1_u64..5000], 0_u64..100_000),
        backoff_jitter_percent in 0_u8..=100,
        stop in prop::option::weighted(0.2, 0_i32..4),
    ) -> RestartPolicy {
        RestartPolicy {
            autorestart, max_restarts, min_uptime_ms, restart_window_ms, max_crashes,
            crash_window_ms, restart_delay_ms, backoff_initial_ms: initial,
            backoff_cap_ms: initial + extra, backoff_jitter_percent,
            healthy_uptime_ms: min_uptime_ms + more,
            stop_exit_codes: stop.into_iter().collect::<BTreeSet<i32>>(),
        }
    }
}

/// Every run that did not lead to rest, and what it counts for; windows are looked up anew each time.
#[derive(Default)]
struct Model {
    unstable: Vec<u64>,
    crashes: Vec<u64>,
}

impl Model {
    fn gives_up(&mut self, policy: &RestartPolicy, run: &EndedRun) -> bool {
        let failed = !matches!(run.exit, Some(Exit::Code(0) | Exit::Unknown));
        let healthy = run.exit.is_some() && run.uptime_ms >= policy.healthy_uptime_ms;
        let unstable = run.exit.is_none() || run.uptime_ms < policy.min_uptime_ms;
        let crash = failed && !healthy;
        if healthy {
            self.unstable.clear();
        }
        self.unstable.extend(unstable.then_some(run.now_ms));
        self.crashes.extend(crash.then_some(run.now_ms));
        let within =
            |times: &[u64], window| times.iter().filter(|at| run.now_ms - **at <= window).count();
        let too_unstable = within(&self.unstable, policy.restart_window_ms);
        let too_many = within(&self.crashes, policy.crash_window_ms);
        (unstable && too_unstable >= policy.max_restarts as usize)
            || (crash && policy.max_crashes > 0 && too_many >= policy.max_crashes as usize)
    }
}

proptest! {
    #[test]
    fn delays_stay_within_their_bounds(
        policy in policies(),
        attempt in 0_u32..200,
        chance in -0.5_f64..=1.5,
    ) {
        let (full, short) = (delay(&policy, attempt, 0.0), delay(&policy, attempt, chance));
        prop_assert!(full <= policy.backoff_cap_ms.max(policy.restart_delay_ms));
        prop_assert!(full >= policy.backoff_initial_ms.max(policy.restart_delay_ms));
        prop_assert!(short <= full && short >= policy.restart_delay_ms);
        let percent = u64::from(policy.backoff_jitter_percent);
        prop_assert!(short >= full - full * percent / 100);
        prop_assert!(delay(&policy, attempt + 1, 0.0) >= full);
    }

    #[test]
    fn any_sequence_is_judged_as_the_model_judges_it(
        policy in policies(),
        runs in prop::collection::vec((exits(), 0_u64..40_000, 0_u64..20_000), 1..80),
    ) {
        let mut ledger = RestartLedger::default();
        let mut model = Model::default();
        let mut now_ms = 0;
        for (exit, uptime_ms, pause) in runs {
            now_ms += pause + uptime_ms;
            let run = EndedRun { exit, uptime_ms, now_ms, chance: 0.5 };
            let verdict = ledger.on_exit(&policy, &run);
            let rests = !policy.autorestart
                || matches!(exit, Some(Exit::Code(code)) if policy.stop_exit_codes.contains(&code));
            prop_assert_eq!(verdict == Verdict::Rest, rests);
            if !rests {
                let gives_up = model.gives_up(&policy, &run);
                prop_assert_eq!(matches!(verdict, Verdict::GiveUp { .. }), gives_up);
                if gives_up { break; }
            }
            prop_assert!(ledger.unstable() < policy.max_restarts.max(1));
        }
    }

    #[test]
    fn healthy_runs_never_lead_to_giving_up(
        policy in policies(),
        runs in prop::collection::vec((0_i32..4, 0_u64..1000), 1..100),
    ) {
        let mut ledger = RestartLedger::default();
        let mut now_ms = 0;
        for (code, more) in runs {
            let uptime_ms = policy.healthy_uptime_ms + more;
            now_ms += uptime_ms;
            let run = EndedRun { exit: Some(Exit::Code(code)), uptime_ms, now_ms, chance: 0.0 };
            let verdict = ledger.on_exit(&policy, &run);
            prop_assert!(!matches!(verdict, Verdict::GiveUp { .. }), "{:?}", verdict);
        }
    }

    #[test]
    fn a_slow_loop_is_caught_exactly_at_max_crashes(
        max_crashes in 1_u32..200,
        uptime_ms in 1000_u64..15_000,
    ) {
        let policy = RestartPolicy { max_crashes, ..RestartPolicy::default() };
        let mut ledger = RestartLedger::default();
        for crash in 1..=max_crashes {
            let verdict = ledger.on_exit(&policy, &run(uptime_ms, u64::from(crash) * uptime_ms));
            prop_assert_eq!(matches!(verdict, Verdict::GiveUp { .. }), crash == max_crashes);
        }
    }
}
