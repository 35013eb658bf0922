//! A QR code as text: two rows of modules to a line.

use anyhow::{Context, bail};
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use crate::screen::Size;

/// White on black whatever the terminal's own colours are: cameras want the dark modules dark.
const COLOURS: &str = "\u{1b}[38;5;231;48;5;16m";

/// Back to the terminal's own colours.
const PLAIN: &str = "\u{1b}[0m";

/// A QR code as lines of text.
pub struct Drawing {
    lines: Vec<String>,
    coloured: bool,
}

impl Drawing {
    /// Draws a text.
    ///
    /// # Errors
    /// When it does not fit into a QR code.
    pub fn of(text: &str) -> anyhow::Result<Self> {
        // The lowest correction gives the smallest picture, and a screen is not torn or soiled.
        let code = QrCode::with_error_correction_level(text, EcLevel::L)
            .context("what the server sent does not fit into a QR code")?;
        // The dark modules are the terminal's background, the light ones are drawn.
        let picture = code
            .render::<Dense1x2>()
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark)
            .build();
        Ok(Self { lines: picture.lines().map(str::to_owned).collect(), coloured: false })
    }

    /// The number of lines.
    pub fn height(&self) -> usize {
        self.lines.len()
    }

    /// Checks that the picture fits into a terminal.
    ///
    /// # Errors
    /// When it does not: a code that is broken over lines cannot be scanned.
    pub fn fit(&self, size: Size) -> anyhow::Result<()> {
        let width = self.lines.first().map_or(0, |line| line.chars().count());
        // One more line tells what to do, and one is the cursor's.
        let height = self.height() + 2;
        if width > usize::from(size.columns) || height > usize::from(size.rows) {
            bail!(
                "the QR code needs a terminal of {width} columns and {height} rows, and this one has \
                 {} and {}; make it larger, or its font smaller",
                size.columns,
                size.rows
            );
        }
        Ok(())
    }

    /// Sets the colours, for a terminal.
    pub const fn colour(&mut self) {
        self.coloured = true;
    }

    /// The picture, with a line break behind every line.
    pub fn text(&self) -> String {
        let (before, behind) = if self.coloured { (COLOURS, PLAIN) } else { ("", "") };
        self.lines.iter().map(|line| format!("{before}{line}{behind}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Drawing;
    use crate::screen::Size;

    #[test]
    fn a_code_is_square_and_has_its_quiet_zone() {
        let drawing = Drawing::of("2@abcdef,ghi,jkl").unwrap();
        let text = drawing.text();
        let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{text}");
        assert_eq!(widths[0].div_ceil(2), drawing.height());
        assert!(text.lines().next().unwrap().chars().all(|c| c == '█'), "{text}");
    }

    #[test]
    fn a_code_that_would_be_broken_is_not_drawn() {
        let drawing = Drawing::of(&"x".repeat(230)).unwrap();
        let (columns, rows) = (200, 60);
        assert!(drawing.fit(Size { columns, rows }).is_ok());
        assert!(drawing.fit(Size { columns: 40, rows }).is_err());
        let error = drawing.fit(Size { columns, rows: 24 }).unwrap_err();
        assert!(error.to_string().contains("make it larger"), "{error}");
    }
}
