//! A rule set in a file, as TOML or JSON. What it means is for the server to say.

use std::fs;
use std::io::Read as _;

use anyhow::Context;
use serde_json::Value;

use crate::failure::Usage;

/// The largest file that is read, in bytes: more than any set that the server takes.
const LARGEST: u64 = 1024 * 1024;

/// Reads a set from a file, or from the standard input when it is `-`.
///
/// # Errors
/// When it cannot be read, or is neither TOML nor JSON.
pub(in crate::command) fn read(file: &str) -> anyhow::Result<Value> {
    let mut text = String::new();
    let read = if file == "-" {
        std::io::stdin().lock().take(LARGEST + 1).read_to_string(&mut text)
    } else {
        fs::File::open(file).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text))
    };
    let length = read.with_context(|| format!("cannot read {file}"))?;
    if length as u64 > LARGEST {
        return Err(Usage(format!("{file} has more than {LARGEST} bytes; no rule set has")).into());
    }
    parse(&text).map_err(|why| Usage(format!("{file}: {why}")).into())
}

fn parse(text: &str) -> Result<Value, String> {
    // A TOML document cannot begin with a brace, and a rule set in JSON does.
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| format!("is no JSON: {error}"));
    }
    toml::from_str(text).map_err(|error| format!("is no TOML: {error}"))
}

/// A set as TOML.
///
/// # Errors
/// When it holds what TOML cannot say, which no set does.
pub(in crate::command) fn toml(rules: &Value) -> anyhow::Result<String> {
    Ok(toml::to_string_pretty(rules)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{parse, toml};

    #[test]
    fn both_forms_are_read_and_toml_comes_back_the_same() {
        let set = json!({
            "time_zone": "UTC",
            "hours": [{"days": ["mon-fri"], "from": "08:00", "to": "17:00"}],
            "variables": {"till": "1\n2"},
            "rules": [
                {"name": "a", "match": {"keywords": ["x"], "first_contact": true},
                 "action": {"hand_over": {"minutes": 5, "reply": "one \"moment\""}}},
                {"name": "b", "action": "ignore"}]});
        assert_eq!(parse(&set.to_string()).unwrap(), set);
        assert_eq!(parse(&toml(&set).unwrap()).unwrap(), set);
    }

    #[test]
    fn what_is_neither_is_told() {
        assert!(parse("{\"rules\": ").unwrap_err().contains("no JSON"));
        assert!(parse("rules = [").unwrap_err().contains("no TOML"));
    }
}
