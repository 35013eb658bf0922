//! From a rule set to rules that are ready to decide; what is wrong with the set is told, all at once.

use std::collections::{BTreeMap, BTreeSet};

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use crate::decide::MediaReply;
use crate::hours::{Opening, Zone, zone};
use crate::limits;
use crate::mistake::{Mistake, Mistakes};
use crate::opt_out::Words;
use crate::set::{
    Action, Groups, KeywordMode, Language, Match, Media, MediaAction, MediaKind, OpenOrClosed,
    OptOut, Rule, RuleSet,
};
use crate::template::{Template, Variables};
use crate::words::Keyword;

/// Rules that are ready to decide.
#[derive(Clone, Debug)]
pub struct Rules {
    pub(crate) business: Option<String>,
    pub(crate) zone: Zone,
    pub(crate) opening: Opening,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) words: Words,
    pub(crate) rules: Vec<Ready>,
    webhook: Option<String>,
    groups: Groups,
}

/// One rule, prepared.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    pub(crate) name: String,
    pub(crate) when: When,
    pub(crate) action: Prepared,
}

/// Conditions, prepared.
#[derive(Clone, Debug)]
pub(crate) struct When {
    /// With the texts as they were written, for the reasons.
    pub(crate) keywords: Vec<(String, Keyword)>,
    pub(crate) mode: KeywordMode,
    pub(crate) regex: Vec<Regex>,
    pub(crate) language: Vec<Language>,
    pub(crate) first_contact: Option<bool>,
    pub(crate) group: Option<bool>,
    pub(crate) media: Vec<Media>,
    pub(crate) hours: Option<OpenOrClosed>,
}

/// An action, prepared.
#[derive(Clone, Debug)]
pub(crate) enum Prepared {
    Reply(Template),
    Media { file: MediaReply, caption: Option<Template> },
    HandOver { minutes: u32, reply: Option<Template> },
    Webhook,
    Ignore,
}

/// Where a file comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaSource {
    /// From an address.
    Url(String),
    /// From the folder `media` of the tenant's session.
    File(String),
}

impl Rules {
    /// Prepares a set.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile(set: &RuleSet) -> Result<Self, Vec<Mistake>> {
        let mut mistakes = Mistakes::new();
        if let Some(business) = &set.business {
            mistakes.text("business", business, limits::NAME);
        }
        let zone = zone(set.time_zone.as_deref(), &mut mistakes);
        let opening = Opening::compile(&set.hours, &mut mistakes);
        let variables = Variables::check(&set.variables, &mut mistakes);
        let words = Words::compile(&set.opt_out, &variables, &mut mistakes);
        if let Some(webhook) = &set.webhook {
            address("webhook.url", &webhook.url, &mut mistakes);
        }
        mistakes.count("rules", set.rules.len(), limits::RULES);
        if set.rules.is_empty() {
            mistakes.add(
                "rules",
                "is empty; write a rule, or clear the rules to go back to the greeting",
            );
        }
        names_are_unique(&set.rules, &mut mistakes);
        let mut rules = Vec::new();
        for (index, rule) in set.rules.iter().enumerate() {
            mistakes.enter_rule(index, &rule.name);
            mistakes.text("name", &rule.name, limits::NAME);
            let when = conditions(&rule.when, !set.hours.is_empty(), &mut mistakes);
            if rule.when.group == Some(true) && set.groups == Groups::Ignore {
                mistakes.add("match.group", "can never hold: messages in groups are ignored; set `groups` at the top to \"mentions\" or \"all\"");
            }
            let action = action(&rule.action, set.webhook.is_some(), &variables, &mut mistakes);
            if let Some(action) = action {
                rules.push(Ready { name: rule.name.clone(), when, action });
            }
        }
        mistakes.leave_rule();
        let expressions: usize = set.rules.iter().map(|rule| rule.when.regex.len()).sum();
        if expressions > limits::REGEXES {
            let most = limits::REGEXES;
            mistakes.add("rules", format!("hold {expressions} regular expressions; at most {most} are allowed: use keywords where they do"));
        }
        unreachable_rules(&set.rules, &mut mistakes);
        mistakes.none_or(Self {
            business: set.business.clone(),
            zone,
            opening,
            variables: set.variables.clone(),
            words,
            rules,
            webhook: set.webhook.as_ref().map(|webhook| webhook.url.clone()),
            groups: set.groups,
        })
    }

    /// The rules of a tenant who has written none: every text is answered with the greeting.
    #[must_use]
    pub fn greeting(greeting: &str) -> Self {
        let mut mistakes = Mistakes::new();
        let variables = Variables::check(&BTreeMap::new(), &mut mistakes);
        let words = Words::compile(&OptOut::default(), &variables, &mut mistakes);
        let when = Match { media: vec![Media::Text], ..Match::default() };
        let rule = Ready {
            name: "greeting".to_owned(),
            when: conditions(&when, false, &mut mistakes),
            action: Prepared::Reply(Template::plain(greeting)),
        };
        Self {
            business: None,
            zone: Zone::utc(),
            opening: Opening::default(),
            variables: BTreeMap::new(),
            words,
            rules: vec![rule],
            webhook: None,
            groups: Groups::Ignore,
        }
    }

    /// Which messages in groups are for the bot.
    #[must_use]
    pub fn groups(&self) -> Groups {
        self.groups
    }

    /// The webhook's address.
    #[must_use]
    pub fn webhook(&self) -> Option<&str> {
        self.webhook.as_deref()
    }
}

fn names_are_unique(rules: &[Rule], mistakes: &mut Mistakes) {
    let mut seen = BTreeSet::new();
    for (index, rule) in rules.iter().enumerate() {
        if !seen.insert(&rule.name) {
            mistakes.enter_rule(index, &rule.name);
            mistakes.add("name", "another rule has this name; choose one that tells them apart");
        }
    }
    mistakes.leave_rule();
}

/// What follows a rule without conditions can never match.
fn unreachable_rules(rules: &[Rule], mistakes: &mut Mistakes) {
    let Some(all) = rules.iter().position(|rule| rule.when.is_empty()) else { return };
    if let (Some(first), Some(shadowed)) = (rules.get(all), rules.get(all + 1)) {
        mistakes.enter_rule(all + 1, &shadowed.name);
        let message = format!(
            "can never match: rule {:?} before it matches every message; move that one to the end",
            first.name
        );
        mistakes.add("match", message);
        mistakes.leave_rule();
    }
}

fn conditions(when: &Match, has_hours: bool, mistakes: &mut Mistakes) -> When {
    mistakes.count("match.keywords", when.keywords.len(), limits::LIST);
    mistakes.count("match.regex", when.regex.len(), limits::LIST);
    let mut keywords = Vec::new();
    for (index, word) in when.keywords.iter().enumerate() {
        let field = format!("match.keywords[{index}]");
        mistakes.text(&field, word, limits::WORD);
        match Keyword::new(word) {
            Some(keyword) => keywords.push((word.clone(), keyword)),
            None if word.trim().is_empty() => {}
            None => mistakes.add(&field, "holds nothing that can be seen; write a word"),
        }
    }
    if when.keyword_mode.is_some() && when.keywords.is_empty() {
        mistakes.add(
            "match.keyword_mode",
            "says how keywords are looked for, but there are none; add `keywords`, or leave it out",
        );
    }
    if when.hours.is_some() && !has_hours {
        mistakes.add("match.hours", "needs the business hours; set `hours` at the top, such as [{ days = [\"mon-fri\"], from = \"08:00\", to = \"17:00\" }]");
    }
    let mut regex = Vec::new();
    for (index, pattern) in when.regex.iter().enumerate() {
        let field = format!("match.regex[{index}]");
        regex.extend(expression(pattern, &field, mistakes));
    }
    When {
        keywords,
        mode: when.keyword_mode.unwrap_or_default(),
        regex,
        language: when.language.clone(),
        first_contact: when.first_contact,
        group: when.group,
        media: when.media.clone(),
        hours: when.hours,
    }
}

/// An expression of the engine whose time is linear in the text, within its bounds.
fn expression(pattern: &str, field: &str, mistakes: &mut Mistakes) -> Option<Regex> {
    mistakes.text(field, pattern, limits::REGEX);
    if pattern.chars().count() > limits::REGEX {
        return None;
    }
    let built = RegexBuilder::new(pattern)
        .case_insensitive(true)
        .size_limit(limits::REGEX_BYTES)
        .dfa_size_limit(limits::REGEX_CACHE_BYTES)
        .nest_limit(32)
        .build();
    match built {
        Ok(regex) => Some(regex),
        Err(regex::Error::CompiledTooBig(_)) => {
            mistakes.add(
                field,
                "is too large once it is unfolded; use smaller repetitions, [A-Za-z0-9] in the place of \\w, or keywords",
            );
            None
        }
        Err(error) => {
            let text = error.to_string();
            // The engine draws the place over several lines and says what is wrong on the last.
            let why = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let hint = if why.contains("look-around") || why.contains("backreferences") {
                "; split it into several rules"
            } else {
                "; to look for the characters themselves use keywords"
            };
            mistakes.add(field, format!("{pattern:?} is no regular expression: {why}{hint}"));
            None
        }
    }
}

fn action(
    action: &Action,
    has_webhook: bool,
    variables: &Variables,
    mistakes: &mut Mistakes,
) -> Option<Prepared> {
    let template = |text: &str, field: &str, mistakes: &mut Mistakes| {
        Template::compile(text, field, variables, mistakes)
    };
    Some(match action {
        Action::Reply(text) => Prepared::Reply(template(text, "action.reply", mistakes)?),
        Action::Media(media) => {
            let source = media_source(media, mistakes)?;
            let caption = match &media.caption {
                Some(_) if media.kind == MediaKind::Audio => {
                    mistakes.add("action.media.caption", "an audio has no caption; leave it out");
                    return None;
                }
                Some(caption) => Some(template(caption, "action.media.caption", mistakes)?),
                None => None,
            };
            Prepared::Media { file: MediaReply { source, kind: media.kind }, caption }
        }
        Action::HandOver(hand_over) => {
            let most = limits::HANDOVER_MINUTES;
            if !(1..=most).contains(&hand_over.minutes) {
                mistakes
                    .add("action.hand_over.minutes", format!("must be from 1 to {most} (a week)"));
            }
            let reply = match &hand_over.reply {
                Some(reply) => Some(template(reply, "action.hand_over.reply", mistakes)?),
                None => None,
            };
            Prepared::HandOver { minutes: hand_over.minutes, reply }
        }
        Action::Webhook => {
            if !has_webhook {
                mistakes.add("action", "asks the webhook, but there is none; set `webhook = { url = \"https://…\" }` at the top");
            }
            Prepared::Webhook
        }
        Action::Ignore => Prepared::Ignore,
    })
}

fn media_source(media: &MediaAction, mistakes: &mut Mistakes) -> Option<MediaSource> {
    match (&media.url, &media.file) {
        (Some(url), None) => {
            address("action.media.url", url, mistakes);
            Some(MediaSource::Url(url.clone()))
        }
        (None, Some(file)) => {
            let plain = !file.is_empty()
                && file.len() <= 200
                && !file.starts_with('.')
                && !file.chars().any(|c| c == '/' || c == '\\' || c.is_control());
            if !plain {
                mistakes.add("action.media.file", format!("{file:?} is no plain file name; put the file into the folder `media` of the tenant's session and write its name alone"));
            }
            Some(MediaSource::File(file.clone()))
        }
        (Some(_), Some(_)) => {
            mistakes.add("action.media", "has both `url` and `file`; leave one out");
            None
        }
        (None, None) => {
            mistakes.add("action.media", "says not where the file is; set `url` or `file`");
            None
        }
    }
}

fn address(field: &str, url: &str, mistakes: &mut Mistakes) {
    mistakes.text(field, url, limits::ADDRESS);
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    if host.is_empty() || url.chars().any(|c| c.is_whitespace() || !c.is_ascii()) {
        mistakes.add(field, format!("{url:?} is no address; write https://host/path"));
    } else if host.contains('@') {
        mistakes.add(
            field,
            "holds a user name or password; put a secret into the path or query instead",
        );
    }
}

#[cfg(test)]
mod tests;
