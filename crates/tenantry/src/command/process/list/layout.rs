//! Writing a table: in a box, or as bare columns. Made for many rows; nothing is measured twice.

use crate::screen::Tone;

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    pub text: String,
    pub tone: Tone,
}

/// How a table looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Lines around the cells, as PM2 draws them. If not, columns are two spaces apart.
    pub boxed: bool,
    /// Whether tones become colours.
    pub colours: bool,
    /// The widest that a cell may be, in characters; longer ones are cut.
    pub widest: usize,
}

/// The table as text.
pub fn table(head: &[&str], rows: &[Vec<Cell>], look: Look) -> String {
    let mut widths: Vec<usize> = head.iter().map(|name| name.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.text.chars().count().min(look.widest));
        }
    }
    let line: usize = widths.iter().map(|width| width + 3).sum();
    let mut out = String::with_capacity((rows.len() + 4) * (line + 8) * 2);
    let title = |name: &&str| Cell { text: (*name).to_owned(), tone: Tone::Heading };
    let head: Vec<Cell> = head.iter().map(title).collect();
    rule(&mut out, &widths, look, ['┌', '┬', '┐']);
    write_row(&mut out, &head, &widths, look);
    rule(&mut out, &widths, look, ['├', '┼', '┤']);
    for row in rows {
        write_row(&mut out, row, &widths, look);
    }
    rule(&mut out, &widths, look, ['└', '┴', '┘']);
    out
}

fn rule(out: &mut String, widths: &[usize], look: Look, [left, middle, right]: [char; 3]) {
    if !look.boxed {
        return;
    }
    for (index, width) in widths.iter().enumerate() {
        out.push(if index == 0 { left } else { middle });
        out.extend(std::iter::repeat_n('─', width + 2));
    }
    out.push(right);
    out.push('\n');
}

fn write_row(out: &mut String, row: &[Cell], widths: &[usize], look: Look) {
    let last = row.len().saturating_sub(1);
    for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
        if look.boxed {
            out.push_str("│ ");
        }
        let written = write_cell(out, cell, look);
        if look.boxed || index < last {
            let gap = if look.boxed { 1 } else { 2 };
            out.extend(std::iter::repeat_n(' ', width - written + gap));
        }
    }
    out.push_str(if look.boxed { "│\n" } else { "\n" });
}

/// Writes one cell and gives its width.
fn write_cell(out: &mut String, cell: &Cell, look: Look) -> usize {
    let code = cell.tone.code().filter(|_| look.colours);
    if let Some(code) = code {
        out.push_str(code);
    }
    let length = cell.text.chars().count();
    if length <= look.widest {
        out.push_str(&cell.text);
    } else {
        out.extend(cell.text.chars().take(look.widest.saturating_sub(1)));
        out.push('…');
    }
    if code.is_some() {
        out.push_str("\u{1b}[0m");
    }
    length.min(look.widest)
}

#[cfg(test)]
mod tests {
    use super::{Cell, Look, table};
    use crate::screen::Tone;

    fn rows() -> Vec<Vec<Cell>> {
        let cell = |text: &str, tone| Cell { text: text.to_owned(), tone };
        vec![
            vec![cell("0", Tone::Plain), cell("wéb", Tone::Good)],
            vec![cell("10", Tone::Plain), cell("a-very-long-name", Tone::Bad)],
        ]
    }

    #[test]
    fn columns_in_a_pipe_are_bare() {
        let look = Look { boxed: false, colours: false, widest: 40 };
        let text = table(&["ID", "NAME"], &rows(), look);
        assert_eq!(text, "ID  NAME\n0   wéb\n10  a-very-long-name\n");
    }

    #[test]
    fn a_box_is_even_on_all_sides_and_cuts_what_is_too_long() {
        let look = Look { boxed: true, colours: false, widest: 8 };
        let text = table(&["id", "name"], &rows(), look);
        assert_eq!(
            text,
            "┌────┬──────────┐\n\
             │ id │ name     │\n\
             ├────┼──────────┤\n\
             │ 0  │ wéb      │\n\
             │ 10 │ a-very-… │\n\
             └────┴──────────┘\n"
        );
    }

    #[test]
    fn colours_do_not_count_for_the_width() {
        let look = Look { boxed: true, colours: true, widest: 40 };
        let text = table(&["id", "name"], &rows(), look);
        assert!(text.contains("│ \u{1b}[32mwéb\u{1b}[0m              │"), "{text}");
    }
}
