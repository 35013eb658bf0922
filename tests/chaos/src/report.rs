//! What a test has seen.

use std::fmt;
use std::time::Duration;

/// Figures of one test.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Kills of the supervisor.
    pub supervisor_kills: u32,
    /// Kills of workers.
    pub worker_kills: u32,
    /// Kills of the pipe holder.
    pub holder_kills: u32,
    /// Requests that were made.
    pub requests: u32,
    /// Full disks.
    pub full_disks: u32,
    /// Whole lines that were found in logs.
    pub lines: u64,
    /// Lines that logs of JSON have twice.
    pub repeated: u64,
    /// From the start of a supervisor to its first answer.
    pub adoptions: Vec<Duration>,
    /// How long all of it took.
    pub took: Duration,
}

impl Report {
    /// Median and longest time to the first answer.
    #[must_use]
    pub fn adoption(&self) -> (Duration, Duration) {
        let mut sorted = self.adoptions.clone();
        sorted.sort_unstable();
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        (median, sorted.last().copied().unwrap_or_default())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (median, longest) = self.adoption();
        write!(
            f,
            "{:.1} s; killed: supervisor {}, workers {}, holder {}; {} requests, {} full disks; {} lines \
             ({} repeated in JSON); adopted all in {} ms (median), {} ms (longest)",
            self.took.as_secs_f64(),
            self.supervisor_kills,
            self.worker_kills,
            self.holder_kills,
            self.requests,
            self.full_disks,
            self.lines,
            self.repeated,
            median.as_millis(),
            longest.as_millis()
        )
    }
}
