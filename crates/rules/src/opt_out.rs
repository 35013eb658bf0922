//! Opting out: a contact who writes one of these words, and nothing else, hears nothing any more but
//! one confirmation, until they write a word that brings them back.

use crate::limits;
use crate::mistake::Mistakes;
use crate::set::{KeywordMode, Language, OptOut};
use crate::template::{Template, Variables};
use crate::words::{Keyword, Text};

/// Built-in words that opt out, with their language.
pub const OUT: &[(&str, Language)] = &[
    ("stop", Language::English),
    ("stop all", Language::English),
    ("stopall", Language::English),
    ("unsubscribe", Language::English),
    ("opt out", Language::English),
    ("optout", Language::English),
    ("acha", Language::Swahili),
    ("sitisha", Language::Swahili),
    ("jiondoe", Language::Swahili),
];

/// Built-in words that opt in again.
pub const BACK: &[(&str, Language)] = &[
    ("start", Language::English),
    ("unstop", Language::English),
    ("subscribe", Language::English),
    ("opt in", Language::English),
    ("optin", Language::English),
    ("anza", Language::Swahili),
    ("jiunge", Language::Swahili),
];

const CONFIRMED: [&str; 2] = [
    "You will get no more messages from us. Write START to get them again.",
    "Hutapokea ujumbe kutoka kwetu tena. Andika ANZA ukitaka kuupokea tena.",
];

const CONFIRMED_BACK: [&str; 2] = [
    "Welcome back! Write STOP if you do not want our messages.",
    "Karibu tena! Andika ACHA kama hutaki ujumbe wetu.",
];

/// The words and confirmations of one rule set, prepared.
#[derive(Clone, Debug)]
pub struct Words {
    out: Vec<(Keyword, Language)>,
    back: Vec<(Keyword, Language)>,
    confirmation: Option<Template>,
    back_confirmation: Option<Template>,
}

impl Words {
    pub(crate) fn compile(own: &OptOut, variables: &Variables, mistakes: &mut Mistakes) -> Self {
        let out = prepared(OUT, &own.words, "opt_out.words", mistakes);
        let back = prepared(BACK, &own.return_words, "opt_out.return_words", mistakes);
        for word in &own.return_words {
            let text = Text::new(word);
            if out.iter().any(|(out, _)| out.is_in(&text, KeywordMode::Exact)) {
                let message = format!("{word:?} opts out already; choose another word");
                mistakes.add("opt_out.return_words", message);
            }
        }
        for word in &own.words {
            let text = Text::new(word);
            if BACK.iter().any(|(back, _)| text.folded == *back) {
                let message = format!("{word:?} opts in, by a built-in word; choose another word");
                mistakes.add("opt_out.words", message);
            }
        }
        let mut template = |text: &Option<String>, field: &str| {
            text.as_ref().and_then(|text| Template::compile(text, field, variables, mistakes))
        };
        Self {
            out,
            back,
            confirmation: template(&own.confirmation, "opt_out.confirmation"),
            back_confirmation: template(&own.return_confirmation, "opt_out.return_confirmation"),
        }
    }

    /// The language of the word when the text is one that opts out.
    #[must_use]
    pub fn opts_out(&self, text: &Text<'_>) -> Option<Language> {
        find(&self.out, text)
    }

    /// The language of the word when the text is one that opts in.
    #[must_use]
    pub fn opts_in(&self, text: &Text<'_>) -> Option<Language> {
        find(&self.back, text)
    }

    /// What confirms an opt-out.
    #[must_use]
    pub fn confirmation(&self, language: Language, fill: &dyn Fn(&str) -> String) -> String {
        told(self.confirmation.as_ref(), CONFIRMED, language, fill)
    }

    /// What confirms an opt-in.
    #[must_use]
    pub fn back_confirmation(&self, language: Language, fill: &dyn Fn(&str) -> String) -> String {
        told(self.back_confirmation.as_ref(), CONFIRMED_BACK, language, fill)
    }
}

fn prepared(
    built_in: &[(&str, Language)],
    own: &[String],
    field: &str,
    mistakes: &mut Mistakes,
) -> Vec<(Keyword, Language)> {
    mistakes.count(field, own.len(), limits::LIST);
    let mut words: Vec<(Keyword, Language)> = built_in
        .iter()
        .filter_map(|(word, language)| Some((Keyword::new(word)?, *language)))
        .collect();
    for (index, word) in own.iter().enumerate() {
        let field = format!("{field}[{index}]");
        mistakes.text(&field, word, limits::WORD);
        words.extend(Keyword::new(word).map(|word| (word, Language::Other)));
    }
    words
}

fn find(words: &[(Keyword, Language)], text: &Text<'_>) -> Option<Language> {
    let found = words.iter().find(|(word, _)| word.is_in(text, KeywordMode::Exact));
    found.map(|(_, language)| *language)
}

fn told(
    own: Option<&Template>,
    [english, swahili]: [&str; 2],
    language: Language,
    fill: &dyn Fn(&str) -> String,
) -> String {
    match (own, language) {
        (Some(own), _) => own.fill(fill),
        (None, Language::Swahili) => swahili.to_owned(),
        (None, Language::English | Language::Other) => english.to_owned(),
    }
}
