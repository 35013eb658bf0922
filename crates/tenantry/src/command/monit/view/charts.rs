//! What the selected process used in the last minutes.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style};
use ratatui::symbols::Marker;
use ratatui::widgets::{Axis, Chart, Dataset, GraphType};

use super::framed;
use crate::command::monit::model::Model;
use crate::command::monit::process::{Curve, SPAN_SECONDS};
use crate::text::bytes;

/// Two frames with a line in each.
const LEAST_HEIGHT: u16 = 6;

/// Room for both charts where that leaves some for the details below; none where they would be frames alone.
pub fn height(area: Rect) -> Constraint {
    let both = (area.height / 2).min(14) / 2 * 2;
    Constraint::Length(if both < LEAST_HEIGHT { 0 } else { both })
}

pub fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, now_ms: i64) {
    if area.height < LEAST_HEIGHT {
        return;
    }
    let [top, bottom] = Layout::vertical([Constraint::Fill(1); 2]).areas(area);
    let (cpu, memory, now) = match model.selected() {
        Some(process) => (
            process.history.cpu(now_ms),
            process.history.memory(now_ms),
            (process.row.cpu_percent, process.row.memory_bytes),
        ),
        None => (Curve::default(), Curve::default(), (0.0, 0)),
    };
    let title = format!(" cpu {:.1} %, peak {:.1} % ", now.0, cpu.peak);
    // A tenth of a percent of noise must not look like a mountain.
    chart(frame, top, &title, &cpu, 10.0, Color::Cyan);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "they are bytes")]
    let peak = bytes(memory.peak as u64);
    let title = format!(" memory {}, peak {peak} ", bytes(now.1));
    chart(frame, bottom, &title, &memory, 1024.0 * 1024.0, Color::Magenta);
}

fn chart(
    frame: &mut Frame<'_>,
    area: Rect,
    title: &str,
    curve: &Curve,
    least_top: f64,
    colour: Color,
) {
    let top = (curve.peak * 1.1).max(least_top);
    let style = Style::new().fg(colour);
    let line = Dataset::default()
        .marker(Marker::Braille)
        .graph_type(GraphType::Line)
        .style(style)
        .data(&curve.points);
    let mut block = framed(title.to_owned(), false);
    if area.height >= 5 {
        block = block.title_bottom(format!(" {} min ", SPAN_SECONDS / 60));
    }
    let chart = Chart::new(vec![line])
        .x_axis(Axis::default().bounds([-f64::from(SPAN_SECONDS), 0.0]))
        .y_axis(Axis::default().bounds([0.0, top]))
        .block(block);
    frame.render_widget(chart, area);
}
