//! The figures of the control plane's benchmark, for people and for programs.

use serde_json::{Value, json};

use super::wrk::Answers;
use crate::bench::statistics::{Summary, milliseconds};
use crate::bench::table::markdown;

/// What was measured.
pub struct Figures {
    pub tenants: usize,
    pub database: &'static str,
    /// From the start of the process until `/ready` was answered with 200.
    pub ready: Summary,
    /// Proportional set size after the start, and after everything else.
    pub fresh_kib: u64,
    pub used_kib: u64,
    /// Per cent of one core while nothing happens, and while each worker beats every 30 s.
    pub idle: f64,
    pub beating: f64,
    /// One beat, on a connection of its own.
    pub beat: Summary,
    pub status: Answers,
    /// Per cent of one core while `wrk` asks.
    pub asking: f64,
    /// One look for stale workers at all tenants.
    pub look: Summary,
}

impl Figures {
    /// For people.
    pub fn table(&self) -> String {
        let ms = |micros: u64| format!("{:.2}", micros as f64 / 1000.0);
        let mb = |kib: u64| format!("{:.1}", kib as f64 / 1024.0);
        let figure = |name: &str, value: String| vec![name.to_owned(), value];
        let per_cent = |value: f64| format!("{value:.2}");
        markdown(&[
            figure(&format!("{} tenants, {}", self.tenants, self.database), "figure".to_owned()),
            figure("status: requests/s", format!("{:.0}", self.status.rate())),
            figure("status: p50 (ms)", ms(self.status.p50)),
            figure("status: p99 (ms)", ms(self.status.p99)),
            figure("status: slowest (ms)", ms(self.status.max)),
            figure("status: CPU (% of one core)", per_cent(self.asking)),
            figure("beats every 30 s: CPU (% of one core)", per_cent(self.beating)),
            figure("no request: CPU (% of one core)", per_cent(self.idle)),
            figure("one beat: median (ms)", format!("{:.2}", milliseconds(self.beat.median))),
            figure("one beat: p99 (ms)", format!("{:.2}", milliseconds(self.beat.p99))),
            figure(
                "look for stale workers: median (ms)",
                format!("{:.2}", milliseconds(self.look.median)),
            ),
            figure(
                "look for stale workers: slowest (ms)",
                format!("{:.2}", milliseconds(self.look.max)),
            ),
            figure(
                "start to ready: median (ms)",
                format!("{:.1}", milliseconds(self.ready.median)),
            ),
            figure("start to ready: slowest (ms)", format!("{:.1}", milliseconds(self.ready.max))),
            figure("memory after the start (PSS, MiB)", mb(self.fresh_kib)),
            figure("memory after all this (PSS, MiB)", mb(self.used_kib)),
        ])
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let summary = |summary: &Summary| {
            json!({
                "min": milliseconds(summary.min), "median": milliseconds(summary.median),
                "p95": milliseconds(summary.p95), "p99": milliseconds(summary.p99),
                "max": milliseconds(summary.max),
            })
        };
        json!({
            "tenants": self.tenants,
            "database": self.database,
            "status": {
                "per_second": self.status.rate(), "requests": self.status.requests,
                "p50_us": self.status.p50, "p95_us": self.status.p95, "p99_us": self.status.p99,
                "max_us": self.status.max, "cpu_percent": self.asking,
            },
            "beats_cpu_percent": self.beating,
            "idle_cpu_percent": self.idle,
            "beat_ms": summary(&self.beat),
            "stale_look_ms": summary(&self.look),
            "ready_ms": summary(&self.ready),
            "pss_fresh_kib": self.fresh_kib,
            "pss_used_kib": self.used_kib,
        })
    }
}
