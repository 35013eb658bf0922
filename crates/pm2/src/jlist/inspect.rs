//! JSON as Node's `util.inspect` prints it, which is what `prettylist` is.

use serde_json::{Map, Value};

/// The longest line that several values may share. (Node's own default.)
const LINE: usize = 80;
/// Values of so many levels at most are put on one line.
const LEVELS: usize = 3;
/// Lists of more items than this are set in columns.
const FEW: usize = 6;

/// A value as a JavaScript literal: single quotes, two spaces, plain names without quotes, as deep as it goes. Lists of
/// more than 100 items are shown in full, which `util.inspect` would not do.
#[must_use]
pub fn pretty(value: &Value) -> String {
    Printer { deepest: 0 }.any(value, 0, 0)
}

struct Printer {
    /// The level of the object or list that was begun last.
    deepest: usize,
}

impl Printer {
    fn any(&mut self, value: &Value, level: usize, indent: usize) -> String {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::String(text) => lines(text, indent),
            Value::Array(items) => self.list(items, level, indent),
            Value::Object(fields) => self.object(fields, level, indent),
        }
    }

    fn list(&mut self, items: &[Value], level: usize, indent: usize) -> String {
        self.deepest = level;
        if items.is_empty() {
            return "[]".to_owned();
        }
        let mut parts = Vec::with_capacity(items.len());
        for item in items {
            parts.push(self.any(item, level + 1, indent + 2));
        }
        let count = parts.len();
        if count > FEW {
            let numbers = items.iter().all(Value::is_number);
            parts = columns(parts, indent, numbers);
        }
        let whole = parts.len() == count;
        self.join(&parts, ["[", "]"], level, indent, whole)
    }

    fn object(&mut self, fields: &Map<String, Value>, level: usize, indent: usize) -> String {
        self.deepest = level;
        if fields.is_empty() {
            return "{}".to_owned();
        }
        let mut parts = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            let value = self.any(value, level + 1, indent + 2);
            let name = if is_identifier(name) { name.clone() } else { quoted(name) };
            parts.push(format!("{name}: {value}"));
        }
        self.join(&parts, ["{", "}"], level, indent, true)
    }

    fn join(
        &self,
        parts: &[String],
        [open, close]: [&str; 2],
        level: usize,
        indent: usize,
        may_share: bool,
    ) -> String {
        if may_share && self.deepest - level < LEVELS {
            let start = 2 * parts.len() + indent + open.len() + 10;
            // A part of whole pages need not be counted to the end.
            let end = parts.iter().try_fold(start, |at, part| {
                let shown = if part.len() > 4 * LINE { LINE } else { width(part) };
                Some(at + shown).filter(|end| *end <= LINE)
            });
            if end.is_some() && !parts.iter().any(|part| part.contains('\n')) {
                return format!("{open} {} {close}", parts.join(", "));
            }
        }
        let margin = " ".repeat(indent);
        let separator = format!(",\n{margin}  ");
        format!("{open}\n{margin}  {}\n{margin}{close}", parts.join(&separator))
    }
}

/// Sets the items of a long list in columns, where they are short enough for that.
fn columns(parts: Vec<String>, indent: usize, numbers: bool) -> Vec<String> {
    const GAP: usize = 2;
    let widths: Vec<usize> = parts.iter().map(|part| width(part)).collect();
    let total: usize = widths.iter().map(|width| width + GAP).sum();
    let longest = widths.iter().copied().max().unwrap_or(0);
    let widest = longest + GAP;
    let alike = total > widest * 5 || longest <= 6;
    if widest * 3 + indent >= LINE || !alike {
        return parts;
    }
    let count = number_of_columns(parts.len(), total, widest, indent);
    if count <= 1 {
        return parts;
    }
    let width_of =
        |column: usize| widths.iter().skip(column).step_by(count).copied().max().unwrap_or(0) + GAP;
    let column_widths: Vec<usize> = (0..count).map(width_of).collect();
    let line = |row: &[String]| {
        let last = row.len().saturating_sub(1);
        let cells = row.iter().zip(&column_widths).enumerate();
        let cells = cells.map(|(at, (part, &wide))| match (numbers, at == last) {
            (true, false) => format!("{:>wide$}", format!("{part}, ")),
            (true, true) => format!("{part:>wide$}", wide = wide - GAP),
            (false, false) => format!("{:<wide$}", format!("{part}, ")),
            (false, true) => part.clone(),
        });
        cells.collect::<String>()
    };
    parts.chunks(count).map(line).collect()
}

/// About two and a half times as many columns as rows, as far as they fit.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn number_of_columns(items: usize, total: usize, widest: usize, indent: usize) -> usize {
    let bias = (widest as f64 - total as f64 / items as f64).sqrt();
    let biased = (widest as f64 - 3.0 - bias).max(1.0);
    let square = ((2.5 * biased * items as f64).sqrt() / biased + 0.5).floor() as usize;
    square.min((LINE - indent) / widest).min(LEVELS * 4)
}

/// A text; a long one of several lines is one literal a line.
fn lines(text: &str, indent: usize) -> String {
    const SHORT: usize = 16;
    let long = width(text) > SHORT && width(text) + indent + 4 > LINE;
    if !long {
        return quoted(text);
    }
    let pieces: Vec<String> = text.split_inclusive('\n').map(quoted).collect();
    pieces.join(&format!(" +\n{}", " ".repeat(indent + 2)))
}

/// A literal in the first quotes that do not occur in the text.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'\'' && byte != b'\\';
    if text.bytes().all(plain) {
        return format!("'{text}'");
    }
    let quote = ['\'', '"', '`'].into_iter().find(|quote| match quote {
        '`' => !text.contains('`') && !text.contains("${"),
        other => !text.contains(*other),
    });
    let quote = quote.unwrap_or('\'');
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push(quote);
    for c in text.chars() {
        match c {
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            '\u{8}' => literal.push_str("\\b"),
            '\u{b}' => literal.push_str("\\v"),
            '\u{c}' => literal.push_str("\\f"),
            '\\' => literal.push_str("\\\\"),
            c if c == quote => literal.extend(['\\', c]),
            c if c.is_control() => literal.push_str(&format!("\\x{:02X}", u32::from(c))),
            c => literal.push(c),
        }
    }
    literal.push(quote);
    literal
}

/// As JavaScript counts.
fn width(text: &str) -> usize {
    text.encode_utf16().count()
}

fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
