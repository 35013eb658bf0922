//! What each key does.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use supervisor::wire::{BatchAction, Phase};

use super::model::{Deed, Mode, Model, Pane};

/// The longest filter, in characters.
const LONGEST_FILTER: usize = 100;

/// The keys and what they do, as the help shows them.
pub const HELP: [(&str, &str); 14] = [
    ("↑ ↓ j k", "select a process, or scroll the pane in focus"),
    ("PgUp PgDn Home End g G", "go further"),
    ("← →", "scroll the log to the side"),
    ("Tab", "next pane: list, logs, details"),
    ("Enter", "to the logs and back to the list"),
    ("l, i", "logs, details on the whole screen"),
    ("/", "filter by id, name, namespace or status"),
    ("o, O", "sort by the next column, turn the order round"),
    ("r", "restart the process"),
    ("s", "stop the process, or start it when it does not run"),
    ("R", "restart all listed but the stopped (asks first)"),
    ("d", "delete the process (asks first)"),
    ("?", "this help"),
    ("q Esc Ctrl-C", "leave; the processes go on"),
];

/// What a key leads to outside the model.
#[derive(Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Nothing.
    None,
    /// The end.
    Quit,
    /// A request to the supervisor.
    Do(Deed),
}

impl Model {
    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent) -> Reaction {
        if key.kind == KeyEventKind::Release {
            return Reaction::None;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if control && matches!(key.code, KeyCode::Char('c')) {
            return Reaction::Quit;
        }
        match &self.mode {
            Mode::Filter => self.press_in_filter(key.code, control),
            Mode::Confirm { deed, .. } => {
                let yes = matches!(key.code, KeyCode::Char('y' | 'Y'));
                let reaction = if yes { Reaction::Do(deed.clone()) } else { Reaction::None };
                self.mode = Mode::Command;
                return reaction;
            }
            Mode::Help => self.mode = Mode::Command,
            Mode::Command if control => {}
            Mode::Command => return self.command(key.code),
        }
        Reaction::None
    }

    fn press_in_filter(&mut self, key: KeyCode, control: bool) {
        match key {
            KeyCode::Enter => self.mode = Mode::Command,
            KeyCode::Esc => {
                self.filter.clear();
                self.mode = Mode::Command;
            }
            KeyCode::Backspace => {
                self.filter.pop();
            }
            KeyCode::Char('u') if control => self.filter.clear(),
            KeyCode::Char(character)
                if !control && self.filter.chars().count() < LONGEST_FILTER =>
            {
                self.filter.push(character);
            }
            KeyCode::Up => self.up(1),
            KeyCode::Down => self.down(1),
            _ => {}
        }
        self.arrange();
    }

    fn command(&mut self, key: KeyCode) -> Reaction {
        match key {
            KeyCode::Char('q') => return Reaction::Quit,
            KeyCode::Esc => return self.back(),
            KeyCode::Char('?') => self.mode = Mode::Help,
            KeyCode::Char('/') => self.mode = Mode::Filter,
            KeyCode::Char('o') => self.sort(self.order.next()),
            KeyCode::Char('O') => self.sort(self.order.reversed()),
            KeyCode::Tab => self.focus = next(self.focus),
            KeyCode::BackTab => self.focus = next(next(self.focus)),
            KeyCode::Enter => {
                self.focus = if self.focus == Pane::Logs { Pane::List } else { Pane::Logs };
                self.zoomed = false;
            }
            KeyCode::Char('l') => self.zoom(Pane::Logs),
            KeyCode::Char('i') => self.zoom(Pane::Details),
            KeyCode::Up | KeyCode::Char('k') => self.up(1),
            KeyCode::Down | KeyCode::Char('j') => self.down(1),
            KeyCode::PageUp => self.page(true),
            KeyCode::PageDown => self.page(false),
            KeyCode::Home | KeyCode::Char('g') => self.far(true),
            KeyCode::End | KeyCode::Char('G') => self.far(false),
            KeyCode::Left => self.log.aside(false),
            KeyCode::Right => self.log.aside(true),
            KeyCode::Char('r') => return self.act(BatchAction::Restart),
            KeyCode::Char('s') => return self.stop_or_start(),
            KeyCode::Char('R') => self.ask_to_restart_all(),
            KeyCode::Char('d') => self.ask_to_delete(),
            _ => {}
        }
        Reaction::None
    }

    /// One step out: of the whole screen, of the filter, of a pane; at last of the dashboard.
    fn back(&mut self) -> Reaction {
        if self.zoomed {
            self.zoomed = false;
            self.focus = Pane::List;
        } else if !self.filter.is_empty() {
            self.filter.clear();
            self.arrange();
        } else if self.focus == Pane::List {
            return Reaction::Quit;
        } else {
            self.focus = Pane::List;
        }
        Reaction::None
    }

    fn sort(&mut self, order: super::order::Order) {
        self.order = order;
        self.arrange();
    }

    fn zoom(&mut self, pane: Pane) {
        let leave = self.zoomed && self.focus == pane;
        self.zoomed = !leave;
        self.focus = if leave { Pane::List } else { pane };
    }

    fn up(&mut self, rows: usize) {
        match self.focus {
            Pane::List => self.select_row(self.row().saturating_sub(rows)),
            Pane::Logs => self.log.scroll(rows.cast_signed()),
            Pane::Details => self.first_detail = self.first_detail.saturating_sub(rows),
        }
    }

    fn down(&mut self, rows: usize) {
        match self.focus {
            Pane::List => self.select_row(self.row() + rows),
            Pane::Logs => self.log.scroll(-rows.cast_signed()),
            // What is too much is taken back when it is drawn.
            Pane::Details => self.first_detail += rows,
        }
    }

    fn page(&mut self, up: bool) {
        let rows = self.list_height.saturating_sub(1).max(1);
        match self.focus {
            Pane::Logs => self.log.page(up),
            Pane::List | Pane::Details if up => self.up(rows),
            Pane::List | Pane::Details => self.down(rows),
        }
    }

    fn far(&mut self, up: bool) {
        match (self.focus, up) {
            (Pane::List, true) => self.select_row(0),
            (Pane::List, false) => self.select_row(usize::MAX),
            (Pane::Logs, true) => self.log.oldest(),
            (Pane::Logs, false) => self.log.newest(),
            (Pane::Details, true) => self.first_detail = 0,
            (Pane::Details, false) => self.first_detail = usize::from(u16::MAX),
        }
    }

    fn row(&self) -> usize {
        self.selected_row().unwrap_or_default()
    }

    fn act(&self, action: BatchAction) -> Reaction {
        self.selected().map_or(Reaction::None, |process| {
            Reaction::Do(Deed { action, ids: vec![process.row.id] })
        })
    }

    fn stop_or_start(&self) -> Reaction {
        let up = self.selected().is_some_and(super::process::Process::is_up);
        self.act(if up { BatchAction::Stop } else { BatchAction::Start })
    }

    fn ask_to_restart_all(&mut self) {
        let stopped = |id: &u32| {
            let state = self.process(*id).map(|process| process.row.state);
            matches!(state, None | Some(Phase::Stopped | Phase::Stopping))
        };
        let ids: Vec<u32> = self.shown().iter().filter(|id| !stopped(id)).copied().collect();
        if ids.is_empty() {
            return;
        }
        let which = if self.filter.is_empty() { "all" } else { "the listed" };
        let question = format!("Restart {which} {} processes?", ids.len());
        self.mode = Mode::Confirm { deed: Deed { action: BatchAction::Restart, ids }, question };
    }

    fn ask_to_delete(&mut self) {
        let Some(process) = self.selected() else {
            return;
        };
        let question = format!("Delete {} (id {})?", process.row.name, process.row.id);
        let deed = Deed { action: BatchAction::Delete, ids: vec![process.row.id] };
        self.mode = Mode::Confirm { deed, question };
    }
}

const fn next(pane: Pane) -> Pane {
    match pane {
        Pane::List => Pane::Logs,
        Pane::Logs => Pane::Details,
        Pane::Details => Pane::List,
    }
}
