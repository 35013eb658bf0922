//! Values as people read them.

use std::time::Duration;

use chrono::{DateTime, Local, Utc};

/// What stands for nothing.
pub const NONE: &str = "-";

/// The text without control characters, so that nothing that a contact or a program wrote can steer
/// the terminal. A tab becomes a space.
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\t' => ' ',
            // The marks that turn the direction of writing can make one text look like another.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            character if character.is_control() => '\u{fffd}',
            character => character,
        })
        .collect()
}

/// The text on one line, at most `most` characters long.
pub fn line(text: &str, most: usize) -> String {
    let text = clean(&text.replace(['\n', '\r'], " "));
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// A duration in its two largest units: `3d 4h`, `12m 5s`, `0s`.
pub fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')];
    let Some(first) = units.iter().position(|(size, _)| seconds >= *size) else {
        return "0s".to_owned();
    };
    let (size, unit) = units[first];
    let mut text = format!("{}{unit}", seconds / size);
    if let Some((smaller, unit)) = units.get(first + 1)
        && seconds % size >= *smaller
    {
        text.push_str(&format!(" {}{unit}", seconds % size / smaller));
    }
    text
}

/// The time from `then` to `now`; none when it lies ahead, as it may when two clocks differ.
pub fn since(then: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    (now - then).to_std().unwrap_or_default()
}

/// A number of bytes in binary units: `512 B`, `7.4 MiB`.
#[allow(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub fn bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1024.0 {
            return if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}

/// The time of day with its date, where this machine is.
pub fn time(at: DateTime<Utc>) -> String {
    at.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// The word that the API uses for a value of an enumeration.
pub fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => NONE.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{bytes, clean, line, span};

    #[test]
    fn durations_have_two_units() {
        let cases = [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (61, "1m 1s"),
            (3_600, "1h"),
            (3_659, "1h"),
            (3_660, "1h 1m"),
            (90_061, "1d 1h"),
            (8_640_000, "100d"),
        ];
        for (seconds, text) in cases {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(7_759_462), "7.4 MiB");
        assert_eq!(bytes(u64::MAX), "16777216.0 TiB");
    }

    #[test]
    fn nothing_can_steer_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\u{9b}c\td\u{202e}e"), "a\u{fffd}[2Jb\u{fffd}c d\u{fffd}e");
        assert_eq!(line("one\ntwo three", 9), "one two …");
        assert_eq!(line("ünïcö", 5), "ünïcö");
    }
}
