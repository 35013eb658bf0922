//! What stands round the panes and over them: totals, keys and messages, the filter, questions, the help.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::{faint, framed};
use crate::command::monit::keys::HELP;
use crate::command::monit::model::{Link, Mode, Model};
use crate::text::{bytes, clean, span};

/// The keys that the footer names.
const HINT: &str =
    "r restart  s stop/start  R all  d delete  / filter  o sort  l logs  i details  ? help  q quit";
const HINT_SHORT: &str = "r s R d  / filter  o sort  l logs  ? help  q quit";
/// Columns of the keys in the help.
const KEYS_WIDTH: usize = 25;

pub fn header(frame: &mut Frame<'_>, area: Rect, model: &Model, now_ms: i64) {
    let totals = model.totals();
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let mut spans = vec![Span::styled("tenantry ", bold)];
    match &model.link {
        Link::Opening => spans.push(Span::styled("connecting ", Style::new().fg(Color::Yellow))),
        Link::Up => {}
        Link::Lost { since_ms, .. } => {
            let ms = u64::try_from(now_ms - since_ms).unwrap_or_default();
            let text = format!(" reconnecting for {} ", span(Duration::from_millis(ms)));
            spans.push(Span::styled(text, Style::new().fg(Color::Black).bg(Color::Yellow)));
            spans.push(Span::raw(" "));
        }
    }
    spans.push(Span::raw(format!("{} processes  ", totals.processes)));
    spans.push(Span::styled(format!("{} online  ", totals.online), Style::new().fg(Color::Green)));
    if totals.errored > 0 {
        let text = format!("{} errored  ", totals.errored);
        spans.push(Span::styled(text, Style::new().fg(Color::Red)));
    }
    spans.push(Span::raw(format!(
        "cpu {:.1} %  memory {}  ",
        totals.cpu_percent,
        bytes(totals.memory_bytes)
    )));
    if let Some(info) = &model.supervisor {
        let text = format!("supervisor {} pid {}", clean(&info.version), info.pid);
        spans.push(Span::styled(text, faint()));
    }
    frame.render_widget(Line::from(spans), area);
}

pub fn footer(frame: &mut Frame<'_>, area: Rect, model: &Model, now_ms: i64) {
    let line = match (&model.mode, model.notice(now_ms), &model.link) {
        (Mode::Filter, ..) => Line::from(vec![
            Span::styled("filter: ", Style::new().fg(Color::Cyan)),
            Span::raw(clean(&model.filter)),
            Span::styled(" ", Style::new().add_modifier(Modifier::REVERSED)),
            Span::styled("  Enter keeps, Esc clears", faint()),
        ]),
        (Mode::Command | Mode::Confirm { .. } | Mode::Help, Some(notice), _) => {
            let colour = if notice.bad { Color::Red } else { Color::Green };
            Line::styled(clean(&notice.text), Style::new().fg(colour))
        }
        (_, None, Link::Lost { why, .. }) => {
            Line::styled(clean(why), Style::new().fg(Color::Yellow))
        }
        (_, None, Link::Opening | Link::Up) => {
            let fits = usize::from(area.width) >= HINT.len();
            Line::styled(if fits { HINT } else { HINT_SHORT }, faint())
        }
    };
    frame.render_widget(line, area);
}

pub fn overlay(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    match &model.mode {
        Mode::Command | Mode::Filter => {}
        Mode::Confirm { question, .. } => {
            let lines = vec![
                Line::from(clean(question)),
                Line::from(""),
                Line::from(vec![
                    Span::styled("y", Style::new().add_modifier(Modifier::BOLD)),
                    Span::raw(" yes    "),
                    Span::styled("any other key", Style::new().add_modifier(Modifier::BOLD)),
                    Span::raw(" no"),
                ]),
            ];
            window(frame, area, " sure? ", lines);
        }
        Mode::Help => {
            let lines = HELP.iter().map(|(keys, what)| {
                let bold = Style::new().add_modifier(Modifier::BOLD);
                let keys = Span::styled(format!("{keys:<KEYS_WIDTH$}"), bold);
                Line::from(vec![keys, Span::raw(*what)])
            });
            window(frame, area, " keys ", lines.collect());
        }
    }
}

/// A window in the middle, as large as its text.
fn window(frame: &mut Frame<'_>, area: Rect, title: &'static str, lines: Vec<Line<'static>>) {
    let size = |length: usize| u16::try_from(length + 2).unwrap_or(u16::MAX);
    let width = size(lines.iter().map(Line::width).max().unwrap_or_default());
    let height = size(lines.len());
    let [row] = Layout::vertical([Constraint::Length(height)]).flex(Flex::Center).areas(area);
    let [middle] = Layout::horizontal([Constraint::Length(width)]).flex(Flex::Center).areas(row);
    frame.render_widget(Clear, middle);
    frame.render_widget(Paragraph::new(lines).block(framed(title, true)), middle);
}
