//! From a decision to what is stored and sent. Pure.

use chrono::{DateTime, Duration, Utc};
use rules::{Context, Decision, Incoming, MediaReply, Outcome, Rules, WebhookAnswer, limits};

use crate::store::{Change, Pending, Standing, is_group};

/// What is done with a message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// What is sent: a text, or a file with its caption.
    pub(super) send: Option<(String, Option<MediaReply>)>,
    /// What changes about the chat.
    pub(super) change: Change,
    /// What the control plane hears.
    pub(super) note: Option<(&'static str, String)>,
    /// The rule that asks the webhook.
    pub(super) ask: Option<String>,
    /// The rule, for the log.
    pub(super) rule: Option<String>,
}

/// What the rules say.
pub(super) fn by_rules(
    rules: &Rules,
    business: &str,
    message: &Pending,
    standing: Standing,
    now: DateTime<Utc>,
) -> Plan {
    let incoming = Incoming {
        text: &message.text,
        media: message.media,
        name: &message.name,
        number: &message.number,
        in_group: is_group(&message.chat),
    };
    // A hand-over beyond the longest there can be is of a clock that was wrong.
    let longest = now + Duration::minutes(i64::from(limits::HANDOVER_MINUTES));
    let context = Context {
        now,
        business,
        first_contact: standing.first_contact,
        opted_out: standing.opted_out,
        handed_over_until: standing.handed_over_until.filter(|until| *until <= longest),
    };
    from_decision(rules.decide(&incoming, &context), &message.chat, now)
}

fn from_decision(decision: Decision, chat: &str, now: DateTime<Utc>) -> Plan {
    let text = |text: String| Some((text, None));
    let rule = decision.rule;
    let name = rule.clone().unwrap_or_default();
    let plan = match decision.outcome {
        Outcome::Reply(reply) => Plan { send: text(reply), ..Plan::default() },
        Outcome::Media { file, caption } => {
            Plan { send: Some((caption, Some(file))), ..Plan::default() }
        }
        Outcome::HandOver { minutes, reply } => {
            Plan { send: reply.and_then(text), ..hand_over(chat, minutes, &name, now) }
        }
        Outcome::Webhook => Plan { ask: Some(name), ..Plan::default() },
        Outcome::OptOut(confirmation) => Plan {
            send: text(confirmation),
            change: Change::OptedOut,
            note: Some(("contact.opted_out", format!("{chat} wants no more messages"))),
            ..Plan::default()
        },
        Outcome::OptIn(confirmation) => Plan {
            send: text(confirmation),
            change: Change::OptedIn,
            note: Some(("contact.opted_in", format!("{chat} wants messages again"))),
            ..Plan::default()
        },
        Outcome::Ignore | Outcome::Silent(_) => Plan::default(),
    };
    Plan { rule, ..plan }
}

/// What the webhook said. It was read when it came, and is read again.
pub(super) fn by_webhook(answer: &str, chat: &str, now: DateTime<Utc>) -> Plan {
    match WebhookAnswer::read(answer.as_bytes()) {
        Ok(WebhookAnswer::Reply(text)) => Plan { send: Some((text, None)), ..Plan::default() },
        Ok(WebhookAnswer::HandOver(minutes)) => hand_over(chat, minutes, "webhook", now),
        Ok(WebhookAnswer::Ignore) | Err(_) => Plan::default(),
    }
}

fn hand_over(chat: &str, minutes: u32, rule: &str, now: DateTime<Utc>) -> Plan {
    let until = now + Duration::minutes(i64::from(minutes));
    let shown = until.format("%Y-%m-%d %H:%M UTC");
    let detail =
        format!("{chat} waits for a person ({rule}); the bot is silent there until {shown}");
    Plan {
        change: Change::HandedOver(until),
        note: Some(("chat.handed_over", detail)),
        ..Plan::default()
    }
}

#[cfg(test)]
mod tests {
    use rules::{Media, from_toml};

    use super::*;

    fn message(text: &str) -> Pending {
        Pending {
            seq: 1,
            chat: "100@lid".to_owned(),
            author: "100@lid".to_owned(),
            number: "254700000001".to_owned(),
            message_id: "A".to_owned(),
            media: Media::Text,
            text: text.to_owned(),
            name: "Asha".to_owned(),
            at: Utc::now(),
        }
    }

    #[test]
    fn outcomes_become_sends_changes_and_notes() {
        let set = from_toml(
            r#"
            webhook = { url = "https://x/" }
            [[rules]]
            name = "who"
            match = { keywords = ["who"] }
            action = { reply = "{number} {business}" }
            [[rules]]
            name = "person"
            match = { keywords = ["person"] }
            action = { hand_over = { minutes = 5 } }
            [[rules]]
            name = "rest"
            action = "webhook"
            "#,
        );
        let rules = Rules::compile(&set.unwrap()).unwrap();
        let now = Utc::now();
        let plan = |text| by_rules(&rules, "Duka", &message(text), Standing::default(), now);
        assert_eq!(plan("who").send, Some(("254700000001 Duka".to_owned(), None)));
        let person = plan("person");
        assert_eq!(
            (person.send, person.change),
            (None, Change::HandedOver(now + Duration::minutes(5)))
        );
        assert_eq!(person.note.unwrap().0, "chat.handed_over");
        assert_eq!(plan("what").ask.as_deref(), Some("rest"));
        let out = plan("stop");
        assert_eq!((out.change, out.note.unwrap().0), (Change::OptedOut, "contact.opted_out"));
    }

    #[test]
    fn a_hand_over_does_not_outlast_a_clock_that_was_wrong() {
        let rules = Rules::greeting("hello");
        let now = Utc::now();
        let said = |days| {
            let until = Some(now + Duration::days(days));
            let standing = Standing { handed_over_until: until, ..Standing::default() };
            by_rules(&rules, "Duka", &message("hi"), standing, now).send.is_some()
        };
        assert_eq!((said(6), said(400)), (false, true));
    }

    #[test]
    fn what_the_webhook_said_becomes_the_same() {
        let now = Utc::now();
        assert_eq!(by_webhook(r#"{"reply": "hi"}"#, "c", now).send, Some(("hi".to_owned(), None)));
        assert_eq!(by_webhook(r#"{"ignore": true}"#, "c", now), Plan::default());
        let over = by_webhook(r#"{"handover_minutes": 2}"#, "c", now);
        assert_eq!(over.change, Change::HandedOver(now + Duration::minutes(2)));
    }
}
