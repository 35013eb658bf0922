//! The decision what to do with one message. A pure function of the rules, the message and what is
//! known of the chat.
//!
//! ```text
//! opt-out word? ─► opted out? ─► handed over? ─► first rule whose conditions all hold ─► nothing
//! ```

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::compile::{MediaSource, Prepared, Ready, Rules, When};
use crate::language::language;
use crate::limits;
use crate::set::{KeywordMode, Language, Media, MediaKind, OpenOrClosed};
use crate::words::Text;

/// A message that came in.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// Its text, or its caption; may be empty.
    pub text: &'a str,
    /// What kind it is.
    pub media: Media,
    /// The contact's name as they call themselves; may be empty.
    pub name: &'a str,
    /// The contact's number, or what is known in its place.
    pub number: &'a str,
    /// Whether it was written in a group.
    pub in_group: bool,
}

/// What is known besides the message.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The time of the decision.
    pub now: DateTime<Utc>,
    /// The tenant's name, for a set that names no business.
    pub business: &'a str,
    /// Whether it is the contact's first message.
    pub first_contact: bool,
    /// Whether the contact has opted out.
    pub opted_out: bool,
    /// Until when the chat is handed over to a person.
    pub handed_over_until: Option<DateTime<Utc>>,
}

/// What to do, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The rule that matched.
    pub rule: Option<String>,
    /// Why it matched, or why nothing is done.
    pub reasons: Vec<String>,
    /// The rules before it, each with the first condition that did not hold.
    pub passed: Vec<(String, String)>,
    /// What to do.
    pub outcome: Outcome,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Send this text.
    Reply(String),
    /// Send a file.
    Media {
        /// The file.
        file: MediaReply,
        /// The text below it; may be empty.
        caption: String,
    },
    /// Send the reply, if there is one, and be silent in this chat for so many minutes.
    HandOver {
        /// For how long.
        minutes: u32,
        /// What to say before.
        reply: Option<String>,
    },
    /// Ask the webhook.
    Webhook,
    /// Do nothing, because a rule says so.
    Ignore,
    /// The contact opts out: confirm it, and send nothing more.
    OptOut(String),
    /// The contact opts in again: confirm it.
    OptIn(String),
    /// Do nothing.
    Silent(Silence),
}

/// A file to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaReply {
    /// Where it comes from.
    pub source: MediaSource,
    /// As what it is shown.
    pub kind: MediaKind,
}

/// Why nothing is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// The contact has opted out.
    OptedOut,
    /// A person has taken over.
    HandedOver,
    /// No rule matches.
    NoRule,
}

impl Rules {
    /// Decides.
    #[must_use]
    pub fn decide(&self, message: &Incoming<'_>, context: &Context<'_>) -> Decision {
        let text = Text::new(message.text);
        let fill = |name: &str| self.variable(name, message, context);
        if let Some(decision) = self.without_rules(&text, context, &fill) {
            return decision;
        }
        let looked = Looked {
            text,
            media: message.media,
            first_contact: context.first_contact,
            in_group: message.in_group,
            open: self.opening.is_open(context.now, &self.zone),
        };
        let mut passed = Vec::new();
        for rule in &self.rules {
            match rule.when.verdict(&looked) {
                Ok(reasons) => {
                    let outcome = rule.outcome(&fill);
                    return Decision { rule: Some(rule.name.clone()), reasons, passed, outcome };
                }
                Err(why) => passed.push((rule.name.clone(), why)),
            }
        }
        let reasons = vec!["no rule matches".to_owned()];
        Decision { rule: None, reasons, passed, outcome: Outcome::Silent(Silence::NoRule) }
    }

    /// What is decided before any rule is looked at.
    fn without_rules(
        &self,
        text: &Text<'_>,
        context: &Context<'_>,
        fill: &dyn Fn(&str) -> String,
    ) -> Option<Decision> {
        let decided = |rule: Option<&str>, reason: String, outcome| Decision {
            rule: rule.map(str::to_owned),
            reasons: vec![reason],
            passed: Vec::new(),
            outcome,
        };
        let word = &text.folded;
        if context.opted_out {
            let outcome = match self.words.opts_in(text) {
                Some(language) => Outcome::OptIn(self.words.back_confirmation(language, fill)),
                None => {
                    let reason = "the contact has opted out".to_owned();
                    return Some(decided(None, reason, Outcome::Silent(Silence::OptedOut)));
                }
            };
            return Some(decided(Some("opt-in"), format!("{word:?} opts in again"), outcome));
        }
        if let Some(language) = self.words.opts_out(text) {
            let outcome = Outcome::OptOut(self.words.confirmation(language, fill));
            return Some(decided(Some("opt-out"), format!("{word:?} opts out"), outcome));
        }
        let until = context.handed_over_until.filter(|until| *until > context.now)?;
        let name = self.zone.abbreviation(until);
        let until = self.zone.local(until).format("%Y-%m-%d %H:%M");
        let reason = format!("the chat is handed over to a person until {until} {name}");
        Some(decided(None, reason, Outcome::Silent(Silence::HandedOver)))
    }

    fn variable(&self, name: &str, message: &Incoming<'_>, context: &Context<'_>) -> String {
        let local = self.zone.local(context.now);
        let cut = |text: &str| text.chars().take(limits::VALUE).collect();
        match name {
            "name" => message.name.chars().take(limits::NAME).collect(),
            "number" => cut(message.number),
            "message" => cut(message.text),
            "time" => local.format("%H:%M").to_string(),
            "date" => local.format("%Y-%m-%d").to_string(),
            "business" => self.business.clone().unwrap_or_else(|| context.business.to_owned()),
            own => self.variables.get(own).cloned().unwrap_or_default(),
        }
    }
}

/// What conditions look at.
struct Looked<'a> {
    text: Text<'a>,
    media: Media,
    first_contact: bool,
    in_group: bool,
    open: bool,
}

impl When {
    /// Why every condition holds, or the first that does not.
    fn verdict(&self, at: &Looked<'_>) -> Result<Vec<String>, String> {
        let mut reasons = Vec::new();
        reasons.extend(self.kind(at)?);
        if let Some(wanted) = self.first_contact {
            let words = if at.first_contact {
                "the contact's first message"
            } else {
                "not the contact's first message"
            };
            holds(wanted == at.first_contact, words, &mut reasons)?;
        }
        if let Some(wanted) = self.group {
            let words = if at.in_group { "written in a group" } else { "not written in a group" };
            holds(wanted == at.in_group, words, &mut reasons)?;
        }
        if let Some(wanted) = self.hours {
            let words = if at.open { "the business is open" } else { "the business is closed" };
            holds(at.open == (wanted == OpenOrClosed::Open), words, &mut reasons)?;
        }
        reasons.extend(self.keyword(at)?);
        reasons.extend(self.expression(at)?);
        if !self.language.is_empty() {
            let found: Language = language(&at.text);
            let words = format!("the language is {}", found.as_str());
            holds(self.language.contains(&found), &words, &mut reasons)?;
        }
        if reasons.is_empty() {
            reasons.push("it has no conditions".to_owned());
        }
        Ok(reasons)
    }

    fn kind(&self, at: &Looked<'_>) -> Result<Option<String>, String> {
        if self.media.is_empty() {
            return Ok(None);
        }
        let words = format!("the message is of kind {}", at.media.as_str());
        if self.media.contains(&at.media) { Ok(Some(words)) } else { Err(words) }
    }

    fn keyword(&self, at: &Looked<'_>) -> Result<Option<String>, String> {
        if self.keywords.is_empty() {
            return Ok(None);
        }
        let how = match self.mode {
            KeywordMode::Word => "as a word",
            KeywordMode::Contains => "in it",
            KeywordMode::Exact => "as the whole message",
        };
        match self.keywords.iter().find(|(_, keyword)| keyword.is_in(&at.text, self.mode)) {
            Some((keyword, _)) => Ok(Some(format!("keyword {keyword:?} {how}"))),
            None => Err(format!("none of its keywords {how}")),
        }
    }

    fn expression(&self, at: &Looked<'_>) -> Result<Option<String>, String> {
        if self.regex.is_empty() {
            return Ok(None);
        }
        let matches =
            |regex: &&regex::Regex| regex.is_match(at.text.raw) || regex.is_match(&at.text.folded);
        match self.regex.iter().find(matches) {
            Some(regex) => Ok(Some(format!("regular expression {:?}", regex.as_str()))),
            None => Err("none of its regular expressions matches".to_owned()),
        }
    }
}

fn holds(holds: bool, words: &str, reasons: &mut Vec<String>) -> Result<(), String> {
    if !holds {
        return Err(words.to_owned());
    }
    reasons.push(words.to_owned());
    Ok(())
}

impl Ready {
    fn outcome(&self, fill: &dyn Fn(&str) -> String) -> Outcome {
        match &self.action {
            Prepared::Reply(template) => match template.fill(fill) {
                // A variable may have been all there was, and empty.
                text if text.trim().is_empty() => Outcome::Ignore,
                text => Outcome::Reply(text),
            },
            Prepared::Media { file, caption } => Outcome::Media {
                file: file.clone(),
                caption: caption.as_ref().map(|text| text.fill(fill)).unwrap_or_default(),
            },
            Prepared::HandOver { minutes, reply } => Outcome::HandOver {
                minutes: *minutes,
                reply: reply
                    .as_ref()
                    .map(|reply| reply.fill(fill))
                    .filter(|text| !text.trim().is_empty()),
            },
            Prepared::Webhook => Outcome::Webhook,
            Prepared::Ignore => Outcome::Ignore,
        }
    }
}

#[cfg(test)]
mod tests;
