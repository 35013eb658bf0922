//! What the bot would do, in words.

use api::rules::{RulesVerdict, VerdictAction};

use crate::text::clean;

/// The verdict: the rules that did not match, the one that did, why, and what is sent.
pub(super) fn text(verdict: &RulesVerdict) -> String {
    let mut lines = Vec::new();
    for passed in &verdict.passed {
        lines.push(format!("  not {:?}: {}", clean(&passed.rule), clean(&passed.because)));
    }
    let reasons = clean(&verdict.reasons.join("; "));
    lines.push(match &verdict.rule {
        Some(rule) => format!("rule {:?}: {reasons}", clean(rule)),
        None => format!("no rule: {reasons}"),
    });
    lines.push(action(verdict));
    if let Some(reply) = &verdict.reply {
        lines.extend(reply.lines().map(|line| format!("  {}", clean(line))));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn action(verdict: &RulesVerdict) -> String {
    let minutes = verdict.handover_minutes.unwrap_or_default();
    let place = clean(verdict.media.as_deref().unwrap_or_default());
    let silence =
        format!("the chat is handed over to a person; the bot is silent for {minutes} minutes");
    match verdict.action {
        VerdictAction::Reply => "replies:".to_owned(),
        VerdictAction::Media if verdict.reply.is_some() => format!("sends {place} with:"),
        VerdictAction::Media => format!("sends {place}"),
        VerdictAction::HandOver if verdict.reply.is_some() => {
            format!("{silence}, after it replies:")
        }
        VerdictAction::HandOver => silence,
        VerdictAction::Webhook => "asks the webhook, and does what it answers".to_owned(),
        VerdictAction::OptOut => "the contact is opted out; the last that is sent:".to_owned(),
        VerdictAction::OptIn => "the contact is back; replies:".to_owned(),
        VerdictAction::Ignore | VerdictAction::Silent => "does nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use api::rules::{PassedRule, RulesVerdict, VerdictAction};

    use super::text;

    fn verdict(action: VerdictAction) -> RulesVerdict {
        RulesVerdict {
            rule: Some("prices".to_owned()),
            reasons: vec![
                "keyword \"bei\" as a word".to_owned(),
                "the business is open".to_owned(),
            ],
            passed: vec![PassedRule { rule: "a".to_owned(), because: "no\u{1b}pe".to_owned() }],
            action,
            reply: Some("one\ntwo".to_owned()),
            media: None,
            handover_minutes: None,
        }
    }

    #[test]
    fn a_verdict_reads_from_top_to_bottom() {
        assert_eq!(
            text(&verdict(VerdictAction::Reply)),
            "  not \"a\": no\u{fffd}pe\nrule \"prices\": keyword \"bei\" as a word; the business is open\nreplies:\n  one\n  two\n"
        );
        let over = RulesVerdict {
            handover_minutes: Some(5),
            reply: None,
            rule: None,
            ..verdict(VerdictAction::HandOver)
        };
        assert!(
            text(&over).contains("no rule: ") && text(&over).contains("silent for 5 minutes\n")
        );
    }
}
