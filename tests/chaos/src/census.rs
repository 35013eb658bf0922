//! The processes of a run directory, as the kernel knows them.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};
use supervisor::spec::PROCESS_VAR;

/// A living process that bears a supervisor's mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked {
    /// Its pid.
    pub pid: u32,
    /// Whose tree it belongs to.
    pub id: u32,
    /// Of which spawn.
    pub incarnation: u64,
    /// Whether it leads its process group, as a main process does and a talker's child does not.
    pub leads: bool,
}

/// All that bear the mark of this run directory. Zombies have none.
#[must_use]
pub fn marked(run_dir: &Path) -> Vec<Marked> {
    let instance = fs::read_to_string(run_dir.join("journal.instance")).unwrap_or_default();
    let prefix = format!("{PROCESS_VAR}={}-", instance.trim());
    if instance.is_empty() {
        return Vec::new();
    }
    pids().filter_map(|pid| look(pid, &prefix)).collect()
}

/// The pipe holders of this run directory.
#[must_use]
pub fn holders(run_dir: &Path) -> Vec<u32> {
    let end = format!("\0hold\0{}\0", run_dir.display());
    let holds = |pid: &u32| {
        fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.ends_with(end.as_bytes()))
    };
    pids().filter(holds).collect()
}

/// How many pipes of this run directory a process has open.
#[must_use]
pub fn pipes_of(pid: u32, run_dir: &Path) -> usize {
    let folder = run_dir.join("processes");
    let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    open.filter(|fd| fs::read_link(fd.path()).is_ok_and(|path| path.starts_with(&folder))).count()
}

/// How many pipes for standard output there are in this run directory.
///
/// # Errors
/// When it cannot be read.
pub fn outputs(run_dir: &Path) -> std::io::Result<usize> {
    let entries = fs::read_dir(run_dir.join("processes"))?.flatten();
    Ok(entries.filter(|entry| entry.path().extension().is_some_and(|end| end == "out")).count())
}

/// Sends a signal to a process; one that has gone needs none.
pub fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn look(pid: u32, prefix: &str) -> Option<Marked> {
    let environ = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mark =
        environ.split(|byte| *byte == 0).find_map(|entry| entry.strip_prefix(prefix.as_bytes()))?;
    let (id, incarnation) = std::str::from_utf8(mark).ok()?.split_once(':')?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit(") ").next()?.split(' ');
    let group: u32 = fields.nth(2)?.parse().ok()?;
    let (id, incarnation) = (id.parse().ok()?, incarnation.parse().ok()?);
    Some(Marked { pid, id, incarnation, leads: group == pid })
}
