//! What the processes of the workers take.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::bench::memory::proportional_kib;
use crate::bench::supervisor::members::{self, Member};
use crate::installation::home::Home;

/// How a worker's processes are called.
const ROLE: &str = "tenantry worker run";

/// What all workers of a fleet take while they are idle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Idle {
    /// Proportional set size, the mean of all workers.
    pub pss_kib: u64,
    /// The largest number of threads.
    pub threads: u64,
    /// How often a worker woke up in a second: the mean.
    pub wake_ups: f64,
    /// A worker's part of one processor in per cent: the mean.
    pub cpu: f64,
}

/// The workers' processes in this home.
pub fn workers(home: &Home) -> Result<Vec<Member>> {
    let mut found = members::of(home.path())?;
    found.retain(|member| member.role == ROLE);
    Ok(found)
}

/// Watches idle workers for so long.
pub fn idle(workers: &[Member], length: Duration) -> Result<Idle> {
    ensure!(!workers.is_empty(), "no worker runs");
    let count = workers.len() as f64;
    let (cpu, switches) = (members::cpu_seconds(workers)?, all_switches(workers)?);
    std::thread::sleep(length);
    let (cpu, switches) = (members::cpu_seconds(workers)? - cpu, all_switches(workers)? - switches);
    let (mut pss_kib, mut threads) = (0, 0);
    for worker in workers {
        pss_kib += proportional_kib(worker.pid)?;
        threads = threads.max(status(worker.pid, "Threads")?);
    }
    Ok(Idle {
        pss_kib: pss_kib / workers.len() as u64,
        threads,
        wake_ups: switches as f64 / count / length.as_secs_f64(),
        cpu: 100.0 * cpu / count / length.as_secs_f64(),
    })
}

/// How often the main threads of all workers gave up their processor to wait.
fn all_switches(workers: &[Member]) -> Result<u64> {
    workers.iter().map(|worker| status(worker.pid, "voluntary_ctxt_switches")).sum()
}

fn status(pid: u32, field: &str) -> Result<u64> {
    let file = format!("/proc/{pid}/status");
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    parse(&text, field).with_context(|| format!("{file} has no number {field}"))
}

fn parse(text: &str, field: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{parse, status};

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "Threads:\t3\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t4\n";
        assert_eq!(parse(text, "voluntary_ctxt_switches"), Some(12));
        assert_eq!(parse(text, "Threads"), Some(3));
        assert_eq!(parse(text, "Thread"), None);
    }

    #[test]
    fn this_process_has_threads() {
        assert!(status(std::process::id(), "Threads").unwrap() > 0);
    }
}
