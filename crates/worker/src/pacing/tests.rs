use api::pacing::{Beyond, ContactLimit, QuietHours, WarmUp};
use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;

fn pace(set: &Pacing) -> Pace {
    Pace::new(set, 600).unwrap()
}

fn at(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_800_000_000_000 + ms).unwrap()
}

fn tried(chat: &str, ms: i64, cold: bool) -> Tried {
    Tried { chat: chat.to_owned(), at_ms: at(ms).timestamp_millis(), cold }
}

#[test]
fn a_restart_forgets_neither_tenant_nor_contact_nor_strangers() {
    let set = Pacing {
        contact: ContactLimit { max: 2, minutes: 10, beyond: Beyond::Wait },
        warm_up: WarmUp { first_day: 1, growth_percent: 0, most: 1 },
        ..Pacing::default()
    };
    let history = vec![tried("a", 0, false), tried("a", 1000, false), tried("b", 2000, true)];
    let mut pacer = Pacer::with_history(history, Slowdown::default());
    let now = at(3000);
    assert_eq!(pacer.contact_ms("a", now, &pace(&set)), 597_000);
    assert_eq!(pacer.contact_ms("b", now, &pace(&set)), 0);
    assert_eq!(pacer.cold_ms(now, Some(now), &pace(&set)), 86_399_000);
    let tight = Pace::new(&set, 3).unwrap();
    assert_eq!(pacer.gate_ms(now, &tight), 57_000);
}

#[test]
fn off_lifts_all_but_the_tenants_limit_and_the_slowdown() {
    let night = QuietHours {
        from: "00:00".to_owned(),
        to: "24:00".to_owned(),
        time_zone: None,
        replies: true,
    };
    let on = Pacing {
        quiet: Some(night),
        contact: ContactLimit { max: 1, ..ContactLimit::default() },
        warm_up: WarmUp { first_day: 0, growth_percent: 0, most: 0 },
        ..Pacing::default()
    };
    let off = Pacing { off: true, ..on.clone() };
    let waits = |set: &Pacing| {
        let mut pacer = Pacer::with_history(vec![tried("a", 0, false)], Slowdown::default());
        let (now, pace) = (at(1), Pace::new(set, 1).unwrap());
        let typed = pace.typing("hello");
        let waits = [
            pacer.contact_ms("a", now, &pace),
            pacer.reply_ms(now, &pace),
            pacer.cold_ms(now, None, &pace),
        ];
        (waits.map(|wait| wait > 0), !typed.is_zero(), pacer.gate_ms(now, &pace) > 0)
    };
    assert_eq!(waits(&on), ([true; 3], true, true));
    assert_eq!(waits(&off), ([false; 3], false, true));
}

#[test]
fn each_limit_is_told_of_once_in_its_span() {
    let mut pacer = Pacer::default();
    let pace = pace(&Pacing::default());
    assert!(pacer.tell_contact("a", at(0), &pace).unwrap().contains("wait for their answers"));
    assert_eq!(pacer.tell_contact("a", at(599_999), &pace), None);
    assert!(pacer.tell_contact("b", at(1), &pace).is_some());
    assert!(pacer.tell_contact("a", at(600_000), &pace).is_some());
    assert!(pacer.tell_cold(60_001, at(0)).unwrap().contains("2 min"));
    assert_eq!(pacer.tell_cold(1, at(1)), None);
}

#[test]
fn a_refusal_stops_everything_for_a_while_and_is_told_once() {
    let mut pacer = Pacer::default();
    let pace = pace(&Pacing::default());
    let (kept, told) = pacer.struck("429", at(0), &pace).unwrap();
    assert!(
        told.contains("429") && told.contains("60 s") && told.contains("300 messages"),
        "{told}"
    );
    assert_eq!(pacer.struck("429", at(10), &pace), None);
    let mut next = Pacer::with_history(Vec::new(), kept);
    assert_eq!(next.gate_ms(at(1000), &pace), 59_000);
    assert_eq!(next.gate_ms(at(60_000), &pace), 0);
}

proptest! {
    #[test]
    fn whoever_waits_as_told_stays_within_every_limit(
        gaps in prop::collection::vec((0_i64..40_000, 0_u8..4), 1..120),
        max in 1_u32..6,
    ) {
        let set = Pacing {
            contact: ContactLimit { max, minutes: 1, beyond: Beyond::Wait },
            ..Pacing::default()
        };
        let pace = Pace::new(&set, 2 * max).unwrap();
        let mut pacer = Pacer::default();
        let mut now = at(0);
        let mut sent: Vec<(i64, u8)> = Vec::new();
        for (gap, contact) in gaps {
            now += TimeDelta::milliseconds(gap);
            let chat = contact.to_string();
            for _ in 0..2 {
                let wait = pacer.gate_ms(now, &pace).max(pacer.contact_ms(&chat, now, &pace));
                now += TimeDelta::milliseconds(i64::try_from(wait).unwrap());
            }
            prop_assert_eq!(pacer.gate_ms(now, &pace) + pacer.contact_ms(&chat, now, &pace), 0);
            pacer.note(&chat, false, now);
            sent.push((now.timestamp_millis(), contact));
        }
        for (i, (start, contact)) in sent.iter().enumerate() {
            let minute = sent[i..].iter().take_while(|(at, _)| *at < start + MINUTE_MS);
            let (all, same) = minute.fold((0, 0), |(all, same), (_, other)| {
                (all + 1, same + u32::from(other == contact))
            });
            prop_assert!(all <= 2 * max && same <= max);
        }
    }
}
