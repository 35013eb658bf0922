//! One contender and one program that writes as fast as it can.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Signal, kill_process};

use super::contender::Contender;
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
    /// How much was written, in megabytes (10^6 bytes).
    pub megabytes: u64,
    /// Megabytes a second that came into the file.
    pub rate: f64,
    /// Processor time of the supervising side, in seconds for 100 megabytes.
    pub cpu: f64,
}

/// The run with the median rate among `rounds`.
pub fn measure(
    contender: &dyn Contender,
    programs: &Programs,
    folder: &Path,
    rounds: usize,
) -> Result<LogFigures> {
    let runs = (0..rounds).map(|_| run(contender, programs, folder)).collect::<Result<Vec<_>>>()?;
    median(runs).context("nothing was measured")
}

fn median(mut runs: Vec<LogFigures>) -> Option<LogFigures> {
    runs.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    runs.get(runs.len().saturating_sub(1) / 2).copied()
}

fn run(contender: &dyn Contender, programs: &Programs, folder: &Path) -> Result<LogFigures> {
    let megabytes = contender.log_megabytes();
    let expected = megabytes * MEGABYTE;
    let stage = Stage::of_writer(folder, programs, megabytes)?;
    let log = stage.apps().first().and_then(|app| app.log.as_deref()?.parent());
    let log = log.context("the writer has a log")?;
    let mut running = Running::start(contender, &stage, 1)?;
    rest(REST)?;
    let members = running.members(programs)?;
    ensure!(!members.is_empty(), "the program runs, but no supervisor is to be found");
    let writer = pid(&running.note(0)?)?;
    let before = members::cpu_seconds(&members)?;
    let begun = Instant::now();
    kill_process(writer, Signal::USR1).context("cannot tell the writer to begin")?;
    let mut there = 0;
    while there < expected {
        rest(LOOK)?;
        running.check()?;
        there = size(log)?;
        ensure!(
            begun.elapsed() < PATIENCE,
            "after {} s {there} of {expected} bytes are in the log",
            PATIENCE.as_secs()
        );
    }
    let taken = begun.elapsed();
    let cpu = members::cpu_seconds(&members)? - before;
    ensure!(there == expected, "{there} bytes are in the log, but {expected} were written");
    Ok(LogFigures {
        megabytes,
        rate: megabytes as f64 / taken.as_secs_f64(),
        cpu: cpu * 100.0 / megabytes as f64,
    })
}

/// The bytes of all files in the folder of a log: some contenders cannot do without rotation.
fn size(folder: &Path) -> Result<u64> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(0);
    };
    // A file that is renamed between the list and the look is seen at the next look.
    Ok(entries.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len())).sum())
}

#[cfg(test)]
mod tests {
    use super::{LogFigures, median, size};

    #[test]
    fn the_median_run_keeps_its_own_processor_time() {
        let run = |rate, cpu| LogFigures { megabytes: 1, rate, cpu };
        let runs = vec![run(3.0, 0.3), run(1.0, 0.1), run(2.0, 0.2)];
        assert_eq!(median(runs), Some(run(2.0, 0.2)));
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn a_log_is_all_its_files() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(size(&folder.path().join("none")).unwrap(), 0);
        std::fs::write(folder.path().join("current"), "12345").unwrap();
        std::fs::write(folder.path().join("@old"), "123").unwrap();
        assert_eq!(size(folder.path()).unwrap(), 8);
    }
}
