use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use supervisor::wire::{
    BatchAction, BatchAnswer, BatchResult, ErrorBody, ErrorCode, Event, GoneView, ListRow, LogLine,
    LogStream, Phase,
};

use super::{Deed, Link, Mode, Model, Pane, Update};
use crate::command::monit::keys::Reaction;
use crate::command::monit::order::Column;
use crate::command::monit::sample::{row, view};

fn model() -> Model {
    let mut model = Model::new();
    model.apply(Update::Rows(vec![row(0, "api"), row(1, "bot"), row(2, "cron")]), 5000);
    model
}

fn press(model: &mut Model, keys: &str) -> Reaction {
    let press = |key| model.press(KeyEvent::new(key, KeyModifiers::NONE));
    let codes = keys.chars().map(|character| match character {
        '\n' => KeyCode::Enter,
        '\t' => KeyCode::Tab,
        '\u{1b}' => KeyCode::Esc,
        '\u{8}' => KeyCode::Backspace,
        character => KeyCode::Char(character),
    });
    codes.map(press).last().unwrap()
}

fn selected(model: &Model) -> Option<u32> {
    model.selected().map(|process| process.row.id)
}

fn deed(action: BatchAction, ids: &[u32]) -> Reaction {
    Reaction::Do(Deed { action, ids: ids.to_vec() })
}

#[test]
fn keys_act_on_the_selected_process() {
    let mut model = model();
    assert_eq!(selected(&model), Some(0));
    assert_eq!(press(&mut model, "jr"), deed(BatchAction::Restart, &[1]));
    assert_eq!(press(&mut model, "s"), deed(BatchAction::Stop, &[1]));
    let stopped = ListRow { state: Phase::Stopped, pid: None, ..row(1, "bot") };
    model.apply(Update::Rows(vec![row(0, "api"), stopped]), 6000);
    assert_eq!(press(&mut model, "s"), deed(BatchAction::Start, &[1]));
    assert_eq!(press(&mut model, "kr"), deed(BatchAction::Restart, &[0]));
}

#[test]
fn what_cannot_be_taken_back_is_asked_first() {
    let mut model = model();
    assert_eq!(press(&mut model, "d"), Reaction::None);
    assert!(matches!(&model.mode, Mode::Confirm { question, .. } if question.contains("api")));
    assert_eq!(press(&mut model, "n"), Reaction::None);
    assert_eq!(model.mode, Mode::Command);
    assert_eq!(press(&mut model, "dy"), deed(BatchAction::Delete, &[0]));

    model.apply(Update::Event(Event::Gone(GoneView { name: "api".to_owned(), id: 0 })), 0);
    let stopped = ListRow { state: Phase::Stopped, pid: None, ..row(3, "off") };
    model.apply(Update::Rows(vec![row(1, "bot"), row(2, "cron"), stopped]), 6000);
    assert_eq!(press(&mut model, "Ry"), deed(BatchAction::Restart, &[1, 2]));
    assert_eq!(press(&mut model, "/bot\nRy"), deed(BatchAction::Restart, &[1]));
    assert_eq!(press(&mut model, "\u{1b}/off\nR"), Reaction::None);
    assert_eq!(model.mode, Mode::Command, "there is nothing to restart");
}

#[test]
fn a_question_keeps_its_process_when_the_list_changes() {
    let mut model = model();
    press(&mut model, "d");
    model.apply(Update::Event(Event::Gone(GoneView { name: "api".to_owned(), id: 0 })), 0);
    assert_eq!(selected(&model), Some(1));
    assert_eq!(press(&mut model, "y"), deed(BatchAction::Delete, &[0]));
}

#[test]
fn the_filter_takes_letters_that_are_commands_elsewhere() {
    let mut model = model();
    assert_eq!(press(&mut model, "/cq"), Reaction::None);
    assert_eq!(model.filter, "cq");
    assert_eq!(selected(&model), None);
    press(&mut model, "\u{8}");
    assert_eq!((model.shown(), selected(&model)), (&[2][..], Some(2)));
    press(&mut model, "\n");
    assert_eq!(press(&mut model, "\u{1b}"), Reaction::None, "Esc leaves the filter first");
    assert_eq!((model.shown().len(), selected(&model)), (3, Some(2)));
    assert_eq!(press(&mut model, "\u{1b}"), Reaction::Quit);
}

#[test]
fn one_leaves_with_q_and_always_with_control_c() {
    assert_eq!(press(&mut model(), "q"), Reaction::Quit);
    for before in ["/", "?", "d", "l", "\t"] {
        let mut model = model();
        press(&mut model, before);
        let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(model.press(control_c), Reaction::Quit, "after {before:?}");
    }
}

#[test]
fn the_focus_goes_round_and_escape_leads_out_step_by_step() {
    let mut model = model();
    press(&mut model, "\t");
    assert_eq!(model.focus, Pane::Logs);
    press(&mut model, "\t\t");
    assert_eq!(model.focus, Pane::List);
    press(&mut model, "l");
    assert_eq!((model.focus, model.zoomed), (Pane::Logs, true));
    press(&mut model, "i");
    assert_eq!((model.focus, model.zoomed), (Pane::Details, true));
    assert_eq!(press(&mut model, "\u{1b}"), Reaction::None);
    assert_eq!((model.focus, model.zoomed), (Pane::List, false));
    press(&mut model, "\n");
    assert_eq!(press(&mut model, "\u{1b}"), Reaction::None);
    assert_eq!(press(&mut model, "\u{1b}"), Reaction::Quit);
}

#[test]
fn the_selection_stays_with_its_process_in_another_order() {
    let mut model = model();
    press(&mut model, "j");
    let rows = [(0, 5.0), (1, 1.0), (2, 9.0)];
    let rows = rows.map(|(id, cpu_percent)| ListRow { cpu_percent, ..row(id, "x") });
    model.apply(Update::Rows(rows.to_vec()), 6000);
    press(&mut model, "oooo");
    assert_eq!(model.order.column, Column::Cpu);
    assert_eq!(model.shown(), [2, 0, 1]);
    assert_eq!((selected(&model), model.selected_row()), (Some(1), Some(2)));
    press(&mut model, "O");
    assert_eq!((model.shown(), model.selected_row()), (&[1, 0, 2][..], Some(0)));
}

#[test]
fn only_the_lines_of_the_selected_process_are_kept() {
    let mut model = model();
    let lines = |text: &str| vec![LogLine { line: text.to_owned(), stream: LogStream::Out }];
    model.apply(Update::LogLines { id: 1, lines: lines("stranger") }, 0);
    assert!(model.log.is_empty());
    model.apply(Update::LogLines { id: 0, lines: lines("mine") }, 0);
    assert_eq!(model.log.shown(9).count(), 1);
    model.apply(Update::LogBroke { id: 0, why: "gone".to_owned() }, 0);
    assert!(model.log.trouble.is_some());
    model.apply(Update::LogBegins { id: 0 }, 0);
    assert!(model.log.is_empty() && model.log.trouble.is_none());
    model.apply(Update::LogLines { id: 0, lines: lines("mine") }, 0);
    press(&mut model, "j");
    assert!(model.log.is_empty(), "another process was selected");
}

#[test]
fn events_change_the_list_at_once() {
    let mut model = model();
    let event = supervisor::wire::ProcessView { state: Phase::Errored, ..view(1, "bot") };
    model.apply(Update::Event(Event::Process(Box::new(event))), 0);
    assert_eq!(model.process(1).unwrap().row.state, Phase::Errored);
    assert_eq!(model.totals().errored, 1);
    model.apply(Update::Event(Event::Sync(vec![view(2, "cron"), view(7, "new")])), 0);
    assert_eq!(model.shown(), [2, 7]);
    assert_eq!(selected(&model), Some(2));
}

#[test]
fn a_lost_supervisor_is_remembered_from_its_first_silence() {
    let mut model = model();
    assert_eq!(model.link, Link::Up);
    model.apply(Update::Lost("refused".to_owned()), 7000);
    model.apply(Update::Lost("still refused".to_owned()), 9000);
    assert_eq!(model.link, Link::Lost { since_ms: 7000, why: "still refused".to_owned() });
    assert_eq!(model.shown().len(), 3, "what was known stays on the screen");
    model.apply(Update::Rows(Vec::new()), 9500);
    assert_eq!((&model.link, selected(&model)), (&Link::Up, None));
}

#[test]
fn the_outcome_of_a_deed_is_told_for_a_while() {
    let mut model = model();
    let failed = |message: &str| {
        BatchResult::Failed(ErrorBody {
            code: ErrorCode::Busy,
            message: message.to_owned(),
            exit: None,
            log_tail: Vec::new(),
        })
    };
    let done = || BatchResult::Done(Box::new(row(0, "api")));
    let told = |model: &mut Model, answer: Result<Vec<BatchResult>, &str>| {
        let answer = match answer {
            Ok(results) => Ok(BatchAnswer { results }),
            Err(why) => Err(why.to_owned()),
        };
        let deed = Deed { action: BatchAction::Restart, ids: vec![0] };
        model.apply(Update::Done { deed, answer }, 1000);
        let notice = model.notice(1001).unwrap();
        (notice.text.clone(), notice.bad)
    };
    let good = |text: &str| (text.to_owned(), false);
    let bad = |text: &str| (text.to_owned(), true);
    assert_eq!(told(&mut model, Ok(vec![done()])), good("restarted api"));
    assert_eq!(told(&mut model, Ok(vec![done(), done()])), good("restarted 2 processes"));
    assert_eq!(told(&mut model, Err("refused")), bad("cannot restart: refused"));
    assert_eq!(
        told(&mut model, Ok(vec![failed("api is busy"), done(), failed("x")])),
        bad("cannot restart: api is busy (and 1 more of 3)")
    );
    assert_eq!(model.notice(60_000), None);
}

proptest! {
    #[test]
    fn whatever_comes_in_the_selection_is_one_that_is_shown(
        steps in proptest::collection::vec((0_u8..12, 0_u32..6), 0..60),
    ) {
        let mut model = model();
        for (what, number) in steps {
            match what {
                0 => model.apply(Update::Rows((0..number).map(|id| row(id, "p")).collect()), 0),
                1 => {
                    let event = Event::Process(Box::new(view(number, "q")));
                    model.apply(Update::Event(event), 0);
                }
                2 => {
                    let gone = GoneView { name: String::new(), id: number };
                    model.apply(Update::Event(Event::Gone(gone)), 0);
                }
                _ => {
                    let key = "jkgGoOlip/0\n\u{1b}\tRdn".chars().cycle();
                    let at = usize::from(what) * 6 + number as usize;
                    press(&mut model, &key.skip(at).take(1).collect::<String>());
                }
            }
            prop_assert_eq!(model.selected().is_some(), !model.shown().is_empty());
            prop_assert_eq!(model.selected_row().is_some(), model.selected().is_some());
        }
    }
}
