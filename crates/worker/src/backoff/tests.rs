use proptest::prelude::*;

use super::*;

const DEFAULTS: Policy = Policy {
    initial: Duration::from_secs(5),
    factor: 3.0,
    max: Duration::from_secs(300),
    attempts: 10,
    healthy: Duration::from_secs(180),
    probe: Duration::from_secs(1800),
};

#[test]
fn the_default_ceilings_are_5_15_45_135_300_300_seconds() {
    let mut backoff = Backoff::new(DEFAULTS);
    let waits: Vec<u64> = (0..6).map(|_| backoff.failed(1.0).delay.as_secs()).collect();
    assert_eq!(waits, [5, 15, 45, 135, 300, 300]);
}

#[test]
fn after_the_last_attempt_it_only_probes() {
    let mut backoff = Backoff::new(DEFAULTS);
    let standings: Vec<Standing> = (0..12).map(|_| backoff.failed(0.5).standing).collect();
    assert_eq!(standings.iter().filter(|s| **s == Standing::Reached).count(), 1);
    assert_eq!(standings[9], Standing::Reached);
    assert_eq!(standings[11], Standing::Beyond);
    assert_eq!(backoff.failed(0.0).delay, DEFAULTS.probe / 2);
    assert_eq!(backoff.failed(1.0).delay, DEFAULTS.probe);
}

#[test]
fn only_a_connection_that_held_resets() {
    let mut backoff = Backoff::new(DEFAULTS);
    backoff.failed(1.0);
    backoff.failed(1.0);
    assert!(!backoff.held(DEFAULTS.healthy - Duration::from_millis(1)));
    assert_eq!(backoff.failed(1.0).failures, 3);
    assert!(backoff.held(DEFAULTS.healthy));
    assert_eq!(backoff.failed(1.0).delay, DEFAULTS.initial);
}

#[test]
fn restarts_in_a_row_are_obeyed_at_once_only_a_few_times() {
    let mut backoff = Backoff::new(DEFAULTS);
    let obeyed: Vec<bool> = (0..5).map(|_| backoff.restart()).collect();
    assert_eq!(obeyed, [true, true, true, false, false]);
    backoff.held(DEFAULTS.healthy);
    assert!(backoff.restart());
}

proptest! {
    #[test]
    fn waits_stay_between_a_tenth_of_the_first_ceiling_and_the_cap(
        initial_ms in 1_u64..60_000,
        factor in 1.0_f64..10.0,
        max_ms in 60_000_u64..3_600_000,
        attempts in 1_u32..20,
        jitters in prop::collection::vec(0.0_f64..=1.0, 1..200),
    ) {
        let policy = Policy {
            initial: Duration::from_millis(initial_ms),
            factor,
            max: Duration::from_millis(max_ms),
            attempts,
            ..DEFAULTS
        };
        let mut backoff = Backoff::new(policy);
        let mut previous = Duration::ZERO;
        for (n, jitter) in jitters.into_iter().enumerate() {
            let ceiling = backoff.ceiling();
            prop_assert!(ceiling >= previous, "the ceiling shrank");
            previous = ceiling;
            let wait = backoff.failed(jitter);
            if wait.standing == Standing::Within {
                prop_assert!(wait.delay <= policy.max);
                prop_assert!(wait.delay >= policy.initial.mul_f64(FLOOR * 0.999));
            } else {
                prop_assert!(wait.delay >= policy.probe / 2 && wait.delay <= policy.probe);
            }
            prop_assert_eq!(wait.failures as usize, n + 1);
        }
    }
}
