//! What a line of a log looks like on the screen.

use chrono::{DateTime, Local};
use supervisor::wire::{LogLine, LogStream};

use crate::screen::Tone;
use crate::text::clean;

/// How lines are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// Whose it is, and the line.
    Prefixed,
    /// The line as it is.
    Raw,
    /// A JSON object.
    Json,
    /// `key=value`.
    Pairs,
}

/// How lines are shown, with everything that goes for all of them.
#[derive(Clone, Debug)]
pub struct Style {
    pub form: Form,
    /// What stands before a line as its time (`chrono`'s format).
    pub timestamp: Option<String>,
    /// A text that stands out.
    pub highlight: Option<String>,
    pub colours: bool,
    /// The width of the longest prefix.
    pub width: usize,
}

/// Whose line it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub id: u32,
    pub name: String,
}

impl Owner {
    /// What stands before its lines.
    pub fn prefix(&self) -> String {
        format!("{}|{}", self.id, clean(&self.name))
    }
}

/// The line as it is shown, without its line break.
pub fn shown(style: &Style, owner: &Owner, line: &LogLine, now: DateTime<Local>) -> String {
    let kind = match line.stream {
        LogStream::Out => "out",
        LogStream::Error => "err",
    };
    match style.form {
        Form::Raw => line.line.clone(),
        Form::Json => serde_json::json!({
            "message": line.line,
            "timestamp": now.to_rfc3339(),
            "type": kind,
            "process_id": owner.id,
            "app_name": owner.name,
        })
        .to_string(),
        Form::Pairs => format!(
            "timestamp={} app={} id={} type={kind} message={}",
            stamp(now, style.timestamp.as_deref().unwrap_or(TIMESTAMP)),
            clean(&owner.name),
            owner.id,
            text(style, &line.line)
        ),
        Form::Prefixed => prefixed(style, owner, line, now),
    }
}

/// The form of a timestamp where none is given.
pub const TIMESTAMP: &str = "%Y-%m-%d-%H:%M:%S";

fn prefixed(style: &Style, owner: &Owner, line: &LogLine, now: DateTime<Local>) -> String {
    let tone = if line.stream == LogStream::Error { Tone::Bad } else { Tone::Good };
    let prefix = format!("{:<width$} |", owner.prefix(), width = style.width);
    let prefix = paint(&prefix, tone, style.colours);
    let time = style.timestamp.as_deref().map(|format| format!("{}: ", stamp(now, format)));
    format!("{prefix} {}{}", time.unwrap_or_default(), text(style, &line.line))
}

/// The line itself: on a terminal nothing can steer it but colours of ours.
fn text(style: &Style, line: &str) -> String {
    let line = if style.colours { clean(line) } else { line.to_owned() };
    match &style.highlight {
        Some(wanted) if !wanted.is_empty() && style.colours => {
            line.replace(wanted.as_str(), &format!("\u{1b}[7m{wanted}\u{1b}[0m"))
        }
        Some(_) | None => line,
    }
}

fn paint(text: &str, tone: Tone, colours: bool) -> String {
    match tone.code().filter(|_| colours) {
        Some(code) => format!("{code}{text}\u{1b}[0m"),
        None => text.to_owned(),
    }
}

/// The time in `format`; a format that cannot be used gives nothing.
fn stamp(now: DateTime<Local>, format: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    if write!(text, "{}", now.format(format)).is_err() {
        return String::new();
    }
    text
}

/// The day.js tokens that PM2 takes, as `chrono` writes them.
pub fn chrono_format(tokens: &str) -> String {
    const TOKENS: [(&str, &str); 13] = [
        ("YYYY", "%Y"),
        ("SSS", "%3f"),
        ("MMM", "%b"),
        ("YY", "%y"),
        ("MM", "%m"),
        ("DD", "%d"),
        ("HH", "%H"),
        ("hh", "%I"),
        ("mm", "%M"),
        ("ss", "%S"),
        ("A", "%p"),
        ("Z", "%:z"),
        ("x", "%s%3f"),
    ];
    let mut format = String::new();
    let mut rest = tokens;
    while let Some(first) = rest.chars().next() {
        let token = TOKENS.iter().find(|(token, _)| rest.starts_with(token));
        let taken = match token {
            Some((token, code)) => {
                format.push_str(code);
                token.len()
            }
            None => {
                format.push_str(if first == '%' { "%%" } else { &rest[..first.len_utf8()] });
                first.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    format
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Local, TimeZone};
    use proptest::prelude::*;
    use supervisor::wire::{LogLine, LogStream};

    use super::{Form, Owner, Style, chrono_format, shown, stamp};

    fn style(form: Form) -> Style {
        Style { form, timestamp: None, highlight: None, colours: false, width: 6 }
    }

    fn now() -> DateTime<Local> {
        Local.with_ymd_and_hms(2026, 3, 4, 5, 6, 7).unwrap()
    }

    fn line(text: &str, stream: LogStream) -> LogLine {
        LogLine { line: text.to_owned(), stream }
    }

    #[test]
    fn a_line_has_its_owner_before_it() {
        let owner = Owner { id: 0, name: "web".into() };
        let out = line("hello", LogStream::Out);
        assert_eq!(shown(&style(Form::Prefixed), &owner, &out, now()), "0|web  | hello");
        assert_eq!(shown(&style(Form::Raw), &owner, &out, now()), "hello");
        let pairs = shown(&style(Form::Pairs), &owner, &line("x", LogStream::Error), now());
        assert_eq!(pairs, "timestamp=2026-03-04-05:06:07 app=web id=0 type=err message=x");
        let json = shown(&style(Form::Json), &owner, &line("a\"b", LogStream::Error), now());
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["message"], "a\"b");
        assert_eq!(value["type"], "err");
        assert_eq!(value["process_id"], 0);
    }

    #[test]
    fn what_is_highlighted_stands_out_and_nothing_steers_the_terminal() {
        let owner = Owner { id: 1, name: "w".into() };
        let mut style = style(Form::Prefixed);
        (style.colours, style.highlight) = (true, Some("bad".into()));
        let text = shown(&style, &owner, &line("a bad\u{1b}[2J day", LogStream::Out), now());
        assert!(text.ends_with(" a \u{1b}[7mbad\u{1b}[0m\u{fffd}[2J day"), "{text:?}");
    }

    #[test]
    fn day_js_tokens_become_a_format() {
        let text = |tokens: &str| stamp(now(), &chrono_format(tokens));
        assert_eq!(text("YYYY-MM-DD HH:mm:ss"), "2026-03-04 05:06:07");
        assert_eq!(text("DD.MM.YY 100%"), "04.03.26 100%");
    }

    proptest! {
        #[test]
        fn no_format_is_refused(tokens in "\\PC*") {
            let _ = stamp(now(), &chrono_format(&tokens));
        }
    }
}
