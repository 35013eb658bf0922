use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;

use super::{Context, Decision, Incoming, Outcome, Silence};
use crate::read::from_toml;
use crate::set::Media;
use crate::{RuleSet, Rules};

const SET: &str = r#"
business = "Duka"
time_zone = "Africa/Nairobi"
hours = [{ days = ["mon-fri"], from = "08:00", to = "17:00" }]
variables = { till = "4711" }
webhook = { url = "https://example.com/hook" }
opt_out = { words = ["niache"], return_words = ["nirudishe"] }

[[rules]]
name = "newcomer"
match = { first_contact = true, language = ["sw"] }
action = { reply = "Karibu {name|rafiki}! {business}, saa {time}." }

[[rules]]
name = "picture"
match = { media = ["image", "video"] }
action = { media = { file = "menu.pdf", kind = "document", caption = "For {name}" } }

[[rules]]
name = "night prices"
match = { keywords = ["price", "bei"], hours = "closed" }
action = { reply = "Closed. Till {till}." }

[[rules]]
name = "prices"
match = { keywords = ["price", "bei"] }
action = { reply = "Till {till}. You wrote: {message}" }

[[rules]]
name = "order number"
match = { regex = ['\b[A-Z]{2}\d{3}\b'] }
action = "webhook"

[[rules]]
name = "person"
match = { keywords = ["help"], keyword_mode = "exact" }
action = { hand_over = { minutes = 30, reply = "Soon." } }

[[rules]]
name = "spam"
match = { keywords = ["http"], keyword_mode = "contains" }
action = "ignore"
"#;

/// Wednesday, 10:00 and 20:00 in Nairobi.
const DAY: &str = "2026-11-25T07:00:00Z";
const NIGHT: &str = "2026-11-25T17:00:00Z";

fn rules() -> Rules {
    Rules::compile(&from_toml(SET).unwrap()).unwrap()
}

fn context(now: &str) -> Context<'static> {
    Context {
        now: now.parse().unwrap(),
        business: "The tenant",
        first_contact: false,
        opted_out: false,
        handed_over_until: None,
    }
}

fn decide(text: &str, media: Media, context: &Context<'_>) -> Decision {
    rules()
        .decide(&Incoming { text, media, name: "Asha", number: "2547", in_group: false }, context)
}

fn reply(text: &str) -> Outcome {
    Outcome::Reply(text.to_owned())
}

#[test]
fn the_first_rule_whose_conditions_all_hold_decides() {
    let first = Context { first_contact: true, ..context(DAY) };
    let table = [
        ("Habari yako", first, Some("newcomer"), reply("Karibu Asha! Duka, saa 10:00.")),
        (
            "Hello, the price?",
            first,
            Some("prices"),
            reply("Till 4711. You wrote: Hello, the price?"),
        ),
        ("BEI?", context(DAY), Some("prices"), reply("Till 4711. You wrote: BEI?")),
        ("BEI?", context(NIGHT), Some("night prices"), reply("Closed. Till 4711.")),
        ("see ab123 please", context(DAY), Some("order number"), Outcome::Webhook),
        (
            "Help!",
            context(DAY),
            Some("person"),
            Outcome::HandOver { minutes: 30, reply: Some("Soon.".to_owned()) },
        ),
        ("https://spam", context(DAY), Some("spam"), Outcome::Ignore),
        ("help me", context(DAY), None, Outcome::Silent(Silence::NoRule)),
    ];
    for (text, context, rule, outcome) in table {
        let decision = decide(text, Media::Text, &context);
        assert_eq!((decision.rule.as_deref(), &decision.outcome), (rule, &outcome), "{text}");
        assert!(!decision.reasons.is_empty());
    }
}

#[test]
fn a_picture_is_answered_with_a_file() {
    let decision = decide("", Media::Image, &context(DAY));
    assert_eq!(decision.rule.as_deref(), Some("picture"));
    let Outcome::Media { caption, .. } = decision.outcome else { panic!("{:?}", decision.outcome) };
    assert_eq!(caption, "For Asha");
}

#[test]
fn reasons_say_what_held_and_what_did_not() {
    let decision = decide("bei", Media::Text, &context(DAY));
    assert_eq!(decision.reasons, ["keyword \"bei\" as a word"]);
    let passed: Vec<&str> = decision.passed.iter().map(|(rule, _)| rule.as_str()).collect();
    assert_eq!(passed, ["newcomer", "picture", "night prices"]);
    assert_eq!(decision.passed[0].1, "not the contact's first message");
    assert_eq!(decision.passed[2].1, "the business is open");
}

#[test]
fn opting_out_is_confirmed_once_and_holds_until_the_contact_is_back() {
    for word in ["STOP", " stop! ", "Acha", "sitisha.", "UNSUBSCRIBE", "Niache"] {
        let decision = decide(word, Media::Text, &context(DAY));
        assert!(matches!(decision.outcome, Outcome::OptOut(_)), "{word}: {decision:?}");
    }
    let Outcome::OptOut(swahili) = decide("acha", Media::Text, &context(DAY)).outcome else {
        panic!()
    };
    assert!(swahili.contains("ANZA"));
    // In a sentence it is no opt-out.
    assert_eq!(
        decide("please stop by, price?", Media::Text, &context(DAY)).rule.as_deref(),
        Some("prices")
    );
    let out = Context { opted_out: true, ..context(DAY) };
    for text in ["stop", "bei", "help", "AB123", ""] {
        let decision = decide(text, Media::Text, &out);
        assert_eq!(decision.outcome, Outcome::Silent(Silence::OptedOut), "{text}");
    }
    for word in ["START", "anza", "nirudishe"] {
        assert!(matches!(decide(word, Media::Text, &out).outcome, Outcome::OptIn(_)), "{word}");
    }
    // Who is in already says an ordinary word.
    assert_eq!(decide("start", Media::Text, &context(DAY)).rule, None);
}

#[test]
fn a_chat_that_was_handed_over_is_silent_until_then() {
    let now: DateTime<Utc> = DAY.parse().unwrap();
    let over = Context { handed_over_until: Some(now + Duration::minutes(1)), ..context(DAY) };
    let silent = decide("bei", Media::Text, &over);
    assert_eq!(silent.outcome, Outcome::Silent(Silence::HandedOver));
    assert!(silent.reasons[0].contains("2026-11-25 10:01 EAT"), "{silent:?}");
    // An opt-out is heard all the same.
    assert!(matches!(decide("stop", Media::Text, &over).outcome, Outcome::OptOut(_)));
    let past = Context { handed_over_until: Some(now), ..context(DAY) };
    assert_eq!(decide("bei", Media::Text, &past).rule.as_deref(), Some("prices"));
}

#[test]
fn a_greeting_answers_every_text_as_it_is() {
    let rules = Rules::greeting("Hello {name}, {{");
    let message =
        Incoming { text: "x", media: Media::Text, name: "Asha", number: "1", in_group: false };
    assert_eq!(rules.decide(&message, &context(DAY)).outcome, reply("Hello {name}, {{"));
    let picture = Incoming { text: "", media: Media::Image, ..message };
    assert_eq!(rules.decide(&picture, &context(DAY)).outcome, Outcome::Silent(Silence::NoRule));
    let stop = Incoming { text: "stop", ..message };
    assert!(matches!(rules.decide(&stop, &context(DAY)).outcome, Outcome::OptOut(_)));
}

fn message() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,40}",
        prop::sample::select(vec!["bei", "STOP", "start", "help", "AB123", "http://x", "habari"])
            .prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn decisions_are_pure_and_hold_to_the_order(
        text in message(),
        media in prop::sample::select(Media::ALL),
        first_contact: bool,
        opted_out: bool,
        handed_over: Option<u16>,
        minute in 0_i64..20_000,
    ) {
        let now = context(DAY).now + Duration::minutes(minute);
        let handed_over_until = handed_over.map(|m| now + Duration::minutes(i64::from(m)) - Duration::minutes(100));
        let context = Context { now, first_contact, opted_out, handed_over_until, ..context(DAY) };
        let decision = decide(&text, media, &context);
        prop_assert_eq!(&decision, &decide(&text, media, &context));
        // Whoever opted out gets nothing but the confirmation that they are back.
        if opted_out {
            prop_assert!(matches!(decision.outcome, Outcome::Silent(Silence::OptedOut) | Outcome::OptIn(_)));
        } else if handed_over_until.is_some_and(|until| until > now) {
            prop_assert!(matches!(decision.outcome, Outcome::Silent(Silence::HandedOver) | Outcome::OptOut(_)));
        }
        // The matched rule and those before it are the set's, in its order.
        let names: Vec<String> = from_toml(SET).unwrap().rules.into_iter().map(|rule| rule.name).collect();
        for (index, (passed, why)) in decision.passed.iter().enumerate() {
            prop_assert_eq!(passed, &names[index]);
            prop_assert!(!why.is_empty());
        }
        if let Some(rule) = decision.rule.filter(|rule| !rule.starts_with("opt-")) {
            prop_assert_eq!(rule, names[decision.passed.len()].clone());
        }
    }

    #[test]
    fn a_set_survives_the_way_over_json(first in "[a-z]{1,8}", second in "[a-z ]{1,8}") {
        prop_assume!(!second.trim().is_empty());
        let toml = format!("[[rules]]\nname = \"{first}\"\nmatch = {{ keywords = [\"{second}\"] }}\naction = {{ reply = \"{second}\" }}\n");
        let set: RuleSet = from_toml(&toml).unwrap();
        prop_assert_eq!(&crate::from_json(&serde_json::to_value(&set).unwrap()).unwrap(), &set);
    }
}
