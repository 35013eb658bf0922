//! Replies with variables: `Hello {name|there}, we are open until {closing}.`
//!
//! `{variable}` is filled in, `{variable|words}` says what stands there when the variable is empty,
//! and `{{` and `}}` are braces. What is filled in is not looked at again: a contact who is called
//! `{message}` does no harm.

use std::collections::BTreeMap;

use crate::limits;
use crate::mistake::{Mistakes, nearest};

/// The built-in variables.
pub const BUILT_IN: &[&str] = &["name", "number", "message", "time", "date", "business"];

/// The names that a template may use.
#[derive(Clone, Debug)]
pub struct Variables(Vec<String>);

impl Variables {
    /// The built-in variables and a tenant's own.
    pub(crate) fn check(own: &BTreeMap<String, String>, mistakes: &mut Mistakes) -> Self {
        mistakes.count("variables", own.len(), limits::VARIABLES);
        for (name, value) in own {
            let field = format!("variables.{name}");
            let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if BUILT_IN.contains(&name.as_str()) {
                let remedy = if name == "business" {
                    "set `business` itself"
                } else {
                    "choose another name"
                };
                mistakes.add(&field, format!("{name} is a built-in variable; {remedy}"));
            } else if name.is_empty() || name.len() > limits::NAME || !name.chars().all(is_name) {
                mistakes.add(&field, "is no name; use lower-case letters, digits and _");
            }
            mistakes.text(&field, value, limits::VALUE);
        }
        let built_in = BUILT_IN.iter().map(|name| (*name).to_owned());
        Self(built_in.chain(own.keys().cloned()).collect())
    }
}

/// A reply, prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable { name: String, otherwise: String },
}

impl Template {
    /// Prepares a text; what is wrong with it is told.
    pub(crate) fn compile(
        text: &str,
        field: &str,
        variables: &Variables,
        mistakes: &mut Mistakes,
    ) -> Option<Self> {
        mistakes.text(field, text, limits::REPLY);
        let pieces = match pieces(text) {
            Ok(pieces) => pieces,
            Err(message) => {
                mistakes.add(field, message);
                return None;
            }
        };
        for piece in &pieces {
            if let Piece::Variable { name, .. } = piece
                && !variables.0.contains(name)
            {
                let hint = nearest(name, variables.0.iter().map(String::as_str));
                let known = variables.0.join(", ");
                mistakes.add(
                    field,
                    format!("unknown variable {{{name}}}{hint}; there are {known}, and what is set under `variables`"),
                );
            }
        }
        Some(Self(pieces))
    }

    /// A text without variables, whatever it holds.
    pub(crate) fn plain(text: &str) -> Self {
        Self(vec![Piece::Text(text.to_owned())])
    }

    /// The text with its variables filled in, cut to [`limits::REPLY`] characters.
    #[must_use]
    pub fn fill(&self, value: &dyn Fn(&str) -> String) -> String {
        let mut filled = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Variable { name, otherwise } => {
                    let value = value(name);
                    filled.push_str(if value.is_empty() { otherwise } else { &value });
                }
            }
        }
        if let Some((end, _)) = filled.char_indices().nth(limits::REPLY) {
            filled.truncate(end);
        }
        filled
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        if let Some(after) = from.strip_prefix("{{") {
            plain.push('{');
            rest = after;
        } else if let Some(after) = from.strip_prefix("}}") {
            plain.push('}');
            rest = after;
        } else if let Some(inner) = from.strip_prefix('{') {
            let Some((variable, after)) = inner.split_once('}') else {
                return Err(
                    "a { is not closed; close it with }, or write {{ for a brace".to_owned()
                );
            };
            let (name, otherwise) = variable.split_once('|').unwrap_or((variable, ""));
            if name.trim().is_empty() || name.contains('{') {
                return Err(format!(
                    "{{{variable}}} names no variable; write one like {{name}}, or {{{{ for a brace"
                ));
            }
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            let (name, otherwise) = (name.trim().to_owned(), otherwise.to_owned());
            pieces.push(Piece::Variable { name, otherwise });
            rest = after;
        } else {
            return Err("a } closes nothing; write }} for a brace".to_owned());
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{Template, Variables};
    use crate::limits;
    use crate::mistake::{Mistake, Mistakes};

    fn compile(text: &str) -> Result<Template, Vec<Mistake>> {
        let mut mistakes = Mistakes::new();
        let own = BTreeMap::from([("closing".to_owned(), "17:00".to_owned())]);
        let variables = Variables::check(&own, &mut mistakes);
        let template = Template::compile(text, "reply", &variables, &mut mistakes);
        mistakes.none_or(template).map(Option::unwrap)
    }

    fn filled(text: &str) -> String {
        compile(text).unwrap().fill(&|name| match name {
            "name" => "{message}".to_owned(),
            "number" => String::new(),
            other => other.to_uppercase(),
        })
    }

    #[test]
    fn variables_are_filled_in_once() {
        assert_eq!(filled("Hi {name}, until {closing}!"), "Hi {message}, until CLOSING!");
        assert_eq!(filled("Hi {number|friend} {{x}}"), "Hi friend {x}");
        assert_eq!(filled("{number}"), "");
    }

    #[test]
    fn mistakes_name_the_remedy() {
        for (text, part) in [
            ("{nmae}", "did you mean \"name\"?"),
            ("{closin}", "did you mean \"closing\"?"),
            ("{xyz}", "there are name, number, message"),
            ("{name", "close it with }"),
            ("name}", "write }} for a brace"),
            ("{}", "names no variable"),
            ("  ", "is empty"),
        ] {
            let mistakes = compile(text).unwrap_err();
            assert!(mistakes[0].message.contains(part), "{text:?}: {mistakes:?}");
        }
    }

    #[test]
    fn a_reply_stays_within_what_is_sent() {
        let long = "ä".repeat(limits::REPLY);
        let text = compile("{name}x").unwrap().fill(&|_| long.clone());
        assert_eq!(text, long);
    }

    proptest! {
        #[test]
        fn escaped_text_comes_out_as_it_is(text in "[ -~]{1,80}") {
            prop_assume!(!text.trim().is_empty());
            let escaped = text.replace('{', "{{").replace('}', "}}");
            prop_assert_eq!(compile(&escaped).unwrap().fill(&|_| String::new()), text);
        }
    }
}
