//! Tables that are aligned on a terminal and are Markdown too.

use std::fmt::Write as _;

/// A table; its first row is the head. The first column is text, the others are numbers. A row that
/// is shorter than the head is filled with empty cells.
pub fn markdown(rows: &[Vec<String>]) -> String {
    let Some(head) = rows.first() else {
        return String::new();
    };
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default().max(3)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (column, width) in widths.iter().enumerate() {
            let cell = row.get(column).map_or("", String::as_str);
            let _ = match column {
                0 => write!(text, "| {cell:<width$} |"),
                _ => write!(text, " {cell:>width$} |"),
            };
        }
        text.push('\n');
        if number == 0 {
            for (column, width) in widths.iter().enumerate() {
                let _ = match column {
                    0 => write!(text, "|{:-<1$}|", "", width + 2),
                    _ => write!(text, "{:->1$}:|", "", width + 1),
                };
            }
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::markdown;

    #[test]
    fn columns_are_aligned_and_short_rows_filled() {
        let rows = [vec!["tool", "list (ms)"], vec!["pm2", "385"], vec!["×"]]
            .map(|row| row.into_iter().map(str::to_owned).collect::<Vec<_>>());
        let expected = "| tool | list (ms) |\n|------|----------:|\n| pm2  |       385 |\n\
                        | ×    |           |\n";
        assert_eq!(markdown(&rows), expected);
        assert_eq!(markdown(&[]), "");
    }
}
