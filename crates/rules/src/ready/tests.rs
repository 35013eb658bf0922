use super::{ALL, find};
use crate::decide::{Context, Decision, Incoming, Outcome};
use crate::read::from_toml;
use crate::set::Media;
use crate::{RuleSet, Rules};

fn set(name: &str) -> RuleSet {
    from_toml(find(name).unwrap().toml).unwrap_or_else(|mistakes| panic!("{name}: {mistakes:#?}"))
}

fn decide(name: &str, text: &str, first_contact: bool, now: &str) -> Decision {
    let rules =
        Rules::compile(&set(name)).unwrap_or_else(|mistakes| panic!("{name}: {mistakes:#?}"));
    let message = Incoming {
        text,
        media: Media::Text,
        name: "Asha",
        number: "254700000001",
        in_group: false,
    };
    let context = Context {
        now: now.parse().unwrap(),
        business: "Duka la Mama",
        first_contact,
        opted_out: false,
        handed_over_until: None,
    };
    rules.decide(&message, &context)
}

/// A Wednesday, 10:00 in Nairobi, and 23:00.
const DAY: &str = "2026-11-25T07:00:00Z";
const NIGHT: &str = "2026-11-25T20:00:00Z";

#[test]
fn each_is_a_good_set_in_both_languages() {
    let names: Vec<&str> = ALL.iter().map(|set| set.name).collect();
    assert_eq!(
        names,
        ["booking-en", "booking-sw", "shop-en", "shop-sw", "support-en", "support-sw"]
    );
    for ready in ALL {
        assert!(Rules::compile(&set(ready.name)).is_ok(), "{}", ready.name);
        // Every message gets some answer: the last rule has no conditions.
        let nothing = decide(ready.name, "qwertz", false, DAY);
        assert!(matches!(nothing.outcome, Outcome::Reply(_)), "{}", ready.name);
    }
}

#[test]
fn what_people_write_finds_its_rule() {
    let table = [
        ("booking-en", "How much is a haircut?", DAY, "prices"),
        ("booking-en", "I'd like to book for Friday", NIGHT, "book"),
        ("booking-en", "Hi", NIGHT, "closed"),
        ("booking-sw", "Bei gani kusuka?", DAY, "bei"),
        ("booking-sw", "Naomba miadi kesho", DAY, "weka miadi"),
        ("booking-sw", "Asante sana", DAY, "asante"),
        ("shop-en", "where is my order", DAY, "order status"),
        ("shop-en", "do you deliver?", DAY, "delivery"),
        ("shop-en", "Thank you!", DAY, "thanks"),
        ("shop-sw", "oda yangu iko wapi", DAY, "oda iko wapi"),
        ("shop-sw", "nataka sukari", DAY, "agiza"),
        ("support-en", "I need a human", DAY, "person, open"),
        ("support-en", "I need a human", NIGHT, "person, closed"),
        ("support-en", "ticket #4711", DAY, "ticket number"),
        ("support-sw", "nimesahau nywila", DAY, "nywila"),
    ];
    for (name, text, now, rule) in table {
        let decision = decide(name, text, false, now);
        assert_eq!(decision.rule.as_deref(), Some(rule), "{name}: {text}: {decision:?}");
    }
}

#[test]
fn a_newcomer_is_greeted_by_name() {
    for ready in ALL {
        let Outcome::Reply(text) = decide(ready.name, "mm", true, DAY).outcome else {
            panic!("{} does not greet", ready.name);
        };
        assert!(text.contains("Asha") && text.contains("Duka la Mama"), "{}: {text}", ready.name);
    }
}
