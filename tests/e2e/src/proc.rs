//! Looking at and signalling processes by pid.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.try_into().expect("a pid")).expect("a pid above 0");
    // It may have gone already, which is as good.
    let _ = kill_process(pid, signal);
}

/// `kill -9`.
pub fn kill(pid: u32) {
    signal(pid, Signal::KILL);
}

/// Freezes a process.
pub fn stop(pid: u32) {
    signal(pid, Signal::STOP);
}

/// Thaws a process.
pub fn cont(pid: u32) {
    signal(pid, Signal::CONT);
}

/// Whether the process lives; a zombie does not.
#[must_use]
pub fn alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim().starts_with('Z'))
}

/// The processes whose environment or command line names `home`: everything an installation has
/// started, whoever its parent is now.
#[must_use]
pub fn of_home(home: &Path) -> Vec<u32> {
    let needle = home.to_string_lossy().into_owned();
    let names_home = |pid: u32| {
        ["environ", "cmdline"].iter().any(|file| {
            fs::read(format!("/proc/{pid}/{file}"))
                .is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(&needle))
        })
    };
    fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| *pid != std::process::id() && names_home(*pid))
        .collect()
}
