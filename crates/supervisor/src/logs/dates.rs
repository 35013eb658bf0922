//! Dates in day.js's notation, as `log_date_format` has them.

use std::fmt::Write;

use chrono::{DateTime, Datelike, Local, Timelike};

/// A compiled format. What is no token stands for itself, and so does what is in square brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DateFormat {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Token(&'static str),
}

/// Longer ones first, for the longest that fits is meant.
const TOKENS: &[&str] = &[
    "YYYY", "YY", "MMMM", "MMM", "MM", "M", "DD", "D", "dddd", "ddd", "dd", "d", "HH", "H", "hh",
    "h", "mm", "m", "ss", "s", "SSS", "ZZ", "Z", "A", "a", "X", "x",
];

impl DateFormat {
    pub(crate) fn compile(format: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = format;
        while let Some(first) = rest.chars().next() {
            if let Some(token) = TOKENS.iter().find(|token| rest.starts_with(**token)) {
                pieces.push(Piece::Token(token));
                rest = &rest[token.len()..];
                continue;
            }
            let quoted = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            let (literal, after) = match quoted {
                Some((literal, after)) if !literal.is_empty() => (literal, after),
                _ => rest.split_at(first.len_utf8()),
            };
            match pieces.last_mut() {
                Some(Piece::Literal(text)) => text.push_str(literal),
                Some(Piece::Token(_)) | None => pieces.push(Piece::Literal(literal.to_owned())),
            }
            rest = after;
        }
        Self { pieces }
    }

    pub(crate) fn format(&self, time: &DateTime<Local>) -> String {
        let mut text = String::with_capacity(32);
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                // Writing into a string cannot fail.
                Piece::Token(token) => drop(write_token(&mut text, token, time)),
            }
        }
        text
    }
}

fn write_token(text: &mut String, token: &str, time: &DateTime<Local>) -> std::fmt::Result {
    let (afternoon, hour12) = time.hour12();
    match token {
        "YYYY" => write!(text, "{:04}", time.year()),
        "YY" => write!(text, "{:02}", time.year().rem_euclid(100)),
        "MMMM" => write!(text, "{}", time.format("%B")),
        "MMM" => write!(text, "{}", time.format("%b")),
        "MM" => write!(text, "{:02}", time.month()),
        "M" => write!(text, "{}", time.month()),
        "DD" => write!(text, "{:02}", time.day()),
        "D" => write!(text, "{}", time.day()),
        "dddd" => write!(text, "{}", time.format("%A")),
        "ddd" => write!(text, "{}", time.format("%a")),
        "dd" => write!(text, "{:.2}", time.format("%a").to_string()),
        "d" => write!(text, "{}", time.weekday().num_days_from_sunday()),
        "HH" => write!(text, "{:02}", time.hour()),
        "H" => write!(text, "{}", time.hour()),
        "hh" => write!(text, "{hour12:02}"),
        "h" => write!(text, "{hour12}"),
        "mm" => write!(text, "{:02}", time.minute()),
        "m" => write!(text, "{}", time.minute()),
        "ss" => write!(text, "{:02}", time.second()),
        "s" => write!(text, "{}", time.second()),
        "SSS" => write!(text, "{:03}", time.timestamp_subsec_millis().min(999)),
        "ZZ" => write!(text, "{}", time.format("%z")),
        "Z" => write!(text, "{}", time.format("%:z")),
        "A" => text.write_str(if afternoon { "PM" } else { "AM" }),
        "a" => text.write_str(if afternoon { "pm" } else { "am" }),
        "X" => write!(text, "{}", time.timestamp()),
        "x" => write!(text, "{}", time.timestamp_millis()),
        other => text.write_str(other),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn shown(format: &str) -> String {
        let time = Local.with_ymd_and_hms(2026, 3, 7, 15, 4, 9).unwrap();
        let time = time + chrono::Duration::milliseconds(56);
        DateFormat::compile(format).format(&time)
    }

    #[test]
    fn tokens_of_dayjs() {
        assert_eq!(shown("YYYY-MM-DD HH:mm:ss.SSS"), "2026-03-07 15:04:09.056");
        assert_eq!(shown("YYYY-MM-DDTHH:mm:ss"), "2026-03-07T15:04:09");
        assert_eq!(shown("YY M D H h m s"), "26 3 7 15 3 4 9");
        assert_eq!(shown("dddd ddd dd d, MMMM MMM"), "Saturday Sat Sa 6, March Mar");
        assert_eq!(shown("hh A a"), "03 PM pm");
        let time = Local.with_ymd_and_hms(2026, 3, 7, 0, 4, 9).unwrap();
        assert_eq!(DateFormat::compile("hh A").format(&time), "12 AM");
        let seconds = time.timestamp();
        let both = DateFormat::compile("X x").format(&time);
        assert_eq!(both, format!("{seconds} {seconds}000"));
        let zone = time.format("%:z %z").to_string();
        assert_eq!(DateFormat::compile("Z ZZ").format(&time), zone);
    }

    #[test]
    fn all_else_stands_for_itself() {
        assert_eq!(shown("[YYYY at] YYYY é"), "YYYY at 2026 é");
        assert_eq!(shown("[unclosed YY"), "[unclo9e6 26");
        assert_eq!(shown("[]"), "[]");
        assert_eq!(shown("QO!"), "QO!");
        assert_eq!(shown(""), "");
    }
}
