//! The log and the details of the selected process.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use supervisor::wire::LogStream;

use super::{faint, framed};
use crate::command::monit::details::{Weight, details as details_of};
use crate::command::monit::model::{Model, Pane};
use crate::text::clean;

/// Columns of a detail's label.
const LABEL_WIDTH: usize = 11;

pub fn logs(frame: &mut Frame<'_>, area: Rect, model: &mut Model) {
    let name = model.selected().map(|process| clean(&process.row.name)).unwrap_or_default();
    let mut block = framed(format!(" logs {name} "), model.focus == Pane::Logs);
    if model.log.below() > 0 {
        block = block.title_bottom(format!(" {} more below, G follows ", model.log.below()));
    }
    if let Some(trouble) = &model.log.trouble {
        let text = format!(" no new lines: {} ", clean(trouble));
        block = block.title_bottom(Line::styled(text, Style::new().fg(Color::Yellow)));
    }
    let inner = block.inner(area);
    let rows = usize::from(inner.height);
    model.log.drawn(rows);
    let left = model.log.left();
    let lines: Vec<Line<'_>> = model
        .log
        .shown(rows)
        .map(|line| {
            let from = line.text.char_indices().nth(left).map_or(line.text.len(), |(at, _)| at);
            let style = match line.stream {
                LogStream::Out => Style::new(),
                LogStream::Error => Style::new().fg(Color::Red),
            };
            Line::styled(&line.text[from..], style)
        })
        .collect();
    let text = if model.log.is_empty() && model.selected().is_some() {
        Paragraph::new(Line::styled("it has written nothing", faint()))
    } else {
        Paragraph::new(lines)
    };
    frame.render_widget(text.block(block), area);
}

pub fn details(frame: &mut Frame<'_>, area: Rect, model: &mut Model) {
    let title = model.selected().map_or_else(
        || " details ".to_owned(),
        |process| format!(" details of {} (id {}) ", clean(&process.row.name), process.row.id),
    );
    let block = framed(title, model.focus == Pane::Details);
    let inner = block.inner(area);
    let width = usize::from(inner.width).saturating_sub(LABEL_WIDTH).max(1);
    let mut lines = Vec::new();
    if let Some(process) = model.selected() {
        for detail in details_of(process, model.spec()) {
            let style = match detail.weight {
                Weight::Plain => Style::new(),
                Weight::Bad => Style::new().fg(Color::Red),
            };
            let mut label = detail.label;
            for part in pieces(&detail.text, width) {
                lines.push(Line::from(vec![
                    Span::styled(format!("{label:<LABEL_WIDTH$}"), faint()),
                    Span::styled(part, style),
                ]));
                label = "";
            }
        }
    }
    let most = lines.len().saturating_sub(usize::from(inner.height));
    model.first_detail = model.first_detail.min(most);
    let lines: Vec<_> = lines.into_iter().skip(model.first_detail).collect();
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// The text in lines of so many characters; one line at least.
fn pieces(text: &str, width: usize) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    if characters.is_empty() {
        return vec![String::new()];
    }
    characters.chunks(width).map(|piece| piece.iter().collect()).collect()
}
