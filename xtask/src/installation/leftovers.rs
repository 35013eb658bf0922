//! Processes of a home that nobody waits for: the supervisor, which outlives the control plane by
//! design, its workers, and whatever an earlier run left when it was killed.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Stands in the environment of every program that a task starts itself, with the task's home.
/// A person's shell never has it, so nothing but a task's own processes can be found by it.
pub const HOME_VARIABLE: &str = "TENANTRY_DEMO_HOME";

/// How long processes may take to end after TERM.
const GRACE: Duration = Duration::from_secs(5);

/// Ends every process of the installation in `home`: TERM, then KILL for what does not listen.
pub fn end(home: &Path) -> Result<()> {
    end_all(home, Signal::TERM, GRACE)?;
    // A supervisor may have started one more worker before its own end.
    end_all(home, Signal::KILL, GRACE)
}

fn end_all(home: &Path, signal: Signal, grace: Duration) -> Result<()> {
    let found = processes(home)?;
    for process in &found {
        // One that has ended meanwhile is what was wanted.
        let _ = pidfd_send_signal(process, signal);
    }
    let deadline = Instant::now() + grace;
    for process in &found {
        wait_for_end(process, deadline);
    }
    Ok(())
}

/// A handle for every process of the installation. The handle is taken before the environment is read, so
/// that it cannot come to mean a later process with the same id.
fn processes(home: &Path) -> Result<Vec<OwnedFd>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let entry = entry?;
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let Some(pid) = pid.and_then(Pid::from_raw) else {
            continue;
        };
        let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else {
            continue;
        };
        // Other users' environments cannot be read, and are not ours.
        let Ok(environment) = std::fs::read(entry.path().join("environ")) else {
            continue;
        };
        if belongs_to(&environment, home) && pid != rustix::process::getpid() {
            found.push(handle);
        }
    }
    Ok(found)
}

/// Whether an environment (`NAME=value` ended by zero bytes) is that of a process of the installation
/// in `home`: started by the task, or a worker, which the supervisor gives an environment of its own.
pub fn belongs_to(environment: &[u8], home: &Path) -> bool {
    let started = format!("{HOME_VARIABLE}={}", home.display());
    let sessions = format!("SESSIONS_PATH={}", home.join("sessions").display());
    let mut tenant = false;
    let mut in_sessions = false;
    for variable in environment.split(|byte| *byte == 0) {
        if variable == started.as_bytes() {
            return true;
        }
        in_sessions |= variable == sessions.as_bytes();
        tenant |= variable.starts_with(b"TENANT_ID=");
    }
    tenant && in_sessions
}

/// Returns when the process has ended or at the deadline.
fn wait_for_end(process: &OwnedFd, deadline: Instant) {
    let left = deadline.saturating_duration_since(Instant::now());
    let Ok(left) = Timespec::try_from(left) else {
        return;
    };
    // A pidfd becomes readable at the end of its process.
    let _ = poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&left));
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::{HOME_VARIABLE, belongs_to, end};

    #[test]
    fn only_processes_of_the_installation_belong_to_it() {
        let home = Path::new("/d/home");
        assert!(belongs_to(b"A=1\0TENANTRY_DEMO_HOME=/d/home\0", home));
        assert!(belongs_to(b"TENANT_ID=x\0SESSIONS_PATH=/d/home/sessions\0", home));
        assert!(!belongs_to(b"SESSIONS_PATH=/d/home/sessions\0", home));
        assert!(!belongs_to(b"TENANTRY_HOME=/d/home\0TENANT_ID=x\0", home));
        assert!(!belongs_to(b"TENANTRY_DEMO_HOME=/d/home2\0", home));
        assert!(!belongs_to(b"", home));
    }

    #[test]
    fn a_process_left_behind_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mut child =
            Command::new("sleep").arg("600").env(HOME_VARIABLE, folder.path()).spawn().unwrap();
        // For an instant of its execution a program has no environment to be seen.
        let environ = format!("/proc/{}/environ", child.id());
        let deadline = Instant::now() + Duration::from_secs(30);
        while !belongs_to(&std::fs::read(&environ).unwrap(), folder.path()) {
            assert!(Instant::now() < deadline, "its environment does not appear");
            std::thread::yield_now();
        }
        end(folder.path()).unwrap();
        assert!(!child.wait().unwrap().success());
    }
}
