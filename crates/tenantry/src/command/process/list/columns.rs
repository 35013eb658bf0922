//! What the list says of a process.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use supervisor::wire::{ListRow, Phase};

use super::layout::Cell;
use crate::screen::Tone;
use crate::text::{clean, since};

/// What all rows have in common.
pub struct Surroundings {
    /// The time.
    pub now: DateTime<Utc>,
    /// The names of the users by uid; the supervisor's own stands at `None`.
    pub users: BTreeMap<Option<u32>, String>,
}

/// One column of the list.
pub struct Column {
    /// Its title.
    pub name: &'static str,
    /// The narrowest layout that has it still: 0 is the narrowest, 2 the full one.
    level: u8,
    /// What stands in it.
    pub cell: fn(&ListRow, &Surroundings) -> Cell,
}

/// The full list is this wide or wider, in characters.
const FULL: u16 = 120;
/// The condensed one is.
const CONDENSED: u16 = 80;

/// The columns that a terminal of this width has room for; all of them where there is no terminal.
pub fn columns(width: Option<u16>) -> Vec<&'static Column> {
    let level = match width {
        Some(..CONDENSED) => 0,
        Some(CONDENSED..FULL) => 1,
        Some(FULL..) | None => 2,
    };
    COLUMNS.iter().filter(|column| column.level <= level).collect()
}

const COLUMNS: &[Column] = &[
    Column { name: "id", level: 0, cell: |row, _| tone(row.id.to_string(), Tone::Heading) },
    Column { name: "name", level: 0, cell: |row, _| plain(clean(&row.name)) },
    Column { name: "namespace", level: 2, cell: |row, _| plain(clean(&row.namespace)) },
    Column { name: "version", level: 2, cell: |row, _| plain(version(row)) },
    Column { name: "mode", level: 1, cell: |_, _| plain("fork".to_owned()) },
    Column { name: "pid", level: 2, cell: |row, _| plain(row.pid.unwrap_or(0).to_string()) },
    Column { name: "uptime", level: 2, cell: |row, around| plain(uptime(row, around.now)) },
    Column { name: "↺", level: 1, cell: |row, _| plain(row.restarts.to_string()) },
    Column { name: "status", level: 0, cell: |row, _| status(row.state) },
    Column { name: "cpu", level: 0, cell: |row, _| plain(percent(row.cpu_percent)) },
    Column { name: "mem", level: 0, cell: |row, _| plain(memory(row.memory_bytes)) },
    Column { name: "user", level: 2, cell: |row, around| plain(user(row, around)) },
    Column { name: "watching", level: 2, cell: |row, _| watching(row.watching) },
];

fn plain(text: String) -> Cell {
    tone(text, Tone::Plain)
}

fn tone(text: String, tone: Tone) -> Cell {
    Cell { text, tone }
}

fn version(row: &ListRow) -> String {
    if row.version.is_empty() { "N/A".to_owned() } else { clean(&row.version) }
}

fn user(row: &ListRow, around: &Surroundings) -> String {
    let name = around.users.get(&row.uid).cloned();
    name.or_else(|| row.uid.map(|uid| uid.to_string())).unwrap_or_default()
}

fn watching(on: bool) -> Cell {
    if on { tone("enabled".into(), Tone::Good) } else { tone("disabled".into(), Tone::Faint) }
}

/// PM2's word for a state.
pub const fn phase(state: Phase) -> &'static str {
    match state {
        Phase::Launching => "launching",
        Phase::Online => "online",
        Phase::Stopping => "stopping",
        Phase::Stopped => "stopped",
        Phase::WaitingRestart => "waiting restart",
        Phase::Errored => "errored",
    }
}

fn status(state: Phase) -> Cell {
    let stands_out = match state {
        Phase::Online => Tone::Good,
        Phase::Launching | Phase::Stopping | Phase::WaitingRestart => Tone::Doubtful,
        Phase::Stopped | Phase::Errored => Tone::Bad,
    };
    tone(phase(state).to_owned(), stands_out)
}

/// How long it has been running in one unit, as PM2 writes it: `3s`, `5m`, `2h`, `9D`; `0` when it does not run.
pub fn uptime(row: &ListRow, now: DateTime<Utc>) -> String {
    let started = row.pid.and(row.started_at).and_then(DateTime::from_timestamp_millis);
    let Some(started) = started else { return "0".to_owned() };
    let seconds = since(started, now).as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        86_400.. => format!("{}D", seconds / 86_400),
    }
}

fn percent(percent: f64) -> String {
    let text = format!("{percent:.1}%");
    if text == "0.0%" { "0%".to_owned() } else { text }
}

/// Bytes as PM2 writes them: `0b`, `512b`, `38.5mb`.
#[allow(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub fn memory(bytes: u64) -> String {
    let value = bytes as f64;
    match bytes {
        0..1024 => format!("{bytes}b"),
        1024..0x10_0000 => format!("{:.1}kb", value / 1024.0),
        0x10_0000..0x4000_0000 => format!("{:.1}mb", value / 1_048_576.0),
        0x4000_0000.. => format!("{:.1}gb", value / 1_073_741_824.0),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::{columns, memory, percent, uptime};
    use crate::command::process::target::tests::row;

    #[test]
    fn the_layout_shrinks_with_the_terminal() {
        let names = |width| -> Vec<_> { columns(width).iter().map(|column| column.name).collect() };
        assert_eq!(names(None).len(), 13);
        assert_eq!(names(Some(200)), names(None));
        assert_eq!(names(Some(119)), ["id", "name", "mode", "↺", "status", "cpu", "mem"]);
        assert_eq!(names(Some(79)), ["id", "name", "status", "cpu", "mem"]);
    }

    #[test]
    fn figures_look_as_in_pm2() {
        assert_eq!(memory(0), "0b");
        assert_eq!(memory(1023), "1023b");
        assert_eq!(memory(40_370_176), "38.5mb");
        assert_eq!(memory(3 << 30), "3.0gb");
        assert_eq!(percent(0.04), "0%");
        assert_eq!(percent(12.34), "12.3%");
    }

    #[test]
    fn uptime_has_one_unit_and_is_nothing_without_a_process() {
        let now = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let mut process = row(0, "a", "default");
        let cases = [(0, "0s"), (59, "59s"), (60, "1m"), (7_199, "1h"), (86_400 * 9, "9D")];
        for (seconds, text) in cases {
            assert_eq!(uptime(&process, now(seconds)), text);
        }
        // A clock that was set back is no reason for nonsense.
        assert_eq!(uptime(&process, now(-5)), "0s");
        process.pid = None;
        assert_eq!(uptime(&process, now(60)), "0");
    }
}
