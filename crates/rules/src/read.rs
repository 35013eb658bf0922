//! Reads a rule set from JSON or TOML. The parts are read one by one, so that every mistake in the
//! form names its place, and all of them are told at once.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::limits;
use crate::mistake::{Mistake, Mistakes};
use crate::set::{Action, Match, Rule, RuleSet};

/// Reads a set from JSON.
///
/// # Errors
/// Every mistake in its form.
pub fn from_json(value: &Value) -> Result<RuleSet, Vec<Mistake>> {
    let mut mistakes = Mistakes::new();
    let size = value.to_string().len();
    if size > limits::SET_BYTES {
        let most = limits::SET_BYTES;
        mistakes.add("rules", format!("the set has {size} bytes; at most {most} are allowed"));
        return mistakes.none_or(RuleSet::default());
    }
    let Value::Object(fields) = value else {
        mistakes.add("rules", "a rule set is an object with the list `rules`; see docs/rules.md");
        return mistakes.none_or(RuleSet::default());
    };
    let mut set = RuleSet::default();
    let known =
        ["business", "time_zone", "hours", "variables", "opt_out", "webhook", "groups", "rules"];
    for (name, value) in fields {
        let wrong = match name.as_str() {
            "business" => part(value, &mut set.business),
            "time_zone" => part(value, &mut set.time_zone),
            "hours" => part(value, &mut set.hours),
            "variables" => part(value, &mut set.variables),
            "opt_out" => part(value, &mut set.opt_out),
            "webhook" => part(value, &mut set.webhook),
            "groups" => part(value, &mut set.groups),
            "rules" => match value {
                Value::Array(rules) => {
                    set.rules = read_rules(rules, &mut mistakes);
                    Ok(())
                }
                _ => Err("must be a list of rules".to_owned()),
            },
            unknown => {
                let hint = crate::mistake::nearest(unknown, known);
                Err(format!("unknown field{hint}; there are {}", known.join(", ")))
            }
        };
        if let Err(message) = wrong {
            mistakes.add(name, message);
        }
    }
    mistakes.none_or(set)
}

/// Reads a set from TOML.
///
/// # Errors
/// That it is no TOML, or every mistake in its form.
pub fn from_toml(text: &str) -> Result<RuleSet, Vec<Mistake>> {
    match toml::from_str::<Value>(text) {
        Ok(value) => from_json(&value),
        Err(error) => Err(vec![Mistake { field: "rules".to_owned(), message: error.to_string() }]),
    }
}

fn read_rules(rules: &[Value], mistakes: &mut Mistakes) -> Vec<Rule> {
    // More are counted, not read.
    let rules = rules.iter().take(limits::RULES + 1).enumerate();
    let rules = rules.filter_map(|(index, value)| read_rule(index, value, mistakes)).collect();
    mistakes.leave_rule();
    rules
}

fn read_rule(index: usize, value: &Value, mistakes: &mut Mistakes) -> Option<Rule> {
    let empty = Map::new();
    let fields = value.as_object().unwrap_or(&empty);
    let name = fields.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    mistakes.enter_rule(index, &name);
    if !value.is_object() {
        mistakes.add("name", "a rule is an object with `name`, `match` and `action`");
        return None;
    }
    let known = ["name", "match", "action"];
    for field in fields.keys().filter(|field| !known.contains(&field.as_str())) {
        let home = [
            "keywords",
            "keyword_mode",
            "regex",
            "language",
            "first_contact",
            "group",
            "media",
            "hours",
        ];
        let hint = if home.contains(&field.as_str()) {
            "; it belongs into `match`".to_owned()
        } else if ["reply", "hand_over", "webhook", "ignore"].contains(&field.as_str()) {
            "; it belongs into `action`".to_owned()
        } else {
            format!("{}; there are name, match, action", crate::mistake::nearest(field, known))
        };
        mistakes.add(field, format!("unknown field{hint}"));
    }
    if name.is_empty() {
        mistakes.add("name", "is missing; every rule has a name, for logs and tests");
    }
    let mut when = Match::default();
    if let Some(value) = fields.get("match")
        && let Err(message) = part(value, &mut when)
    {
        mistakes.add("match", message);
    }
    let action = match fields.get("action").map(read::<Action>) {
        Some(Ok(action)) => action,
        Some(Err(message)) => {
            mistakes.add("action", message);
            return None;
        }
        None => {
            mistakes
                .add("action", "is missing; write one of reply, media, hand_over, webhook, ignore");
            return None;
        }
    };
    Some(Rule { name, when, action })
}

fn part<T: DeserializeOwned>(value: &Value, into: &mut T) -> Result<(), String> {
    *into = read(value)?;
    Ok(())
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{from_json, from_toml};

    fn told(toml: &str) -> Vec<String> {
        from_toml(toml).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn mistakes_in_the_form_name_rule_field_and_remedy() {
        let mistakes = told(
            r#"
            timezone = "UTC"
            hours = 8
            [[rules]]
            name = "prices"
            match = { keyword = ["price"] }
            action = { reply = "x" }
            [[rules]]
            name = "two"
            action = { replay = "x" }
            keywords = ["x"]
            [[rules]]
            match = { language = ["fr"] }
            "#,
        );
        let expected = [
            ("hours: ", "expected a sequence"),
            ("timezone: ", "did you mean \"time_zone\"?"),
            (
                "rules[0].match: ",
                "rule \"prices\": unknown field `keyword`, expected one of `keywords`",
            ),
            ("rules[1].keywords: ", "it belongs into `match`"),
            ("rules[1].action: ", "unknown variant `replay`, expected one of `reply`"),
            ("rules[2].name: ", "is missing"),
            ("rules[2].match: ", "unknown variant `fr`, expected one of `en`, `sw`, `other`"),
            ("rules[2].action: ", "is missing"),
        ];
        for (field, part) in expected {
            let found = mistakes.iter().any(|m| m.starts_with(field) && m.contains(part));
            assert!(found, "{field}{part} is not in {mistakes:#?}");
        }
        assert_eq!(mistakes.len(), expected.len(), "{mistakes:#?}");
    }

    #[test]
    fn what_is_no_set_at_all_is_told() {
        assert!(told("rules = [")[0].starts_with("rules: "));
        assert!(from_json(&json!([1])).unwrap_err()[0].message.contains("is an object"));
        assert!(from_json(&json!({"rules": {}})).unwrap_err()[0].message.contains("a list"));
        assert!(from_json(&json!({"rules": [1]})).unwrap_err()[0].message.contains("an object"));
        let huge = json!({"rules": [], "variables": {"x": "y".repeat(300_000)}});
        assert!(from_json(&huge).unwrap_err()[0].message.contains("bytes"));
    }

    proptest! {
        #[test]
        fn any_toml_is_read_or_refused(text in "\\PC{0,80}") {
            let _ = from_toml(&text);
        }
    }
}
