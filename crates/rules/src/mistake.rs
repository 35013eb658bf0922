//! Mistakes in a rule set, and how one is put.

use std::fmt;

/// One mistake: where, what is wrong, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The place in the document, such as `rules[2].match.regex[0]`.
    pub field: String,
    /// What is wrong, with the rule's name where it is in one, and the remedy.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// Collects mistakes at a place that it knows.
#[derive(Debug)]
pub(crate) struct Mistakes {
    found: Vec<Mistake>,
    /// The place of what is being looked at, with its dot; empty at the top.
    place: String,
    /// The name of the rule that is being looked at.
    rule: Option<String>,
}

impl Mistakes {
    pub(crate) fn new() -> Self {
        Self { found: Vec::new(), place: String::new(), rule: None }
    }

    /// Looks at the rule number `index` from here on.
    pub(crate) fn enter_rule(&mut self, index: usize, name: &str) {
        self.place = format!("rules[{index}].");
        self.rule = (!name.is_empty()).then(|| name.to_owned());
    }

    /// Looks at the set as a whole again.
    pub(crate) fn leave_rule(&mut self) {
        self.place.clear();
        self.rule = None;
    }

    pub(crate) fn add(&mut self, field: &str, message: impl fmt::Display) {
        let message = match &self.rule {
            Some(rule) => format!("rule {rule:?}: {message}"),
            None => message.to_string(),
        };
        self.found.push(Mistake { field: format!("{}{field}", self.place), message });
    }

    /// Checks how many values a list has.
    pub(crate) fn count(&mut self, field: &str, count: usize, max: usize) {
        if count > max {
            self.add(field, format!("has {count} entries; at most {max} are allowed"));
        }
    }

    /// Checks how long a text is; one that must not be empty says so.
    pub(crate) fn text(&mut self, field: &str, text: &str, max: usize) {
        let length = text.chars().count();
        if text.trim().is_empty() {
            self.add(field, "is empty; write something, or leave it out");
        } else if length > max {
            self.add(field, format!("has {length} characters; at most {max} are allowed"));
        } else if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            self.add(field, "holds a control character other than a line break; remove it");
        }
    }

    pub(crate) fn none_or<T>(self, value: T) -> Result<T, Vec<Mistake>> {
        if self.found.is_empty() { Ok(value) } else { Err(self.found) }
    }
}

/// ` (did you mean …?)` with the most similar of some names; empty when none is similar.
pub(crate) fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let similarity = |name: &'a str| (strsim::jaro_winkler(wanted, name), name);
    let best = names.into_iter().map(similarity).max_by(|one, two| one.0.total_cmp(&two.0));
    match best {
        Some((similarity, name)) if similarity > 0.75 => format!(" (did you mean {name:?}?)"),
        _ => String::new(),
    }
}
