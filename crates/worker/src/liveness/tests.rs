use proptest::prelude::*;

use super::*;

const POLICY: Policy = Policy { quiet: Duration::from_secs(25), patience: Duration::from_secs(15) };

fn after(start: Instant, seconds: u64) -> Instant {
    start + Duration::from_secs(seconds)
}

#[test]
fn the_defaults_find_a_dead_connection_within_a_minute() {
    assert!(POLICY.longest() < Duration::from_secs(60));
}

#[test]
fn silence_is_asked_and_then_dead() {
    let start = Instant::now();
    let mut watch = Watch::new(POLICY, start);
    watch.proven(start);
    assert_eq!(watch.look(after(start, 5), Some(start)), Act::Look(after(start, 25)));
    assert_eq!(watch.look(after(start, 25), Some(start)), Act::Ping);
    assert_eq!(watch.look(after(start, 26), Some(start)), Act::Look(after(start, 40)));
    assert_eq!(watch.look(after(start, 40), Some(start)), Act::Dead);
}

#[test]
fn frames_without_an_answer_get_a_second_ping_and_no_third() {
    let start = Instant::now();
    let mut watch = Watch::new(POLICY, start);
    watch.proven(start);
    assert_eq!(watch.look(after(start, 25), None), Act::Ping);
    assert_eq!(watch.look(after(start, 40), Some(after(start, 30))), Act::Ping);
    assert_eq!(watch.look(after(start, 55), Some(after(start, 54))), Act::Dead);
}

#[test]
fn a_connection_that_never_opens_is_dead() {
    let start = Instant::now();
    let mut watch = Watch::new(POLICY, start);
    assert_eq!(watch.look(start, None), Act::Look(after(start, 55)));
    // A frame of the connection before counts for nothing.
    assert_eq!(watch.look(after(start, 55), start.checked_sub(POLICY.quiet)), Act::Dead);
}

#[test]
fn a_process_is_restarted_once_before_the_alert() {
    assert_eq!(remedy(1, false), Remedy::Reconnect);
    assert_eq!(remedy(2, false), Remedy::Restart);
    assert_eq!(remedy(1, true), Remedy::Reconnect);
    assert_eq!(remedy(2, true), Remedy::Alert);
}

proptest! {
    /// A dead connection is found in time, whatever it still brings and whenever one looks; one that
    /// answers is never taken for dead, however quiet it is.
    #[test]
    fn dead_ones_are_found_and_quiet_ones_are_not(
        answers in any::<bool>(),
        brings in prop::collection::vec(0_u64..60, 0..5),
        late_ms in 0_u64..500,
    ) {
        let start = Instant::now();
        let mut watch = Watch::new(POLICY, start);
        watch.proven(start);
        let mut now = start;
        let mut looks = 0;
        loop {
            let last_frame = brings.iter().map(|s| after(start, *s)).filter(|at| *at <= now).max();
            looks += 1;
            match watch.look(now, last_frame) {
                Act::Look(at) => now = at + Duration::from_millis(late_ms),
                Act::Ping if answers => {
                    now += Duration::from_millis(late_ms);
                    watch.proven(now);
                }
                Act::Ping => {}
                Act::Dead => break,
            }
            if answers && now > after(start, 600) {
                // One ping a quiet time, and one look for each.
                prop_assert!(looks <= 60, "{looks} looks in ten minutes");
                return Ok(());
            }
            prop_assert!(answers || now < after(start, 60));
        }
        prop_assert!(!answers, "a quiet connection was taken for dead");
        prop_assert!(now <= after(start, 60));
    }
}
