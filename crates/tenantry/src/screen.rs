//! Writing to stdout: for people when it is a terminal, for programs when it is not.

use std::io::{self, IsTerminal, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table};
use serde::Serialize;

use crate::text::clean;

/// Where output goes. A write to a pipe whose reader has gone is an error, not a panic.
pub struct Screen {
    out: Box<dyn Write>,
    size: Option<Size>,
    colours: bool,
}

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
}

/// How a cell stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Good,
    Doubtful,
    Bad,
    Faint,
    Heading,
}

impl Tone {
    /// What makes a terminal write so (ECMA-48).
    pub const fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Good => Some("\u{1b}[32m"),
            Self::Doubtful => Some("\u{1b}[33m"),
            Self::Bad => Some("\u{1b}[31m"),
            Self::Faint => Some("\u{1b}[2m"),
            Self::Heading => Some("\u{1b}[1m"),
        }
    }
}

impl Screen {
    /// The standard output of this process.
    pub fn stdout() -> Self {
        let stdout = io::stdout();
        let size = stdout.is_terminal().then(|| terminal_size(&stdout)).flatten();
        let colours = size.is_some() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self { out: Box::new(stdout), size, colours }
    }

    /// Leaves colours out.
    pub const fn without_colours(&mut self) {
        self.colours = false;
    }

    /// The terminal's size; `None` when the output is none.
    pub const fn size(&self) -> Option<Size> {
        self.size
    }

    /// Whether colours are wanted.
    pub const fn colours(&self) -> bool {
        self.colours
    }

    /// Writes a text as it is.
    pub fn write(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Writes a text and a line break.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.write(&format!("{text}\n"))
    }

    /// Writes a value as JSON, readable by people too.
    pub fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(value)?;
        Ok(self.line(&text)?)
    }

    /// Writes a table: within the terminal's width, or as wide as it is in a pipe.
    pub fn table(&mut self, head: &[&str], rows: &[Vec<(String, Tone)>]) -> io::Result<()> {
        let text = table(head, rows, self.size.map(|size| size.columns), self.colours);
        self.write(&text)
    }
}

/// Renders a table without borders.
fn table(head: &[&str], rows: &[Vec<(String, Tone)>], width: Option<u16>, colours: bool) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING).force_no_tty();
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    if colours {
        table.enforce_styling();
    }
    if !head.is_empty() {
        table.set_header(head.iter().map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
    }
    for row in rows {
        table.add_row(row.iter().map(|(text, tone)| cell(text, *tone)));
    }
    let last = table.column_count().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index == last { 0 } else { 2 }));
    }
    let mut text =
        table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n");
    text.push('\n');
    text
}

fn cell(text: &str, tone: Tone) -> Cell {
    let cell = Cell::new(clean(text));
    match tone {
        Tone::Plain => cell,
        Tone::Good => cell.fg(Color::Green),
        Tone::Doubtful => cell.fg(Color::Yellow),
        Tone::Bad => cell.fg(Color::Red),
        Tone::Faint => cell.add_attribute(Attribute::Dim),
        Tone::Heading => cell.add_attribute(Attribute::Bold),
    }
}

fn terminal_size(stdout: &io::Stdout) -> Option<Size> {
    let size = rustix::termios::tcgetwinsize(stdout).ok();
    match size {
        Some(size) if size.ws_col > 0 && size.ws_row > 0 => {
            Some(Size { columns: size.ws_col, rows: size.ws_row })
        }
        // A terminal that does not know its size is one nevertheless.
        Some(_) | None => Some(Size { columns: 80, rows: 24 }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Tone, table};

    #[test]
    fn a_table_in_a_pipe_is_plain_and_as_wide_as_it_needs() {
        let long = "x".repeat(200);
        let rows = [
            vec![("acme".to_owned(), Tone::Good), (long.clone(), Tone::Plain)],
            vec![("b\u{1b}[2J".to_owned(), Tone::Bad), ("short".to_owned(), Tone::Faint)],
        ];
        let text = table(&["TENANT", "WORKER"], &rows, None, false);
        assert_eq!(text, format!("TENANT  WORKER\nacme    {long}\nb\u{fffd}[2J   short\n"));
    }

    #[test]
    fn a_table_on_a_terminal_stays_within_its_width() {
        let rows = [vec![("a".to_owned(), Tone::Plain), ("word ".repeat(30), Tone::Plain)]];
        let text = table(&["A", "B"], &rows, Some(40), false);
        assert!(text.lines().count() > 3, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
    }
}
