//! Draws the dashboard.

mod charts;
mod chrome;
mod list;
mod panes;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Borders};

use super::model::{Model, Pane};

/// A screen narrower than this shows the name and the state of processes alone.
const LEAST_WIDTH: u16 = 40;
/// A screen lower than this has no room for anything but the pane in focus.
const LEAST_HEIGHT: u16 = 14;
/// The list has this share of the height, in percent.
const LIST_SHARE: u16 = 45;
/// The logs have this share of the width, in percent.
const LOG_SHARE: u16 = 60;

/// Draws everything. The model learns how much of it fitted, which it needs for scrolling.
pub fn draw(frame: &mut Frame<'_>, model: &mut Model, now_ms: i64) {
    let [header, body, footer] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)])
            .areas(frame.area());
    chrome::header(frame, header, model, now_ms);
    if model.zoomed || body.height < LEAST_HEIGHT || body.width < LEAST_WIDTH {
        pane(frame, body, model, now_ms, model.focus);
    } else {
        let [top, bottom] =
            Layout::vertical([Constraint::Percentage(LIST_SHARE), Constraint::Fill(1)]).areas(body);
        let [left, right] =
            Layout::horizontal([Constraint::Percentage(LOG_SHARE), Constraint::Fill(1)])
                .areas(bottom);
        pane(frame, top, model, now_ms, Pane::List);
        pane(frame, left, model, now_ms, Pane::Logs);
        let [charts, rest] =
            Layout::vertical([charts::height(right), Constraint::Fill(1)]).areas(right);
        charts::draw(frame, charts, model, now_ms);
        pane(frame, rest, model, now_ms, Pane::Details);
    }
    chrome::footer(frame, footer, model, now_ms);
    chrome::overlay(frame, body, model);
}

fn pane(frame: &mut Frame<'_>, area: Rect, model: &mut Model, now_ms: i64, pane: Pane) {
    match pane {
        Pane::List => list::draw(frame, area, model, now_ms),
        Pane::Logs => panes::logs(frame, area, model),
        Pane::Details => panes::details(frame, area, model),
    }
}

/// A frame round a pane; the one in focus stands out.
fn framed(title: impl Into<Line<'static>>, focused: bool) -> Block<'static> {
    let style = if focused { Style::new().fg(Color::Cyan) } else { faint() };
    Block::new()
        .borders(Borders::ALL)
        .border_type(BorderType::Rounded)
        .border_style(style)
        .title(title)
        .title_style(Style::new().add_modifier(Modifier::BOLD))
}

fn faint() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

#[cfg(test)]
mod tests;
