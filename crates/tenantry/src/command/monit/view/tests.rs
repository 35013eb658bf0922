use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;
use supervisor::wire::{Event, ListRow, LogLine, LogStream, Phase, ProcessView};

use super::draw;
use crate::command::monit::model::{Model, Update};
use crate::command::monit::sample::{row, view};

/// Ninety seconds after the samples were started.
const NOW: i64 = 91_000;

fn model() -> Model {
    let mut model = Model::new();
    let busy =
        ListRow { cpu_percent: 12.34, memory_bytes: 48 << 20, restarts: 3, ..row(0, "acme") };
    let failed = ListRow {
        state: Phase::Errored,
        pid: None,
        namespace: "bots".to_owned(),
        ..row(1, "evil\u{1b}[2J")
    };
    for at in 0..90 {
        model.apply(Update::Rows(vec![busy.clone(), failed.clone()]), at * 1000);
    }
    let event = ProcessView { restarts: 3, ..view(0, "acme") };
    model.apply(Update::Event(Event::Process(Box::new(event))), NOW);
    let line = |line: &str, stream| LogLine { line: line.to_owned(), stream };
    let lines = vec![
        line("listening\u{7}", LogStream::Out),
        line("it broke", LogStream::Error),
        line(r#"{"level":30,"msg":"from pino"}"#, LogStream::Out),
    ];
    model.apply(Update::LogLines { id: 0, lines }, NOW);
    model
}

fn drawn(model: &mut Model, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, model, NOW)).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let rows = buffer.content.chunks(usize::from(buffer.area.width).max(1));
    let row = |row: &[ratatui::buffer::Cell]| -> String {
        row.iter().map(ratatui::buffer::Cell::symbol).collect()
    };
    rows.map(row).map(|row| row.trim_end().to_owned() + "\n").collect()
}

fn press(model: &mut Model, key: char) {
    model.press(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE));
}

fn assert_shows(screen: &str, parts: &[&str]) {
    for part in parts {
        assert!(screen.contains(part), "{part:?} is not in\n{screen}");
    }
}

#[test]
fn the_smallest_usual_terminal_shows_everything() {
    let screen = text(&drawn(&mut model(), 80, 24));
    assert_shows(
        &screen,
        &[
            "tenantry 2 processes  1 online  1 errored  cpu 12.3 %  memory 48.0 MiB",
            "id▲ name",
            "namespace",
            "online            12.3 %   48.0 MiB   1m 30s     3",
            "evil\u{fffd}[2J",
            "bots",
            "errored                -          -        -     0",
            " logs acme ",
            "listening\u{fffd}",
            "INFO  from pino",
            " cpu 12.3 %, peak 12.3 % ",
            " memory 48.0 MiB, peak 48.",
            " details of acme (id 0) ",
            "status     online",
            "pid        4000",
            "? help  q quit",
        ],
    );
    assert_eq!(screen.lines().count(), 24);
}

#[test]
fn a_large_terminal_shows_the_curves_and_more_details() {
    let screen = text(&drawn(&mut model(), 160, 50));
    assert_shows(&screen, &["4 min", "command    node bot.js", "folder     /srv", "r restart"]);
    assert!(screen.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c)), "{screen}");
}

#[test]
fn standard_error_and_states_have_colours() {
    let buffer = drawn(&mut model(), 80, 24);
    let colour = |word: &str| {
        let screen = text(&buffer);
        let (y, line) = screen.lines().enumerate().find(|(_, line)| line.contains(word)).unwrap();
        let x = line.chars().count() - line[line.find(word).unwrap()..].chars().count();
        buffer[(u16::try_from(x).unwrap(), u16::try_from(y).unwrap())].fg
    };
    assert_eq!(colour("it broke"), Color::Red);
    assert_eq!(colour("listening"), Color::Reset);
    assert_eq!(colour("errored      "), Color::Red);
}

#[test]
fn help_and_questions_lie_over_the_panes() {
    let mut model = model();
    press(&mut model, '?');
    assert_shows(&text(&drawn(&mut model, 80, 24)), &[" keys ", "restart the process", "Ctrl-C"]);
    press(&mut model, ' ');
    press(&mut model, 'd');
    assert_shows(&text(&drawn(&mut model, 80, 24)), &["Delete acme (id 0)?", "any other key"]);
}

#[test]
fn every_line_of_the_help_fits_the_smallest_usual_terminal() {
    let mut model = model();
    press(&mut model, '?');
    let screen = text(&drawn(&mut model, 80, 24));
    for (keys, what) in crate::command::monit::keys::HELP {
        assert_shows(&screen, &[keys, what]);
    }
}

#[test]
fn the_filter_and_what_it_leaves_are_shown() {
    let mut model = model();
    "/evil".chars().for_each(|key| press(&mut model, key));
    let screen = text(&drawn(&mut model, 80, 24));
    assert_shows(&screen, &["filter: evil", "(1 of 2 for “evil”)", " logs evil\u{fffd}[2J "]);
    assert!(!screen.contains("acme"), "{screen}");
}

#[test]
fn a_lost_supervisor_is_told_and_what_was_known_stays() {
    let mut model = model();
    model.apply(Update::Lost("no supervisor answers".to_owned()), NOW - 5000);
    let screen = text(&drawn(&mut model, 80, 24));
    assert_shows(&screen, &["reconnecting for 5s", "no supervisor answers", "acme"]);
}

#[test]
fn the_log_has_the_whole_screen_when_asked() {
    let mut model = model();
    press(&mut model, 'l');
    let screen = text(&drawn(&mut model, 80, 24));
    assert_shows(&screen, &[" logs acme ", "it broke"]);
    assert!(!screen.contains("details"), "{screen}");
    assert_eq!(screen.matches('╭').count(), 1);
}

#[test]
fn the_selected_process_is_always_on_the_screen() {
    let mut model = Model::new();
    model.apply(Update::Rows((0..500).map(|id| row(id, &format!("p{id}"))).collect()), NOW);
    press(&mut model, 'G');
    assert_shows(&text(&drawn(&mut model, 80, 24)), &["p499"]);
    press(&mut model, 'g');
    assert_shows(&text(&drawn(&mut model, 80, 24)), &["p0 "]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_size_and_no_key_is_too_much(
        width in 0_u16..120,
        height in 0_u16..50,
        keys in "[jkgGlioO?dR/x\t]{0,8}",
    ) {
        let mut model = model();
        keys.chars().for_each(|key| press(&mut model, key));
        let buffer = drawn(&mut model, width, height);
        let harmless = !text(&buffer).contains('\u{1b}');
        prop_assert!(harmless);
    }
}
