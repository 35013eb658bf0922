//! The output of the selected process: so many lines at most, and the part of them that is looked at.

use std::collections::VecDeque;

use supervisor::wire::{LogLine, LogStream};

use crate::log_line::pretty;

/// Lines that are kept.
pub const MOST_LINES: usize = 2000;
/// Characters of a line that are kept; no terminal shows more.
const MOST_CHARACTERS: usize = 2000;
/// Columns that a step to the side moves.
const SIDE_STEP: usize = 8;

/// One line, harmless to a terminal.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    pub stream: LogStream,
}

/// Lines, and where one looks.
#[derive(Debug, Default)]
pub struct LogPane {
    lines: VecDeque<Line>,
    /// Lines below the last one that is shown; 0 follows what is added.
    below: usize,
    /// Columns left of the first that is shown.
    left: usize,
    /// Lines that fit, as last drawn.
    height: usize,
    /// Why no more lines come, while that is so.
    pub trouble: Option<String>,
}

impl LogPane {
    /// Forgets everything: another process, or its lines once more from the start.
    pub fn clear(&mut self) {
        *self = Self { height: self.height, ..Self::default() };
    }

    /// Adds a line. Whoever looks at older ones goes on seeing the same.
    pub fn add(&mut self, line: &LogLine) {
        let cut = line.line.char_indices().nth(MOST_CHARACTERS).map(|(at, _)| at);
        let text = match cut {
            Some(at) => format!("{}…", pretty(&line.line[..at], false)),
            None => pretty(&line.line, false),
        };
        self.lines.push_back(Line { text, stream: line.stream });
        if self.below > 0 {
            self.below += 1;
        }
        if self.lines.len() > MOST_LINES {
            self.lines.pop_front();
        }
        self.clamp();
    }

    /// How many lines fit, as they were just drawn.
    pub fn drawn(&mut self, height: usize) {
        self.height = height;
        self.clamp();
    }

    /// Moves so many lines up, or down when negative.
    pub fn scroll(&mut self, lines: isize) {
        self.below = self.below.saturating_add_signed(lines);
        self.clamp();
    }

    /// Moves by as many lines as fit, but for one.
    pub fn page(&mut self, up: bool) {
        let page = isize::try_from(self.height.saturating_sub(1).max(1)).unwrap_or(1);
        self.scroll(if up { page } else { -page });
    }

    /// Goes to the oldest line.
    pub fn oldest(&mut self) {
        self.below = usize::MAX;
        self.clamp();
    }

    /// Goes to the newest line, and follows.
    pub fn newest(&mut self) {
        self.below = 0;
    }

    /// Moves to the side.
    pub fn aside(&mut self, right: bool) {
        self.left = if right {
            (self.left + SIDE_STEP).min(MOST_CHARACTERS)
        } else {
            self.left.saturating_sub(SIDE_STEP)
        };
    }

    /// Columns left of the first that is shown.
    pub const fn left(&self) -> usize {
        self.left
    }

    /// How many lines there are below those that are shown.
    pub const fn below(&self) -> usize {
        self.below
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The lines that fit into so many rows, from top to bottom.
    pub fn shown(&self, rows: usize) -> impl Iterator<Item = &Line> {
        let end = self.lines.len() - self.below.min(self.lines.len());
        let start = end.saturating_sub(rows);
        self.lines.range(start..end)
    }

    fn clamp(&mut self) {
        self.below = self.below.min(self.lines.len().saturating_sub(self.height));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(text: &str) -> LogLine {
        LogLine { line: text.to_owned(), stream: LogStream::Out }
    }

    fn pane(lines: usize, height: usize) -> LogPane {
        let mut pane = LogPane::default();
        pane.drawn(height);
        (0..lines).for_each(|number| pane.add(&line(&number.to_string())));
        pane
    }

    fn shown(pane: &LogPane) -> Vec<&str> {
        pane.shown(pane.height).map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn it_follows_until_one_looks_up_and_then_stands_still() {
        let mut pane = pane(10, 3);
        assert_eq!(shown(&pane), ["7", "8", "9"]);
        pane.scroll(2);
        assert_eq!(shown(&pane), ["5", "6", "7"]);
        pane.add(&line("10"));
        assert_eq!(shown(&pane), ["5", "6", "7"]);
        pane.oldest();
        assert_eq!(shown(&pane), ["0", "1", "2"]);
        pane.page(false);
        assert_eq!(shown(&pane), ["2", "3", "4"]);
        pane.newest();
        assert_eq!(shown(&pane), ["8", "9", "10"]);
    }

    #[test]
    fn what_is_written_cannot_steer_the_terminal_nor_fill_the_memory() {
        let mut pane = pane(0, 3);
        pane.add(&line("\u{1b}[2J\u{7}bell"));
        pane.add(&line(&"é".repeat(1_000_000)));
        let lines = shown(&pane);
        assert_eq!(lines[0], "\u{fffd}[2J\u{fffd}bell");
        assert_eq!(lines[1].chars().count(), MOST_CHARACTERS + 1);
    }

    proptest! {
        #[test]
        fn it_is_bounded_and_always_shows_a_full_window(
            moves in proptest::collection::vec((0_u8..7, 0_usize..40), 0..80),
            lines in 0_usize..3000,
        ) {
            let mut pane = pane(lines, 5);
            for (what, amount) in moves {
                match what {
                    0 => pane.scroll(amount.cast_signed()),
                    1 => pane.scroll(-amount.cast_signed()),
                    2 => pane.oldest(),
                    3 => pane.page(true),
                    4 => pane.drawn(amount),
                    5 => pane.newest(),
                    _ => (0..amount * 5).for_each(|_| pane.add(&line("x"))),
                }
                prop_assert!(pane.lines.len() <= MOST_LINES);
                prop_assert_eq!(pane.shown(pane.height).count(), pane.height.min(pane.lines.len()));
            }
        }
    }
}
