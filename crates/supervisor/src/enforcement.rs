//! What this machine lets the supervisor hold its processes to. [`Enforcement::probe`] only looks: what it makes to find
//! out it takes away again.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::ioctl::Updater;
use rustix::process::{PidfdFlags, Resource, getpid, getrlimit, pidfd_open};
use rustix::thread::{CapabilitySet, capabilities};
use serde::Serialize;

use crate::cgroup;
use crate::exit_status::{GET_INFO, PidfdInfo};

/// The nice value that everybody may set: their own, which is this unless somebody changed it.
const OWN_NICE: i32 = 0;
/// `LANDLOCK_CREATE_RULESET_VERSION` of <linux/landlock.h>: asks for the ABI's version, makes nothing.
const LANDLOCK_VERSION: libc::c_uint = 1;

/// What the kernel and the rights of this program allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Enforcement {
    /// The running kernel.
    pub kernel: Kernel,
    /// Whether a process can be held by a descriptor, so that a reused pid is never signalled. Nothing works without.
    pub pidfd: bool,
    /// Whether the exit status of a process that an earlier supervisor started can be learnt.
    pub adopted_exit_status: bool,
    /// Whether a process can be born in its control group, so that it cannot fork itself out of it beforehand.
    pub born_in_cgroup: bool,
    /// Control groups (cgroup v2).
    pub cgroup: CgroupAccess,
    /// Version of Landlock's interface; 0 without Landlock.
    pub landlock_abi: u32,
    /// The lowest nice value that may be given to a process.
    pub lowest_nice: i32,
    /// Whether a process can be run as another user and group.
    pub switch_user: bool,
    /// Whether limits on the pipes of a user do not hold for us.
    pub unlimited_pipes: bool,
    /// How many files we may have open at most; `None` for no limit.
    pub open_files: Option<u64>,
}

/// A kernel's version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kernel {
    /// As `uname -r` says it.
    pub release: String,
    /// Its first two numbers; (0, 0) when the release does not begin with any.
    pub version: (u32, u32),
}

/// Whether each process can have a control group of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CgroupAccess {
    /// It can.
    Usable(CgroupParent),
    /// It cannot.
    Unusable {
        /// Why.
        reason: String,
    },
}

/// The folder below which the supervisor makes its control groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CgroupParent {
    /// The folder.
    pub path: PathBuf,
    /// The controllers that groups below it can have: `memory` for `memory.max`, `cpu` for `cpu.max`.
    pub controllers: BTreeSet<String>,
    /// Whether all members can be killed at one go (`cgroup.kill`).
    pub kill: bool,
}

impl Enforcement {
    /// Looks at this machine, with the rights of this program.
    #[must_use]
    pub fn probe() -> Self {
        let kernel = Kernel::of_release(&rustix::system::uname().release().to_string_lossy());
        let held = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
        let pidfd = pidfd_open(getpid(), PidfdFlags::empty()).ok();
        Self {
            // Asking works since 6.13, but only since 6.15 the exit status is among the answers.
            adopted_exit_status: kernel.is_at_least(6, 15)
                && pidfd.as_ref().is_some_and(answers_get_info),
            pidfd: pidfd.is_some(),
            // Asked for with clone3, which some sandboxes hide.
            born_in_cgroup: kernel.is_at_least(5, 7) && has_clone3(),
            kernel,
            cgroup: CgroupAccess::probe(),
            landlock_abi: landlock_abi(),
            lowest_nice: if held.contains(CapabilitySet::SYS_NICE) {
                -20
            } else {
                nice_floor(getrlimit(Resource::Nice).current)
            },
            switch_user: held.contains(CapabilitySet::SETUID | CapabilitySet::SETGID),
            unlimited_pipes: held
                .intersects(CapabilitySet::SYS_RESOURCE | CapabilitySet::SYS_ADMIN),
            open_files: getrlimit(Resource::Nofile).maximum,
        }
    }
}

impl Kernel {
    /// From what `uname -r` says: `6.18.44-1-amd64`.
    #[must_use]
    pub fn of_release(release: &str) -> Self {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
        let version = match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => (major, minor),
            _ => (0, 0),
        };
        Self { release: release.to_owned(), version }
    }

    /// Whether it is this one or a later one.
    #[must_use]
    pub fn is_at_least(&self, major: u32, minor: u32) -> bool {
        self.version >= (major, minor)
    }
}

impl CgroupAccess {
    fn probe() -> Self {
        let mut obstacles = Vec::new();
        let mut parents = cgroup::parents();
        // Our own part of the hierarchy may be its root.
        parents.dedup();
        for parent in parents {
            match CgroupParent::probe(&parent) {
                Ok(found) => return Self::Usable(found),
                Err(error) => obstacles.push(format!("{}: {error}", parent.display())),
            }
        }
        if obstacles.is_empty() {
            obstacles.push("no cgroup v2 hierarchy is mounted".to_owned());
        }
        Self::Unusable { reason: obstacles.join("; ") }
    }
}

impl CgroupParent {
    /// Makes a group below the folder, looks at it, and removes it.
    fn probe(path: &Path) -> io::Result<Self> {
        let group = path.join(format!("tenantry-probe-{}", std::process::id()));
        DirBuilder::new().mode(0o755).create(&group)?;
        let kill = group.join("cgroup.kill").exists();
        let here = words(&group.join("cgroup.controllers"));
        let removed = fs::remove_dir(&group);
        let lent = if may_lend(path) { words(&path.join("cgroup.controllers")) } else { here };
        removed.map(|()| Self { path: path.to_owned(), controllers: lent, kill })
    }
}

/// Whether controllers can be passed on to groups below: the kernel wants no process in the group itself, unless it is the root,
/// which has no type.
fn may_lend(path: &Path) -> bool {
    let root = !path.join("cgroup.type").exists();
    let empty = fs::read_to_string(path.join("cgroup.procs")).is_ok_and(|pids| pids.is_empty());
    (root || empty) && access(path.join("cgroup.subtree_control"), Access::WRITE_OK).is_ok()
}

fn words(path: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

/// What `RLIMIT_NICE` allows: it counts from 20 downwards, so that a limit of 25 allows -5.
fn nice_floor(limit: Option<u64>) -> i32 {
    let limit = limit.map_or(40, |limit| limit.min(40));
    (20 - i32::try_from(limit).unwrap_or(40)).min(OWN_NICE)
}

fn answers_get_info(pidfd: impl AsFd) -> bool {
    let mut info = PidfdInfo::default();
    // SAFETY: `PidfdInfo` is laid out as the kernel's struct of this size (encoded in the opcode), is alive and writable
    // for the call, and every bit pattern is valid for its integers.
    #[allow(unsafe_code)]
    let answer =
        unsafe { rustix::ioctl::ioctl(pidfd, Updater::<GET_INFO, PidfdInfo>::new(&mut info)) };
    answer.is_ok()
}

fn has_clone3() -> bool {
    // SAFETY: a size of 0 is refused before anything is read or any process made; no memory is passed.
    #[allow(unsafe_code)]
    let answer =
        unsafe { libc::syscall(libc::SYS_clone3, std::ptr::null::<libc::c_void>(), 0_usize) };
    answer == -1 && io::Error::last_os_error().raw_os_error() == Some(libc::EINVAL)
}

fn landlock_abi() -> u32 {
    // SAFETY: with this flag the call takes no memory and makes nothing; it gives back a number.
    #[allow(unsafe_code)]
    let answer = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<libc::c_void>(),
            0_usize,
            LANDLOCK_VERSION,
        )
    };
    u32::try_from(answer).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_begins_with_its_version() {
        let version = |release| Kernel::of_release(release).version;
        assert_eq!(version("6.18.44-1-amd64"), (6, 18));
        assert_eq!(version("5.4-rc1"), (5, 4));
        assert_eq!(version("plan9"), (0, 0));
        assert_eq!(version(""), (0, 0));
        assert!(Kernel::of_release("6.2").is_at_least(5, 15));
        assert!(!Kernel::of_release("5.3.9").is_at_least(5, 4));
    }

    #[test]
    fn the_limit_on_nice_counts_downwards() {
        assert_eq!(nice_floor(Some(0)), 0);
        assert_eq!(nice_floor(Some(10)), 0);
        assert_eq!(nice_floor(Some(25)), -5);
        assert_eq!(nice_floor(Some(u64::MAX)), -20);
        assert_eq!(nice_floor(None), -20);
    }

    #[test]
    fn this_machine_is_one_that_we_run_on_and_nothing_is_left_behind() {
        let found = Enforcement::probe();
        assert!(found.pidfd && found.kernel.is_at_least(5, 4), "{found:?}");
        for parent in cgroup::parents() {
            let probe = parent.join(format!("tenantry-probe-{}", std::process::id()));
            assert!(!probe.exists());
        }
        match found.cgroup {
            CgroupAccess::Usable(parent) => {
                assert_eq!(parent.kill, found.kernel.is_at_least(5, 14));
            }
            CgroupAccess::Unusable { reason } => assert!(!reason.is_empty()),
        }
    }
}
