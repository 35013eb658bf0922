use proptest::prelude::*;

use super::*;

fn run(uptime_ms: u64, now_ms: u64) -> EndedRun {
    EndedRun { exit: Some(Exit::Code(1)), uptime_ms, now_ms, chance: 0.0 }
}

#[test]
fn delays_grow_by_half_up_to_the_cap() {
    let policy = RestartPolicy { max_restarts: 100, ..RestartPolicy::default() };
    let delays: Vec<u64> = (0..15).map(|n| delay(&policy, n, 0.0)).collect();
    assert_eq!(
        delays,
        [100, 150, 225, 337, 505, 757, 1135, 1702, 2553, 3829, 5743, 8614, 12921, 15_000, 15_000]
    );
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
    assert!(matches!(ledger.on_exit(&policy, &run(5, now)), Verdict::GiveUp { .. }));
}

#[test]
fn a_healthy_run_wipes_the_slate() {
    let policy = RestartPolicy::default();
    let mut ledger = RestartLedger::default();
    for now in 0..10 {
        ledger.on_exit(&policy, &run(5, now));
    }
    let verdict = ledger.on_exit(&policy, &run(30_000, 100_000));
    assert_eq!(verdict, Verdict::Restart { delay_ms: 100 });
    assert_eq!(ledger.unstable(), 0);
}

#[test]
fn stop_exit_codes_and_autorestart_off_rest() {
    let mut policy = RestartPolicy::default();
    policy.stop_exit_codes.insert(1);
    assert_eq!(RestartLedger::default().on_exit(&policy, &run(5, 0)), Verdict::Rest);
    let policy = RestartPolicy { autorestart: false, ..RestartPolicy::default() };
    assert_eq!(RestartLedger::default().on_exit(&policy, &run(5, 0)), Verdict::Rest);
}

proptest! {
    #[test]
    fn delay_stays_within_its_bounds(
        initial in 0_u64..5000,
        extra in 0_u64..100_000,
        attempt in 0_u32..200,
        chance in 0.0_f64..=1.0,
    ) {
        let cap = initial + extra;
        let policy = RestartPolicy {
            backoff_initial_ms: initial, backoff_cap_ms: cap, ..RestartPolicy::default()
        };
        let (full, short) = (delay(&policy, attempt, 0.0), delay(&policy, attempt, chance));
        prop_assert!(full <= cap && full >= initial.min(cap));
        prop_assert!(short <= full && short >= full - full / 5);
        prop_assert!(delay(&policy, attempt + 1, 0.0) >= full);
    }

    #[test]
    fn the_ledger_is_bounded_and_gives_up_exactly_at_the_limit(
        max_restarts in 1_u32..20,
        runs in prop::collection::vec((0_u64..3000, 0_u64..60_000), 1..100),
    ) {
        let policy = RestartPolicy { max_restarts, ..RestartPolicy::default() };
        let mut ledger = RestartLedger::default();
        let mut now = 0;
        for (uptime, pause) in runs {
            now += pause + uptime;
            let verdict = ledger.on_exit(&policy, &run(uptime, now));
            let given_up = matches!(verdict, Verdict::GiveUp { .. });
            prop_assert_eq!(given_up, ledger.unstable() >= max_restarts);
            prop_assert!(ledger.unstable() <= max_restarts);
            if given_up { break; }
        }
    }
}
