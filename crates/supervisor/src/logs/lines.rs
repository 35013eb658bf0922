//! What is written for the bytes that a process wrote. Pure.

use chrono::{DateTime, Local, SecondsFormat, Utc};

use super::dates::DateFormat;
use super::plan::{LogPlan, Origin};

/// A line is held back until its end comes, unless it has this many bytes.
pub(super) const LONG: usize = 64 << 10;

/// How one output's lines are written.
#[derive(Debug)]
pub(super) struct Voice {
    json: bool,
    date: Option<DateFormat>,
    /// What follows the timestamp in a JSON object, with the line end.
    json_end: String,
}

/// A piece at the front of a pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) len: usize,
    /// Whether its last line is over, be it without a line end.
    pub(super) ends: bool,
}

/// What makes that a line is not waited for any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pressure {
    /// Nothing.
    None,
    /// It is begun in the file.
    Begun,
    /// The pipe is full.
    Full,
    /// No more will come.
    Ending,
}

/// How much of what is in the pipe to write now; `None` to wait for more.
pub(super) fn cut(data: &[u8], pressure: Pressure) -> Option<Cut> {
    if let Some(at) = data.iter().rposition(|byte| *byte == b'\n') {
        return Some(Cut { len: at + 1, ends: true });
    }
    let whole = whole_characters(data);
    let part = |len: usize| (len > 0).then_some(Cut { len, ends: false });
    match pressure {
        Pressure::Ending if !data.is_empty() => Some(Cut { len: data.len(), ends: true }),
        Pressure::Full if whole == 0 => part(data.len()),
        Pressure::Begun | Pressure::Full => part(whole),
        Pressure::Ending | Pressure::None if data.len() >= LONG => part(whole),
        Pressure::Ending | Pressure::None => None,
    }
}

/// How many bytes there are without a character whose end is missing, and without a `\r` that may begin a
/// line end.
fn whole_characters(data: &[u8]) -> usize {
    let data = data.strip_suffix(b"\r").unwrap_or(data);
    for back in 1..=data.len().min(3) {
        let needed = match data[data.len() - back] {
            0x80..=0xBF => continue,
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            _ => 1,
        };
        return if needed > back { data.len() - back } else { data.len() };
    }
    data.len()
}

impl Voice {
    pub(super) fn new(plan: &LogPlan, origin: Origin) -> Self {
        let kind = match origin {
            Origin::Out => "out",
            Origin::Error => "err",
        };
        let name = serde_json::Value::from(plan.app_name.as_str());
        let json_end = || {
            format!(
                ",\"type\":\"{kind}\",\"process_id\":{},\"app_name\":{name}}}\n",
                plan.process_id
            )
        };
        let json_end = if plan.json { json_end() } else { String::new() };
        Self { json: plan.json, date: plan.date.clone(), json_end }
    }

    /// Whether bytes may go to the file as they are.
    pub(super) fn is_plain(&self) -> bool {
        !self.json && self.date.is_none()
    }

    /// The words around a line that is written now.
    pub(super) fn frame(&self, now: DateTime<Utc>) -> Frame {
        let dated = self.date.as_ref().map(|date| date.format(&now.with_timezone(&Local)));
        if self.json {
            let stamp = dated.unwrap_or_else(|| now.to_rfc3339_opts(SecondsFormat::Millis, true));
            let stamp = serde_json::Value::from(stamp);
            let end = format!("\",\"timestamp\":{stamp}{}", self.json_end);
            return Frame { start: "{\"message\":\"".to_owned(), end, json: true };
        }
        let start = dated.map_or_else(String::new, |date| format!("{date}: "));
        Frame { start, end: "\n".to_owned(), json: false }
    }
}

/// What comes before and after each line.
#[derive(Debug)]
pub(super) struct Frame {
    start: String,
    /// With the line end.
    pub(super) end: String,
    json: bool,
}

impl Frame {
    /// Writes the lines of `data`. `begun`: what will end the line that was begun in an earlier piece. Answers whether the
    /// last line is left open.
    pub(super) fn render(
        &self,
        data: &[u8],
        ends: bool,
        begun: Option<&str>,
        out: &mut Vec<u8>,
    ) -> bool {
        let mut begun = begun;
        let mut open = begun.is_some();
        for piece in data.split_inclusive(|byte| *byte == b'\n') {
            if !open {
                out.extend_from_slice(self.start.as_bytes());
            }
            let text = piece.strip_suffix(b"\n");
            let is_over = text.is_some() || ends;
            let text = text.unwrap_or(piece);
            if self.json {
                let trimmed = if is_over { text.strip_suffix(b"\r") } else { None };
                escape(trimmed.unwrap_or(text), out);
            } else {
                out.extend_from_slice(text);
            }
            open = !is_over;
            if is_over {
                out.extend_from_slice(begun.take().unwrap_or(&self.end).as_bytes());
            }
        }
        open
    }
}

/// Adds a text as the inside of a JSON string. Each sequence that is no UTF-8 becomes U+FFFD.
fn escape(text: &[u8], out: &mut Vec<u8>) {
    for chunk in text.utf8_chunks() {
        let start = out.len();
        // A text always becomes JSON, and memory takes it.
        if serde_json::to_writer(&mut *out, chunk.valid()).is_ok() {
            // Without the quotation marks around it.
            out.remove(start);
            out.pop();
        }
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{FFFD}".as_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
