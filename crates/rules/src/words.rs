//! Keywords: what is looked for in a message, and the message as it is looked through.

use crate::fold::fold;
use crate::limits;
use crate::set::KeywordMode;

/// A message's text, prepared once for all rules.
#[derive(Debug)]
pub struct Text<'a> {
    /// As it was written, cut to what is looked at.
    pub raw: &'a str,
    /// Folded.
    pub folded: String,
    /// The words of the folded text between single blanks, with one at each end.
    words: String,
}

impl<'a> Text<'a> {
    /// Prepares a text.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        let end = text.char_indices().nth(limits::MESSAGE).map_or(text.len(), |(at, _)| at);
        let raw = text.get(..end).unwrap_or(text);
        let folded = fold(raw);
        let words = spaced(&folded);
        Self { raw, folded, words }
    }

    /// The words.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.words.split_ascii_whitespace()
    }
}

/// A keyword, prepared.
#[derive(Clone, Debug)]
pub struct Keyword {
    folded: String,
    /// As in [`Text`]; empty for one without letters or digits, such as an emoji.
    words: String,
}

impl Keyword {
    /// Prepares a keyword; `None` when nothing is left of it.
    #[must_use]
    pub fn new(keyword: &str) -> Option<Self> {
        let folded = fold(keyword);
        let words = spaced(&folded);
        let words = if words.trim().is_empty() { String::new() } else { words };
        (!folded.is_empty()).then_some(Self { folded, words })
    }

    /// Whether the keyword is in the text.
    #[must_use]
    pub fn is_in(&self, text: &Text<'_>, mode: KeywordMode) -> bool {
        match mode {
            KeywordMode::Exact if self.words.is_empty() => text.folded == self.folded,
            KeywordMode::Exact => text.words == self.words,
            KeywordMode::Word if !self.words.is_empty() => text.words.contains(&self.words),
            KeywordMode::Word | KeywordMode::Contains => text.folded.contains(&self.folded),
        }
    }
}

/// The words of a folded text between single blanks, with one at each end.
fn spaced(folded: &str) -> String {
    let mut spaced = String::with_capacity(folded.len() + 2);
    spaced.push(' ');
    for word in folded.split(|c: char| !c.is_alphanumeric() && c != '\'') {
        let word = word.trim_matches('\'');
        if !word.is_empty() {
            spaced.push_str(word);
            spaced.push(' ');
        }
    }
    spaced
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Keyword, Text};
    use crate::set::KeywordMode::{Contains, Exact, Word};

    fn found(keyword: &str, text: &str) -> [bool; 3] {
        let (keyword, text) = (Keyword::new(keyword).unwrap(), Text::new(text));
        [Word, Contains, Exact].map(|mode| keyword.is_in(&text, mode))
    }

    #[test]
    fn words_parts_and_wholes() {
        let table = [
            ("price", "What is the PRICE?", [true, true, false]),
            ("price", "Pricey!", [false, true, false]),
            ("price", " price. ", [true, true, true]),
            ("price list", "the price, list please", [true, false, false]),
            ("price list", "price   LIST", [true, true, true]),
            ("bei", "beirut", [false, true, false]),
            ("niño", "NINO", [true, true, true]),
            ("ng\u{2019}ombe", "ng'ombe wangu", [true, true, false]),
            ("👍", "ok 👍", [true, true, false]),
            ("👍", "👍", [true, true, true]),
            ("1", "10", [false, true, false]),
            ("stop", "non-stop", [true, true, false]),
        ];
        for (keyword, text, expected) in table {
            assert_eq!(found(keyword, text), expected, "{keyword:?} in {text:?}");
        }
        assert!(Keyword::new(" \u{200b} ").is_none());
    }

    #[test]
    fn what_is_beyond_the_limit_is_not_looked_at() {
        let long = format!("{} price", "x".repeat(crate::limits::MESSAGE));
        assert_eq!(found("price", &long), [false; 3]);
    }

    proptest! {
        #[test]
        fn a_keyword_is_found_in_itself_and_between_words(word in "[a-zA-Zéü0-9]{1,12}( [a-z]{1,5})?") {
            prop_assert_eq!(found(&word, &word.to_uppercase()), [true; 3]);
            let (between, longer) = (format!("xx, {word}! yy"), format!("{word}x"));
            prop_assert!(found(&word, &between)[0]);
            prop_assert!(!found(&word, &longer)[2]);
        }
    }
}
