//! The figures of the worker benchmark, for people and for programs.

use std::time::Duration;

use serde_json::{Value, json};

use super::usage::Idle;
use crate::bench::statistics::{Summary, milliseconds};
use crate::bench::table::markdown;

/// The figures of one fleet.
pub struct Figures {
    pub workers: usize,
    pub idle: Idle,
    /// From the start of a process to its login.
    pub start: Summary,
    /// From the first request until all were connected.
    pub start_all: Duration,
    /// Answers to one message a minute for each worker.
    pub answer: Summary,
    /// How many of these were measured.
    pub answers: usize,
    /// Answers a second while everybody writes at once.
    pub burst: f64,
    /// The control plane's and the supervisor's memory, in KiB.
    pub plane_kib: u64,
    pub supervisor_kib: u64,
}

const HEAD: [&str; 14] = [
    "workers",
    "PSS each (MB)",
    "threads",
    "wake-ups/s",
    "CPU each (%)",
    "start (ms)",
    "slowest",
    "start all (s)",
    "answer p50 (ms)",
    "p99",
    "max",
    "burst (answers/s)",
    "control plane (MB)",
    "supervisor (MB)",
];

/// All fleets as a table.
pub fn table(all: &[Figures]) -> String {
    let mut rows = vec![HEAD.map(str::to_owned).to_vec()];
    for figures in all {
        let ms = |time: Duration| format!("{:.1}", milliseconds(time));
        rows.push(vec![
            figures.workers.to_string(),
            format!("{:.2}", megabytes(figures.idle.pss_kib)),
            figures.idle.threads.to_string(),
            format!("{:.2}", figures.idle.wake_ups),
            format!("{:.3}", figures.idle.cpu),
            ms(figures.start.median),
            ms(figures.start.max),
            format!("{:.2}", figures.start_all.as_secs_f64()),
            ms(figures.answer.median),
            ms(figures.answer.p99),
            ms(figures.answer.max),
            format!("{:.0}", figures.burst),
            format!("{:.1}", megabytes(figures.plane_kib)),
            format!("{:.1}", megabytes(figures.supervisor_kib)),
        ]);
    }
    markdown(&rows)
}

/// All fleets as JSON, times in milliseconds.
pub fn json(all: &[Figures]) -> Value {
    let one = |figures: &Figures| {
        json!({
            "workers": figures.workers,
            "pss_kib": figures.idle.pss_kib,
            "threads": figures.idle.threads,
            "wake_ups_per_second": figures.idle.wake_ups,
            "cpu_per_cent": figures.idle.cpu,
            "start_median_ms": milliseconds(figures.start.median),
            "start_max_ms": milliseconds(figures.start.max),
            "start_all_ms": milliseconds(figures.start_all),
            "answers": figures.answers,
            "answer_median_ms": milliseconds(figures.answer.median),
            "answer_p99_ms": milliseconds(figures.answer.p99),
            "answer_max_ms": milliseconds(figures.answer.max),
            "burst_answers_per_second": figures.burst,
            "control_plane_pss_kib": figures.plane_kib,
            "supervisor_pss_kib": figures.supervisor_kib,
        })
    };
    Value::Array(all.iter().map(one).collect())
}

/// In 10^6 bytes.
fn megabytes(kib: u64) -> f64 {
    kib as f64 * 1024.0 / 1e6
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Figures, Idle, Summary, json, table};

    #[test]
    fn every_figure_stands_under_its_head() {
        let times: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        let summary = Summary::of(&times).unwrap();
        let figures = Figures {
            workers: 7,
            idle: Idle { pss_kib: 2000, threads: 3, wake_ups: 0.25, cpu: 0.0125 },
            start: summary,
            start_all: Duration::from_millis(1500),
            answer: summary,
            answers: 100,
            burst: 123.4,
            plane_kib: 10_000,
            supervisor_kib: 5000,
        };
        let text = table(&[figures]);
        let cells = |line: usize| -> Vec<&str> {
            text.lines().nth(line).unwrap().trim_matches('|').split('|').map(str::trim).collect()
        };
        let at = |name: &str| cells(2)[cells(0).iter().position(|head| *head == name).unwrap()];
        assert_eq!((at("workers"), at("PSS each (MB)"), at("threads")), ("7", "2.05", "3"));
        assert_eq!((at("start all (s)"), at("p99"), at("max")), ("1.50", "99.0", "100.0"));
        assert_eq!((at("burst (answers/s)"), at("supervisor (MB)")), ("123", "5.1"));
        assert_eq!(json(&[])[0], serde_json::Value::Null);
    }
}
