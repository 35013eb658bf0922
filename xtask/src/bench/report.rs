//! The figures of the lifecycle benchmark, for people and for programs.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::options::WARM_UP;
use super::statistics::{Summary, milliseconds};

/// Everything that was measured.
pub struct Report {
    pub program: PathBuf,
    /// `dev`, `release`, or `given` for a program that the caller named.
    pub profile: &'static str,
    pub binary_bytes: u64,
    /// Processors that this program may use.
    pub cores: usize,
    /// Rounds with the warm-up.
    pub rounds: usize,
    pub workers: Vec<WorkerFigures>,
    pub memory: Vec<Memory>,
}

/// The actions on one worker.
pub struct WorkerFigures {
    pub worker: &'static str,
    pub actions: Vec<ActionFigures>,
}

/// One action on one worker.
pub struct ActionFigures {
    pub action: &'static str,
    /// How many times were measured.
    pub count: usize,
    pub summary: Summary,
}

/// One process.
pub struct Memory {
    pub process: String,
    /// Proportional set size in KiB.
    pub pss_kib: u64,
}

impl Report {
    /// The figures as tables.
    pub fn table(&self) -> String {
        let mut text = format!(
            "{} ({}, {} cores)\n{} rounds, the first {WARM_UP} left out; a new connection for each \
             request\n\n",
            self.program.display(),
            self.profile,
            self.cores,
            self.rounds
        );
        let mut line = |cells: [&str; 6]| {
            let [worker, action, rest @ ..] = cells;
            let _ = write!(text, "{worker:<16} {action:<14}");
            for cell in rest {
                let _ = write!(text, " {cell:>8}");
            }
            text.push('\n');
        };
        line(["worker", "action (ms)", "min", "median", "p95", "max"]);
        for figures in &self.workers {
            for ActionFigures { action, summary, .. } in &figures.actions {
                let [min, median, p95, max] = cells(summary);
                line([figures.worker, action, &min, &median, &p95, &max]);
            }
        }
        text.push_str("\nmemory (PSS)                  KiB\n");
        for Memory { process, pss_kib } in &self.memory {
            let _ = writeln!(text, "{process:<24} {pss_kib:>8}");
        }
        let _ = write!(text, "\nsize of the program {} bytes", self.binary_bytes);
        text
    }

    /// The figures as JSON, times in milliseconds.
    pub fn json(&self) -> Value {
        let actions = |figures: &WorkerFigures| -> Vec<Value> {
            let action = |figures: &ActionFigures| {
                let Summary { min, median, p95, max, .. } = figures.summary;
                json!({
                    "action": figures.action,
                    "count": figures.count,
                    "min_ms": rounded(milliseconds(min)),
                    "median_ms": rounded(milliseconds(median)),
                    "p95_ms": rounded(milliseconds(p95)),
                    "max_ms": rounded(milliseconds(max)),
                })
            };
            figures.actions.iter().map(action).collect()
        };
        let workers: Vec<Value> = self
            .workers
            .iter()
            .map(|figures| json!({"worker": figures.worker, "actions": actions(figures)}))
            .collect();
        let memory: Vec<Value> = self
            .memory
            .iter()
            .map(|memory| json!({"process": memory.process, "pss_kib": memory.pss_kib}))
            .collect();
        json!({
            "program": self.program.to_string_lossy(),
            "profile": self.profile,
            "cores": self.cores,
            "rounds": self.rounds,
            "warm_up": WARM_UP,
            "connections": "one per request",
            "binary_bytes": self.binary_bytes,
            "workers": workers,
            "memory": memory,
        })
    }
}

fn cells(summary: &Summary) -> [String; 4] {
    [summary.min, summary.median, summary.p95, summary.max]
        .map(|time| format!("{:.1}", milliseconds(time)))
}

/// To a microsecond: more figures would only be noise.
fn rounded(milliseconds: f64) -> f64 {
    (milliseconds * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ActionFigures, Memory, Report, WorkerFigures};
    use crate::bench::statistics::Summary;

    fn report() -> Report {
        let times: Vec<Duration> = (1..=20).map(Duration::from_millis).collect();
        let summary = Summary::of(&times).unwrap();
        let actions = vec![ActionFigures { action: "start", count: times.len(), summary }];
        Report {
            program: "/p/tenantry".into(),
            profile: "dev",
            binary_bytes: 4096,
            cores: 2,
            rounds: 23,
            workers: vec![WorkerFigures { worker: "own command", actions }],
            memory: vec![Memory { process: "supervisor".to_owned(), pss_kib: 921 }],
        }
    }

    #[test]
    fn the_table_has_a_line_for_every_figure() {
        let table = report().table();
        let cells = |name: &str| -> Vec<&str> {
            table.lines().find(|line| line.starts_with(name)).unwrap().split_whitespace().collect()
        };
        assert_eq!(cells("own"), ["own", "command", "start", "1.0", "10.0", "19.0", "20.0"]);
        assert_eq!(cells("supervisor"), ["supervisor", "921"]);
        assert_eq!(cells("size"), ["size", "of", "the", "program", "4096", "bytes"]);
    }

    #[test]
    fn json_says_the_same_with_units_in_the_names() {
        let json = report().json();
        let action = &json["workers"][0]["actions"][0];
        assert_eq!(action["action"], "start");
        assert_eq!(action["count"], 20);
        assert_eq!(action["p95_ms"], 19.0);
        assert_eq!(json["memory"][0]["pss_kib"], 921);
        assert_eq!(json["binary_bytes"], 4096);
    }
}
