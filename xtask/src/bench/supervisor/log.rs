//! One contender and one program that writes as fast as it can.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Signal, kill_process};

use super::contender::{Cat, Contender};
use super::measure::{Running, pid, rest};
use super::members;
use super::programs::Programs;
use super::stage::Stage;

/// How long the contender is left alone before the program writes.
const REST: Duration = Duration::from_secs(1);

/// The time between two looks at the size of the log.
const LOOK: Duration = Duration::from_millis(1);

/// How long the log may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The bytes of a megabyte here, as a disk's maker counts them.
const MEGABYTE: u64 = 1_000_000;

/// What was measured of a contender's logging.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogFigures {
    /// How many idle programs ran beside.
    pub beside: usize,
    /// How much was written, in megabytes (10^6 bytes).
    pub megabytes: u64,
    /// Megabytes a second that came into the file.
    pub rate: f64,
    /// Processor time of the supervising side, in seconds for 100 megabytes.
    pub cpu: f64,
}

/// A contender's logging beside the baseline's, measured just before it with the same amount.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    pub contender: LogFigures,
    pub cat: LogFigures,
}

/// The median runs of a contender and of the baseline.
pub fn compare(
    contender: &dyn Contender,
    programs: &Programs,
    folder: &Path,
    beside: usize,
    rounds: usize,
) -> Result<Compared> {
    let cat = Cat { megabytes: contender.log_megabytes() };
    Ok(Compared {
        cat: measure(&cat, programs, folder, 0, rounds)?,
        contender: measure(contender, programs, folder, beside, rounds)?,
    })
}

/// The run with the median rate among `rounds`, with so many idle programs beside the one that writes.
fn measure(
    contender: &dyn Contender,
    programs: &Programs,
    folder: &Path,
    beside: usize,
    rounds: usize,
) -> Result<LogFigures> {
    let megabytes = contender.log_megabytes();
    let stage = Stage::of_writer(folder, programs, megabytes, beside)?;
    let log = stage.apps().first().and_then(|app| app.log.as_deref()?.parent());
    let log = log.context("the writer has a log")?;
    let mut running = Running::start(contender, &stage, beside + 1)?;
    rest(REST)?;
    let members = running.members(programs)?;
    ensure!(!members.is_empty(), "the program runs, but no supervisor is to be found");
    let writer = pid(&running.note(0)?)?;
    let mut runs = Vec::new();
    for _ in 0..rounds {
        let cpu = members::cpu_seconds(&members)?;
        let expected = size(log) + megabytes * MEGABYTE;
        let begun = Instant::now();
        kill_process(writer, Signal::USR1).context("cannot tell the writer to begin")?;
        grown(log, expected, &mut running)?;
        let taken = begun.elapsed();
        let cpu = members::cpu_seconds(&members)? - cpu;
        runs.push(LogFigures {
            beside,
            megabytes,
            rate: megabytes as f64 / taken.as_secs_f64(),
            cpu: cpu * 100.0 / megabytes as f64,
        });
        rest(REST)?;
        // A line that came twice would come now.
        ensure!(size(log) == expected, "{} bytes are in the log, not {expected}", size(log));
    }
    median(runs).context("nothing was measured")
}

fn median(mut runs: Vec<LogFigures>) -> Option<LogFigures> {
    runs.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    runs.get(runs.len().saturating_sub(1) / 2).copied()
}

/// Waits until the log has `expected` bytes.
fn grown(log: &Path, expected: u64, running: &mut Running<'_>) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let there = size(log);
        if there >= expected {
            return Ok(());
        }
        let late = Instant::now() >= deadline;
        ensure!(!late, "only {there} of {expected} bytes came into the log in time");
        running.check()?;
        rest(LOOK)?;
    }
}

/// The bytes of all files in the folder of a log: some contenders cannot do without rotation.
fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    // A file that is renamed between the list and the look is seen at the next look.
    entries.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len())).sum()
}

#[cfg(test)]
mod tests {
    use super::{LogFigures, median, size};

    #[test]
    fn the_median_run_keeps_its_own_processor_time() {
        let run = |rate, cpu| LogFigures { beside: 0, megabytes: 1, rate, cpu };
        let runs = vec![run(3.0, 0.3), run(1.0, 0.1), run(2.0, 0.2)];
        assert_eq!(median(runs), Some(run(2.0, 0.2)));
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn a_log_is_all_its_files() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(size(&folder.path().join("none")), 0);
        std::fs::write(folder.path().join("current"), "12345").unwrap();
        std::fs::write(folder.path().join("@old"), "123").unwrap();
        assert_eq!(size(folder.path()), 8);
    }
}
