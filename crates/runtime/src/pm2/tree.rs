//! The processes of a worker, found in `/proc`.
//!
//! PM2 signals the descendants that it finds at the moment of the stop. One that was re-parented before escapes
//! it, and all of them outlive a daemon that dies. Ours are known by the worker's name and PM2's home in their
//! environment, and as descendants of one that is.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::time::{Instant, sleep};

use super::call::failed;
use super::labels::WORKER;
use crate::RuntimeError;

/// How long a killed process may take to be gone; one that waits for a disk takes its time.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);

/// A process, told apart from a later one with the same pid by its start time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Process {
    pub(super) pid: i32,
    start: u64,
}

/// What one look at `/proc/<pid>/stat` tells.
pub(super) struct Stat {
    pub(super) state: char,
    pub(super) cpu_ticks: u64,
    parent: i32,
    start: u64,
}

impl Stat {
    /// `None` when there is no such process, or only its zombie.
    pub(super) fn read(pid: i32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name may hold anything; the last parenthesis ends it.
        let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
        let state = fields.next()?.chars().next().filter(|state| !matches!(state, 'Z' | 'X'))?;
        let parent = fields.next()?.parse().ok()?;
        let number = |text: Option<&str>| text?.parse::<u64>().ok();
        let cpu_ticks = number(fields.nth(9))? + number(fields.next())?;
        Some(Self { state, cpu_ticks, parent, start: number(fields.nth(6))? })
    }
}

impl Process {
    fn lives(self) -> bool {
        Stat::read(self.pid).is_some_and(|stat| stat.start == self.start)
    }

    fn kill(self) {
        let Some(pid) = Pid::from_raw(self.pid) else { return };
        let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return };
        // The handle now stands for one process; it is ours if the start time still is.
        if self.lives() {
            let _ = pidfd_send_signal(handle, Signal::KILL);
        }
    }
}

/// The worker's processes.
pub(super) fn of_worker(home: &Path, name: &str) -> Vec<Process> {
    let marks = [format!("{WORKER}={name}"), format!("PM2_HOME={}", home.display())];
    let marked = |pid: i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let variables: Vec<&[u8]> = environment.split(|byte| *byte == 0).collect();
        marks.iter().all(|mark| variables.contains(&mark.as_bytes()))
    };
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let all: BTreeMap<i32, Stat> =
        pids.filter(|pid| *pid != own).filter_map(|pid| Some((pid, Stat::read(pid)?))).collect();
    let mut ours: Vec<i32> = all.keys().copied().filter(|pid| marked(*pid)).collect();
    let mut next = 0;
    while let Some(&parent) = ours.get(next) {
        next += 1;
        for (&pid, stat) in &all {
            if stat.parent == parent && !ours.contains(&pid) {
                ours.push(pid);
            }
        }
    }
    ours.iter().filter_map(|pid| Some(Process { pid: *pid, start: all.get(pid)?.start })).collect()
}

/// Kills what lives of `known` and of the worker, until nothing does.
///
/// # Errors
/// [`RuntimeError::Failed`], naming the pids that are still there at the end of patience.
pub(super) async fn sweep(home: &Path, name: &str, known: &[Process]) -> Result<(), RuntimeError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut left = of_worker(home, name);
        left.extend(known.iter().copied().filter(|process| process.lives()));
        left.sort_unstable();
        left.dedup();
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let pids: Vec<_> = left.iter().map(|process| process.pid.to_string()).collect();
            return Err(failed(format!(
                "processes of worker {name} cannot be killed: {}; see what they wait for",
                pids.join(", ")
            )));
        }
        left.iter().for_each(|process| process.kill());
        sleep(PAUSE).await;
    }
}

/// Kills the worker's processes again and again, for as long as it is awaited.
pub(super) async fn keep_killing(home: &Path, name: &str) {
    loop {
        of_worker(home, name).into_iter().for_each(Process::kill);
        sleep(PAUSE * 5).await;
    }
}
