use proptest::prelude::*;

use super::*;

const SPAN: i64 = 60_000;

fn with(sent: &[i64]) -> Window {
    let mut window = Window::default();
    sent.iter().for_each(|at| window.note(*at));
    window
}

#[test]
fn the_eleventh_waits_until_the_first_is_a_span_old() {
    let mut window = Window::default();
    for n in 0..10 {
        assert_eq!(window.wait_ms(n, 10, SPAN), 0);
        window.note(n);
    }
    assert_eq!(window.wait_ms(1000, 10, SPAN), 59_000);
    assert_eq!(window.wait_ms(SPAN, 10, SPAN), 0);
}

#[test]
fn a_lowered_limit_waits_for_as_many_as_are_too_many() {
    assert_eq!(with(&[1000, 2000, 3000]).wait_ms(4000, 1, SPAN), 59_000);
    assert_eq!(with(&[]).wait_ms(4000, 0, SPAN), 60_000);
}

#[test]
fn a_clock_set_back_does_not_block() {
    assert_eq!(with(&[1_000_000]).wait_ms(5000, 1, SPAN), 0);
}

proptest! {
    #[test]
    fn no_span_holds_more_than_the_limit(
        max in 1_u32..20,
        gaps in prop::collection::vec(0_i64..15_000, 1..300),
    ) {
        let mut window = Window::default();
        let mut now = 0;
        let mut sent: Vec<i64> = Vec::new();
        for gap in gaps {
            now += gap;
            let wait = i64::try_from(window.wait_ms(now, max, SPAN)).unwrap();
            prop_assert!(wait <= SPAN);
            now += wait;
            prop_assert_eq!(window.wait_ms(now, max, SPAN), 0, "the wait was too short");
            window.note(now);
            sent.push(now);
        }
        for (i, start) in sent.iter().enumerate() {
            let within = sent[i..].iter().take_while(|at| **at < start + SPAN).count();
            prop_assert!(within <= max as usize);
        }
    }
}
