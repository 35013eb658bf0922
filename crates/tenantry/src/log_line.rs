//! Log lines for people: a JSON line as time, level, message and fields; any other line as it is.

use chrono::{DateTime, Local, Utc};
use serde_json::{Map, Value};

use crate::text::clean;

/// Keys that a line's beginning tells already, or that say nothing to the reader of one log.
const KNOWN: [&str; 9] =
    ["ts", "time", "timestamp", "level", "message", "msg", "target", "pid", "hostname"];

/// A level's width, so that the messages stand below each other.
const LEVEL_WIDTH: usize = 5;

/// The line as people read it. It cannot steer the terminal.
pub fn pretty(line: &str, colours: bool) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_str(line) else {
        return clean(line);
    };
    let Some(message) = text(&fields, &["message", "msg"]) else {
        return clean(line);
    };
    let mut shown = String::new();
    if let Some(at) = time(&fields) {
        shown.push_str(&paint(
            &at.with_timezone(&Local).format("%H:%M:%S%.3f").to_string(),
            2,
            colours,
        ));
        shown.push(' ');
    }
    if let Some(level) = level(&fields) {
        shown.push_str(&paint(&format!("{level:<LEVEL_WIDTH$}"), colour(&level), colours));
        shown.push(' ');
    }
    shown.push_str(&clean(&message));
    for (name, value) in fields.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str())) {
        let value = match value {
            Value::String(text) => clean(text),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => clean(&value.to_string()),
        };
        shown.push(' ');
        shown.push_str(&paint(&format!("{}={value}", clean(name)), 2, colours));
    }
    shown
}

fn text(fields: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| fields.get(*name)?.as_str().map(str::to_owned))
}

/// The line's time: RFC 3339 text, or milliseconds since 1970 as pino writes them.
fn time(fields: &Map<String, Value>) -> Option<DateTime<Utc>> {
    ["ts", "time", "timestamp"].iter().find_map(|name| match fields.get(*name)? {
        Value::String(text) => Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc()),
        Value::Number(millis) => DateTime::from_timestamp_millis(millis.as_i64()?),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

/// The line's level in capitals: a word, or one of pino's numbers.
fn level(fields: &Map<String, Value>) -> Option<String> {
    match fields.get("level")? {
        Value::String(word) => Some(clean(word).to_uppercase()),
        Value::Number(number) => Some(
            match number.as_u64()? {
                ..20 => "TRACE",
                20..30 => "DEBUG",
                30..40 => "INFO",
                40..50 => "WARN",
                50..60 => "ERROR",
                60.. => "FATAL",
            }
            .to_owned(),
        ),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The code of a level's colour (ECMA-48).
fn colour(level: &str) -> u8 {
    match level {
        "ERROR" | "FATAL" => 31,
        "WARN" => 33,
        "INFO" => 32,
        _ => 2,
    }
}

fn paint(text: &str, code: u8, colours: bool) -> String {
    if colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn a_json_line_becomes_level_message_and_fields() {
        let line = r#"{"ts":"2026-01-02T03:04:05.678Z","level":"WARN","target":"worker","message":"late","attempt":3,"tenant":"acme"}"#;
        let shown = pretty(line, false);
        // The hour depends on where this machine is.
        assert!(shown.ends_with("05.678 WARN  late attempt=3 tenant=acme"), "{shown}");
        assert!(pretty(line, true).contains("\u{1b}[33mWARN \u{1b}[0m"));
    }

    #[test]
    fn a_line_of_pino_is_understood() {
        let line =
            r#"{"level":50,"time":1767323045678,"pid":7,"hostname":"h","msg":"failed","code":"E"}"#;
        let shown = pretty(line, false);
        assert!(shown.ends_with("05.678 ERROR failed code=E"), "{shown}");
    }

    #[test]
    fn other_lines_stay_and_nothing_steers_the_terminal() {
        assert_eq!(pretty("plain text", false), "plain text");
        assert_eq!(pretty("{\"a\":1}", false), "{\"a\":1}");
        assert_eq!(pretty("\u{1b}[2J", true), "\u{fffd}[2J");
        assert_eq!(
            pretty(r#"{"message":"\u001b[2J","x":"\u001bc"}"#, false),
            "\u{fffd}[2J x=\u{fffd}c"
        );
    }
}
