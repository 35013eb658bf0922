//! What the dashboard shows, as plain state: updates and keys change it, the view draws it.

use std::collections::{BTreeMap, BTreeSet};

use supervisor::wire::{
    BatchAction, BatchAnswer, BatchResult, Event, Info, ListRow, LogLine, Phase, ProcessSpec,
};

use super::log_pane::LogPane;
use super::order::{Order, matches};
use super::process::Process;

/// How long a notice stands, in milliseconds.
const NOTICE_MS: i64 = 6000;

/// Something that came in.
#[derive(Debug)]
pub enum Update {
    /// Who answers.
    Supervisor(Info),
    /// All processes.
    Rows(Vec<ListRow>),
    /// A change.
    Event(Event),
    /// Nobody answers, and why.
    Lost(String),
    /// How a process is run.
    Spec { id: u32, spec: Box<ProcessSpec> },
    /// The lines of a process come once more from the start.
    LogBegins { id: u32 },
    /// New lines.
    LogLines { id: u32, lines: Vec<LogLine> },
    /// No more lines come for now, and why.
    LogBroke { id: u32, why: String },
    /// What became of a deed.
    Done { deed: Deed, answer: Result<BatchAnswer, String> },
}

/// Something to be done to processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    pub action: BatchAction,
    pub ids: Vec<u32>,
}

/// What the keys go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    #[default]
    List,
    Logs,
    Details,
}

/// What the keys mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Each key is a command.
    #[default]
    Command,
    /// They write the filter.
    Filter,
    /// They answer a question.
    Confirm { deed: Deed, question: String },
    /// The help is shown; any key closes it.
    Help,
}

/// Whether the supervisor answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// It has not yet.
    Opening,
    Up,
    /// It did until then (Unix milliseconds).
    Lost {
        since_ms: i64,
        why: String,
    },
}

/// A short message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub text: String,
    pub bad: bool,
    until_ms: i64,
}

/// All processes together.
#[derive(Debug, Default, PartialEq)]
pub struct Totals {
    pub processes: usize,
    pub online: usize,
    pub errored: usize,
    pub cpu_percent: f64,
    pub memory_bytes: u64,
}

/// The state of the dashboard.
pub struct Model {
    processes: BTreeMap<u32, Process>,
    /// The ids that the list shows, in its order.
    shown: Vec<u32>,
    selected: Option<u32>,
    spec: Option<Box<ProcessSpec>>,
    notice: Option<Notice>,
    pub(super) order: Order,
    pub(super) filter: String,
    pub(super) log: LogPane,
    pub(super) focus: Pane,
    /// Whether the pane in focus has the whole screen.
    pub(super) zoomed: bool,
    pub(super) mode: Mode,
    pub(super) link: Link,
    pub(super) supervisor: Option<Info>,
    /// The first row of the list that is on the screen.
    pub(super) first_row: usize,
    /// Rows of the list that fit, as last drawn.
    pub(super) list_height: usize,
    /// The first line of the details that is on the screen.
    pub(super) first_detail: usize,
}

impl Model {
    /// The dashboard before anything is known.
    pub fn new() -> Self {
        Self {
            processes: BTreeMap::new(),
            shown: Vec::new(),
            selected: None,
            spec: None,
            notice: None,
            order: Order::default(),
            filter: String::new(),
            log: LogPane::default(),
            focus: Pane::default(),
            zoomed: false,
            mode: Mode::default(),
            link: Link::Opening,
            supervisor: None,
            first_row: 0,
            list_height: 1,
            first_detail: 0,
        }
    }

    /// Takes something that came in at `now_ms` (Unix milliseconds).
    pub fn apply(&mut self, update: Update, now_ms: i64) {
        match update {
            Update::Supervisor(info) => self.supervisor = Some(info),
            Update::Rows(rows) => {
                self.link = Link::Up;
                self.listed(rows, now_ms);
            }
            Update::Event(event) => self.changed(event),
            Update::Lost(why) => {
                let since_ms = match &self.link {
                    Link::Lost { since_ms, .. } => *since_ms,
                    Link::Opening | Link::Up => now_ms,
                };
                self.link = Link::Lost { since_ms, why };
            }
            Update::Spec { id, spec } if self.selected == Some(id) => self.spec = Some(spec),
            Update::LogBegins { id } if self.selected == Some(id) => self.log.clear(),
            Update::LogLines { id, lines } if self.selected == Some(id) => {
                lines.iter().for_each(|line| self.log.add(line));
            }
            Update::LogBroke { id, why } if self.selected == Some(id) => {
                self.log.trouble = Some(why);
            }
            // They are of a process that is not looked at any more.
            Update::Spec { .. }
            | Update::LogBegins { .. }
            | Update::LogLines { .. }
            | Update::LogBroke { .. } => {}
            Update::Done { deed, answer } => self.done(&deed, answer, now_ms),
        }
    }

    fn listed(&mut self, rows: Vec<ListRow>, now_ms: i64) {
        let ids: BTreeSet<u32> = rows.iter().map(|row| row.id).collect();
        self.processes.retain(|id, _| ids.contains(id));
        for row in rows {
            match self.processes.get_mut(&row.id) {
                Some(process) => process.listed(row, now_ms),
                None => {
                    self.processes.insert(row.id, Process::of_row(row));
                }
            }
        }
        self.arrange();
    }

    fn changed(&mut self, event: Event) {
        match event {
            Event::Sync(views) => {
                let ids: BTreeSet<u32> = views.iter().map(|view| view.id).collect();
                self.processes.retain(|id, _| ids.contains(id));
                views.into_iter().for_each(|view| self.viewed(view));
            }
            Event::Process(view) => self.viewed(*view),
            Event::Gone(gone) => {
                self.processes.remove(&gone.id);
            }
        }
        self.arrange();
    }

    fn viewed(&mut self, view: supervisor::wire::ProcessView) {
        match self.processes.get_mut(&view.id) {
            Some(process) => process.changed(view),
            None => {
                self.processes.insert(view.id, Process::of_view(view));
            }
        }
    }

    /// Filters and sorts anew. A selection that is not shown any more passes to what stands in its place.
    pub(super) fn arrange(&mut self) {
        let place = self.selected_row().unwrap_or_default();
        let mut shown: Vec<&Process> =
            self.processes.values().filter(|process| matches(process, &self.filter)).collect();
        shown.sort_by(|a, b| self.order.compare(a, b));
        self.shown = shown.into_iter().map(|process| process.row.id).collect();
        if self.selected_row().is_none() {
            self.select_row(place);
        }
    }

    /// Selects the process at a row, or the last one.
    pub(super) fn select_row(&mut self, row: usize) {
        let id = self.shown.get(row).or(self.shown.last()).copied();
        if id != self.selected {
            self.selected = id;
            self.spec = None;
            self.log.clear();
            self.first_detail = 0;
        }
    }

    fn done(&mut self, deed: &Deed, answer: Result<BatchAnswer, String>, now_ms: i64) {
        let (verb, participle) = words(deed.action);
        let results = match answer {
            Ok(answer) => answer.results,
            Err(why) => return self.notify(&format!("cannot {verb}: {why}"), true, now_ms),
        };
        let mut failures = results.iter().filter_map(|result| match result {
            BatchResult::Failed(error) => Some(error.message.as_str()),
            BatchResult::Done(_) => None,
        });
        match (failures.next(), results.as_slice()) {
            (None, [BatchResult::Done(row)]) => {
                self.notify(&format!("{participle} {}", row.name), false, now_ms);
            }
            (None, results) => {
                let text = format!("{participle} {} processes", results.len());
                self.notify(&text, false, now_ms);
            }
            (Some(first), results) => {
                let others = failures.count();
                let more = match (others, results.len()) {
                    (0, _) => String::new(),
                    (others, all) => format!(" (and {others} more of {all})"),
                };
                self.notify(&format!("cannot {verb}: {first}{more}"), true, now_ms);
            }
        }
    }

    /// Shows a message for a while.
    pub fn notify(&mut self, text: &str, bad: bool, now_ms: i64) {
        self.notice = Some(Notice { text: text.to_owned(), bad, until_ms: now_ms + NOTICE_MS });
    }

    /// The message that is to be shown.
    pub fn notice(&self, now_ms: i64) -> Option<&Notice> {
        self.notice.as_ref().filter(|notice| now_ms < notice.until_ms)
    }

    /// The ids that the list shows, in its order.
    pub fn shown(&self) -> &[u32] {
        &self.shown
    }

    /// A process.
    pub fn process(&self, id: u32) -> Option<&Process> {
        self.processes.get(&id)
    }

    /// The process that is looked at.
    pub fn selected(&self) -> Option<&Process> {
        self.process(self.selected?)
    }

    /// The row of the list that it stands in.
    pub fn selected_row(&self) -> Option<usize> {
        let selected = self.selected?;
        self.shown.iter().position(|id| *id == selected)
    }

    /// How the process that is looked at is run, once known.
    pub fn spec(&self) -> Option<&ProcessSpec> {
        self.spec.as_deref()
    }

    /// All processes together.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals { processes: self.processes.len(), ..Totals::default() };
        for Process { row, .. } in self.processes.values() {
            totals.online += usize::from(row.state == Phase::Online);
            totals.errored += usize::from(row.state == Phase::Errored);
            totals.cpu_percent += row.cpu_percent;
            totals.memory_bytes = totals.memory_bytes.saturating_add(row.memory_bytes);
        }
        totals
    }
}

/// An action as infinitive and participle.
pub const fn words(action: BatchAction) -> (&'static str, &'static str) {
    match action {
        BatchAction::Start => ("start", "started"),
        BatchAction::Stop => ("stop", "stopped"),
        BatchAction::Restart => ("restart", "restarted"),
        BatchAction::ForceRestart => ("restart", "restarted by force"),
        BatchAction::Delete => ("delete", "deleted"),
        BatchAction::Reset => ("reset", "reset"),
        BatchAction::FlushLogs => ("flush", "flushed the logs of"),
        BatchAction::ReopenLogs => ("reopen the logs", "reopened the logs of"),
        BatchAction::Watch => ("watch", "watching"),
        BatchAction::Unwatch => ("unwatch", "no longer watching"),
    }
}

#[cfg(test)]
mod tests;
