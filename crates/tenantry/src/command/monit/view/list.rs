//! The list of processes.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Row, Table};
use std::time::Duration;
use supervisor::wire::Phase;

use super::{faint, framed};
use crate::command::monit::model::{Model, Pane};
use crate::command::monit::order::{Column, Order, state_words};
use crate::command::monit::process::Process;
use crate::text::{NONE, bytes, clean, span};

/// Columns that give way on a narrow screen, and the width that each needs of the screen.
const NEEDS: [(Column, u16); 5] = [
    (Column::Namespace, 78),
    (Column::Restarts, 70),
    (Column::Uptime, 62),
    (Column::Memory, 52),
    (Column::Cpu, 42),
];

pub fn draw(frame: &mut Frame<'_>, area: Rect, model: &mut Model, now_ms: i64) {
    let block = framed(title(model), model.focus == Pane::List);
    // Its frame and the line with the columns' names.
    model.list_height = usize::from(area.height.saturating_sub(3));
    model.first_row = window(
        model.first_row,
        model.selected_row().unwrap_or_default(),
        model.list_height,
        model.shown().len(),
    );
    let columns: Vec<Column> = Column::ALL
        .into_iter()
        .filter(|column| NEEDS.iter().all(|(other, width)| other != column || area.width >= *width))
        .collect();
    let visible = model.shown().iter().skip(model.first_row).take(model.list_height);
    let selected = model.selected().map(|process| process.row.id);
    let rows = visible.filter_map(|id| model.process(*id)).map(|process| {
        let cells = columns.iter().map(|column| cell(*column, process, now_ms));
        let style = if Some(process.row.id) == selected {
            Style::new().add_modifier(Modifier::REVERSED)
        } else {
            Style::new()
        };
        Row::new(cells.collect::<Vec<_>>()).style(style)
    });
    let head = Row::new(columns.iter().map(|column| head(*column, model.order)))
        .style(Style::new().add_modifier(Modifier::BOLD));
    let table = Table::new(rows, columns.iter().map(|column| width(*column)))
        .header(head)
        .column_spacing(1)
        .block(block);
    frame.render_widget(table, area);
}

fn title(model: &Model) -> String {
    let all = model.totals().processes;
    match model.shown().len() {
        shown if shown == all => " processes ".to_owned(),
        shown => format!(" processes ({shown} of {all} for “{}”) ", clean(&model.filter)),
    }
}

/// The first row that is shown, so that the selected one is among them and the window moves as little as it can.
fn window(first: usize, selected: usize, height: usize, rows: usize) -> usize {
    let last_first = rows.saturating_sub(height);
    let least = (selected + 1).saturating_sub(height);
    first.clamp(least, selected.max(least)).min(last_first)
}

const fn width(column: Column) -> Constraint {
    match column {
        Column::Id => Constraint::Length(5),
        Column::Name => Constraint::Fill(1),
        Column::Namespace => Constraint::Length(10),
        Column::Status => Constraint::Length(15),
        Column::Cpu | Column::Uptime => Constraint::Length(8),
        Column::Memory => Constraint::Length(10),
        Column::Restarts => Constraint::Length(5),
    }
}

const fn alignment(column: Column) -> Alignment {
    match column {
        Column::Name | Column::Namespace | Column::Status => Alignment::Left,
        Column::Id | Column::Cpu | Column::Memory | Column::Uptime | Column::Restarts => {
            Alignment::Right
        }
    }
}

fn head(column: Column, order: Order) -> Line<'static> {
    let mark = match (column == order.column, order.descending) {
        (false, _) => "",
        (true, false) => "▲",
        (true, true) => "▼",
    };
    Line::from(format!("{}{mark}", column.title())).alignment(alignment(column))
}

fn cell(column: Column, process: &Process, now_ms: i64) -> Cell<'static> {
    let row = &process.row;
    let runs = row.pid.is_some();
    let if_runs = |text: String| if runs { text } else { NONE.to_owned() };
    let text = match column {
        Column::Id => Span::styled(row.id.to_string(), faint()),
        Column::Name => Span::raw(clean(&row.name)),
        Column::Namespace => Span::raw(clean(&row.namespace)),
        Column::Status => Span::styled(state_words(row.state), state_style(row.state)),
        Column::Cpu => Span::raw(if_runs(format!("{:.1} %", row.cpu_percent))),
        Column::Memory => Span::raw(if_runs(bytes(row.memory_bytes))),
        Column::Uptime => Span::raw(
            process
                .uptime_ms(now_ms)
                .map_or_else(|| NONE.to_owned(), |ms| span(Duration::from_millis(ms))),
        ),
        Column::Restarts => Span::raw(row.restarts.to_string()),
    };
    Cell::from(Line::from(text).alignment(alignment(column)))
}

pub fn state_style(state: Phase) -> Style {
    match state {
        Phase::Online => Style::new().fg(Color::Green),
        Phase::Launching | Phase::Stopping | Phase::WaitingRestart => {
            Style::new().fg(Color::Yellow)
        }
        Phase::Errored => Style::new().fg(Color::Red),
        Phase::Stopped => faint(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::window;

    proptest! {
        #[test]
        fn the_selected_row_is_in_the_window_and_the_window_is_full(
            first in 0_usize..50, selected in 0_usize..50, height in 1_usize..20, more in 0_usize..30,
        ) {
            let rows = selected + 1 + more;
            let start = window(first, selected, height, rows);
            prop_assert!(start <= selected && selected < start + height);
            prop_assert!(start + height <= rows || start == 0);
            prop_assert_eq!(window(start, selected, height, rows), start, "it does not wander");
        }
    }

    #[test]
    fn an_empty_list_begins_at_its_beginning() {
        assert_eq!(window(7, 0, 5, 0), 0);
        assert_eq!(window(7, 3, 0, 4), 4);
    }
}
