use chrono::Utc;
use proptest::prelude::*;

use super::*;

const LIMIT: Duration = Duration::from_secs(600);
const LIVES: Duration = Duration::from_secs(180);

fn phone(n: u8) -> Phone {
    format!("+25470000000{n}").parse().unwrap()
}

fn qr() -> Input {
    Input::Qr(QrCode { code: "2@x".to_owned(), expires_at: Utc::now() })
}

fn code(n: u8) -> Input {
    let code = PairingCode { code: "ABCD1234".to_owned(), phone: phone(n), expires_at: Utc::now() };
    Input::Code(code, LIVES)
}

fn want(n: u8) -> Input {
    Input::Wish(Wish::Code(phone(n)))
}

#[test]
fn unscanned_codes_end_and_a_wish_begins_anew() {
    let start = Instant::now();
    let mut pairing = Pairing::new(false, LIMIT);
    assert_eq!(pairing.deadline(), None, "the time to scan begins with the first code");
    assert!(matches!(pairing.take(qr(), start), Effect::ShowQr(_)));
    pairing.take(Input::Lost, start);
    pairing.take(qr(), start + LIMIT / 2);
    assert_eq!(pairing.take(Input::Time, start + LIMIT - Duration::from_secs(1)), Effect::Nothing);
    assert_eq!(pairing.take(Input::Time, start + LIMIT), Effect::HangUp);
    assert_eq!(pairing.ending(), Some(&Ending::TimedOut));
    assert_eq!(pairing.take(qr(), start + LIMIT), Effect::Nothing);
    assert_eq!(pairing.take(Input::Wish(Wish::Qr), start + LIMIT), Effect::Connect);
    assert!(matches!(pairing.take(qr(), start + LIMIT), Effect::ShowQr(_)));
}

#[test]
fn a_code_is_asked_for_on_a_connection_that_takes_the_request() {
    let now = Instant::now();
    let mut pairing = Pairing::new(false, LIMIT);
    assert_eq!(pairing.take(want(1), now), Effect::Nothing, "no connection yet");
    assert_eq!(pairing.take(qr(), now), Effect::Ask(phone(1)));
    assert_eq!(pairing.take(code(2), now), Effect::Nothing, "another phone's");
    assert!(matches!(pairing.take(code(1), now), Effect::ShowCode(_)));
    assert_eq!(pairing.take(want(1), now), Effect::Nothing, "it is shown already");
    assert_eq!(pairing.take(want(2), now), Effect::Ask(phone(2)));
    pairing.take(code(2), now);
    pairing.take(Input::Lost, now);
    assert_eq!(pairing.step(), Some(PairingStep::CodeRequested), "it died with its connection");
    assert_eq!(pairing.take(qr(), now), Effect::Ask(phone(2)));
    pairing.take(code(2), now);
    assert_eq!(pairing.take(Input::Time, now + LIVES), Effect::HangUp);
    assert_eq!(pairing.ending(), Some(&Ending::TimedOut));
}

#[test]
fn from_code_to_qr_and_back() {
    let now = Instant::now();
    let mut pairing = Pairing::new(false, LIMIT);
    pairing.take(qr(), now);
    assert_eq!(pairing.take(want(1), now), Effect::Ask(phone(1)));
    pairing.take(code(1), now);
    assert_eq!(pairing.take(Input::Wish(Wish::Qr), now), Effect::Connect);
    assert_eq!(pairing.take(code(1), now), Effect::Nothing, "too late");
    assert!(matches!(pairing.take(qr(), now), Effect::ShowQr(_)));
}

#[test]
fn a_refusal_counts_only_while_an_answer_is_due() {
    let now = Instant::now();
    let mut pairing = Pairing::new(false, LIMIT);
    pairing.take(qr(), now);
    assert_eq!(pairing.take(Input::Refused("late".to_owned()), now), Effect::Nothing);
    pairing.take(want(1), now);
    assert_eq!(pairing.take(Input::Refused("429".to_owned()), now), Effect::HangUp);
    assert!(pairing.ending().unwrap().detail().contains("429"));
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        Just(qr()),
        (1_u8..3).prop_map(code),
        (1_u8..3).prop_map(want),
        Just(Input::Wish(Wish::Qr)),
        Just(Input::Wish(Wish::Cancel)),
        Just(Input::Refused("no".to_owned())),
        Just(Input::Void),
        Just(Input::Passkey),
        Just(Input::Linked),
        Just(Input::Unlinked),
        Just(Input::Lost),
        Just(Input::Time),
    ]
}

proptest! {
    /// Whatever happens in whatever order: a code shows only while it may, an end shows none, and
    /// codes that nobody uses come to an end.
    #[test]
    fn no_code_outlives_its_state(steps in prop::collection::vec((input(), 0_u64..400), 1..80)) {
        let mut now = Instant::now();
        let mut pairing = Pairing::new(false, LIMIT);
        for (input, seconds) in steps {
            now += Duration::from_secs(seconds);
            let was_over = pairing.ending().is_some();
            let was_paired = pairing.step().is_none();
            let effect = pairing.take(input.clone(), now);
            match &effect {
                Effect::ShowQr(_) => prop_assert_eq!(pairing.step(), Some(PairingStep::Qr)),
                Effect::ShowCode(_) => prop_assert_eq!(pairing.step(), Some(PairingStep::Code)),
                Effect::Ask(_) => prop_assert_eq!(pairing.step(), Some(PairingStep::CodeRequested)),
                Effect::HangUp => prop_assert!(pairing.ending().is_some()),
                Effect::Connect | Effect::Nothing => {}
            }
            if was_over && !matches!(input, Input::Wish(_) | Input::Linked | Input::Unlinked) {
                prop_assert!(pairing.ending().is_some(), "only a person begins anew");
            }
            if was_paired && input != Input::Unlinked {
                prop_assert_eq!(pairing.step(), None);
            }
            if let Some(deadline) = pairing.deadline() {
                prop_assert!(deadline <= now + LIMIT);
            }
            if input == Input::Time {
                prop_assert!(pairing.deadline().is_none_or(|deadline| deadline > now));
            }
        }
    }
}
