//! How a process ended, learnt through its pidfd.
//!
//! The status of our own child comes from `waitid`, which leaves it unreaped: until its end is written down, whoever takes
//! our place must be able to ask again. An adopted process is somebody
//! else's child; the kernel keeps its status at the pidfd once it was reaped (`PIDFD_GET_INFO` since 6.15),
//! and until then in the zombie's `/proc/<pid>/stat`.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use rustix::ioctl::{Opcode, Updater, ioctl, opcode};
use rustix::process::{WaitId, WaitIdOptions, geteuid, waitid};

use crate::process::Exit;
use crate::process_table::ProcessStat;

/// `struct pidfd_info` of <linux/pidfd.h> in its first published size. The kernel takes any size from this
/// one on and fills what fits.
#[repr(C)]
#[derive(Debug, Default)]
pub(crate) struct PidfdInfo {
    mask: u64,
    cgroup_id: u64,
    ids: [u32; 11],
    exit_code: i32,
}

/// `PIDFD_INFO_EXIT`: asks for, and tells of, a valid `exit_code`.
const INFO_EXIT: u64 = 1 << 3;
/// `PIDFD_GET_INFO`: `_IOWR(0xFF, 11, struct pidfd_info)`.
pub(crate) const GET_INFO: Opcode = opcode::read_write::<PidfdInfo>(0xFF, 11);

/// The status of our own child, which has ended. It stays a zombie.
pub(crate) fn of_child(pidfd: BorrowedFd<'_>) -> io::Result<Exit> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let Some(status) = waitid(WaitId::PidFd(pidfd), options)? else {
        return Err(io::ErrorKind::WouldBlock.into());
    };
    Ok(match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Unknown,
    })
}

/// Reaps our own child, if it has ended.
pub(crate) fn reap(pidfd: BorrowedFd<'_>) {
    // One that still hangs in the kernel is reaped with the orphans.
    let _ = waitid(WaitId::PidFd(pidfd), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
}

/// The status of a process that is not our child and has ended. Its parent may need a moment to reap it,
/// hence the few looks.
pub(crate) async fn of_adopted(pidfd: impl AsFd, pid: i32, start_ticks: u64) -> Exit {
    for _ in 0..20 {
        if let Some(exit) = from_pidfd(pidfd.as_fd()).or_else(|| from_zombie(pid, start_ticks)) {
            return exit;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Exit::Unknown
}

fn from_pidfd(pidfd: BorrowedFd<'_>) -> Option<Exit> {
    let mut info = PidfdInfo { mask: INFO_EXIT, ..PidfdInfo::default() };
    // SAFETY: `PidfdInfo` is laid out as the kernel's struct of this size (encoded in the opcode), is alive
    // and writable for the call, and every bit pattern is valid for its integers.
    #[allow(unsafe_code)]
    let answer = unsafe { ioctl(pidfd, Updater::<GET_INFO, PidfdInfo>::new(&mut info)) };
    (answer.is_ok() && info.mask & INFO_EXIT != 0).then(|| Exit::from_wait_status(info.exit_code))
}

fn from_zombie(pid: i32, start_ticks: u64) -> Option<Exit> {
    let stat = ProcessStat::read(pid).ok().flatten()?;
    // The kernel shows another user's exit code as 0, which would pass for success.
    let ours = std::fs::metadata(format!("/proc/{pid}")).ok()?.uid() == geteuid().as_raw()
        || geteuid().is_root();
    (stat.is_zombie() && stat.start_ticks == start_ticks && ours)
        .then(|| Exit::from_wait_status(stat.exit_code))
}
