//! Who a process is, beyond its number.
//!
//! A pid is given to another process as soon as its owner is reaped. Pid, start time and boot id together
//! name one process for ever; a pidfd that was opened and then checked against them pins it.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::{fs, io};

use rustix::process::{Pid, PidfdFlags, WaitOptions, pidfd_open, waitpid};
use serde::{Deserialize, Serialize};

use crate::process::Exit;
use crate::process_table::ProcessStat;
use crate::tree::own_pid;

/// One process, never mistaken for a later one with the same pid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) pid: i32,
    /// Clock ticks from boot to its start (field 22 of `/proc/<pid>/stat`).
    pub(crate) start_ticks: u64,
    /// `/proc/sys/kernel/random/boot_id` at its start.
    pub(crate) boot_id: Arc<str>,
}

/// Milliseconds since the boot, with the time that the machine slept.
fn since_boot_ms() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists since Linux 2.6.39, and `now` is a place for the answer.
    #[allow(unsafe_code)]
    unsafe {
        libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut now);
    }
    let (seconds, nanos) = (u64::try_from(now.tv_sec), u64::try_from(now.tv_nsec));
    seconds.unwrap_or(0).saturating_mul(1000) + nanos.unwrap_or(0) / 1_000_000
}

impl Identity {
    /// How long ago it was started, in milliseconds, to a hundredth of a second. By the clock that counts from the boot,
    /// since the wall clock may be set meanwhile, and a restart policy must not be misled by that.
    pub(crate) fn age_ms(&self) -> u64 {
        let a_second = rustix::param::clock_ticks_per_second().max(1);
        since_boot_ms().saturating_sub(self.start_ticks.saturating_mul(1000) / a_second)
    }

    /// The identity of a process that cannot go away meanwhile, such as our own unreaped child.
    pub(crate) fn of(pid: i32, boot_id: &Arc<str>) -> io::Result<Self> {
        let stat =
            ProcessStat::read(pid)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(Self { pid, start_ticks: stat.start_ticks, boot_id: Arc::clone(boot_id) })
    }

    /// How it ended, if it is our own child and nobody has asked yet.
    pub(crate) fn reap(&self) -> Exit {
        if self.parent() != Some(own_pid()) {
            return Exit::Unknown;
        }
        let Some(pid) = Pid::from_raw(self.pid) else { return Exit::Unknown };
        let ended = waitpid(Some(pid), WaitOptions::NOHANG).ok().flatten();
        ended.map_or(Exit::Unknown, |(_, status)| Exit::from_wait_status(status.as_raw()))
    }

    /// Its parent, while it lives and has not passed its pid on.
    pub(crate) fn parent(&self) -> Option<i32> {
        let stat = ProcessStat::read(self.pid).ok().flatten()?;
        (stat.start_ticks == self.start_ticks).then_some(stat.ppid)
    }

    /// A pidfd of exactly this process, or `None` when it does not live any more.
    pub(crate) fn open(&self, boot_id: &str) -> io::Result<Option<OwnedFd>> {
        if *self.boot_id != *boot_id {
            return Ok(None);
        }
        open_checked(self.pid, |stat| stat.start_ticks == self.start_ticks && !stat.is_zombie())
    }
}

/// Opens a pidfd, and only then checks that the process is the one that is meant.
pub(crate) fn open_checked(
    pid: i32,
    is_meant: impl FnOnce(&ProcessStat) -> bool,
) -> io::Result<Option<OwnedFd>> {
    let Some(raw) = Pid::from_raw(pid) else {
        return Ok(None);
    };
    let pidfd = match pidfd_open(raw, PidfdFlags::empty()) {
        Ok(pidfd) => pidfd,
        Err(rustix::io::Errno::SRCH) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    // From here on the pid cannot pass to another process unnoticed: were the process gone, the start time
    // found under its number would differ.
    Ok(ProcessStat::read(pid)?.filter(is_meant).map(|_| pidfd))
}

/// The running kernel's boot id.
pub(crate) fn boot_id() -> io::Result<Arc<str>> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_process_is_opened() {
        let boot = boot_id().unwrap();
        let me = Identity::of(i32::try_from(std::process::id()).unwrap(), &boot).unwrap();
        assert!(me.open(&boot).unwrap().is_some());
        let other_start = Identity { start_ticks: me.start_ticks + 1, ..me.clone() };
        assert!(other_start.open(&boot).unwrap().is_none());
        assert!(me.open("another boot").unwrap().is_none());
        let nobody = Identity { pid: i32::MAX, ..me };
        assert!(nobody.open(&boot).unwrap().is_none());
    }
    #[test]
    fn the_age_counts_from_the_start() {
        let boot = boot_id().unwrap();
        let me = Identity::of(i32::try_from(std::process::id()).unwrap(), &boot).unwrap();
        assert!(me.age_ms() < 600_000, "this test has just begun: {}", me.age_ms());
        let a_second = rustix::param::clock_ticks_per_second();
        let older = Identity { start_ticks: me.start_ticks.saturating_sub(a_second), ..me.clone() };
        let difference = older.age_ms() - me.age_ms();
        assert!((900..10_000).contains(&difference), "{difference}");
    }
}
