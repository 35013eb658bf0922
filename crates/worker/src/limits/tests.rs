use proptest::prelude::*;

use super::*;

#[test]
fn the_eleventh_waits_until_the_first_is_a_minute_old() {
    let mut limit = RateLimit::default();
    for n in 0..10 {
        assert_eq!(limit.wait_ms(n, 10), 0);
        limit.note(n);
    }
    assert_eq!(limit.wait_ms(1000, 10), 59_000);
    assert_eq!(limit.wait_ms(WINDOW_MS, 10), 0);
}

#[test]
fn a_restart_does_not_forget() {
    let mut limit = RateLimit::with_history(vec![2000, 1000]);
    assert_eq!(limit.wait_ms(3000, 2), 58_000);
}

#[test]
fn a_lowered_limit_waits_for_as_many_as_are_too_many() {
    let mut limit = RateLimit::with_history(vec![1000, 2000, 3000]);
    assert_eq!(limit.wait_ms(4000, 1), 59_000);
}

#[test]
fn a_clock_set_back_does_not_block() {
    let mut limit = RateLimit::with_history(vec![1_000_000]);
    assert_eq!(limit.wait_ms(5000, 1), 0);
}

proptest! {
    #[test]
    fn no_minute_holds_more_than_the_limit(
        max in 1_u32..20,
        gaps in prop::collection::vec(0_i64..15_000, 1..300),
    ) {
        let mut limit = RateLimit::default();
        let mut now = 0;
        let mut sent: Vec<i64> = Vec::new();
        for gap in gaps {
            now += gap;
            let wait = i64::try_from(limit.wait_ms(now, max)).unwrap();
            prop_assert!(wait <= WINDOW_MS);
            now += wait;
            prop_assert_eq!(limit.wait_ms(now, max), 0, "the wait was too short");
            limit.note(now);
            sent.push(now);
        }
        for (i, start) in sent.iter().enumerate() {
            let within = sent[i..].iter().take_while(|at| **at < start + WINDOW_MS).count();
            prop_assert!(within <= max as usize);
        }
    }
}
