//! A control group per process, so that none of its children can get away.
//!
//! Membership is inherited and cannot be given up by `setsid`, double forks or a wiped environment, `cgroup.kill`
//! ends all members at one go, and where the machine lends us its controllers, memory and processor time are limited for the
//! whole tree. A group lasts until the process's next run, or as long as it has members.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::OFlags;

/// The folder of our groups below whatever part of the hierarchy is ours.
const OURS: &str = "tenantry";

/// Where the groups of one run directory are.
#[derive(Debug, Clone)]
pub(crate) struct Hierarchy {
    base: Arc<PathBuf>,
}

impl Hierarchy {
    /// Makes the folder for this run directory's groups; `None` where no cgroup v2 hierarchy lets us.
    pub(crate) fn open(instance: &str) -> Option<Self> {
        parents().into_iter().find_map(|parent| Self::below(&parent, instance).ok())
    }

    fn below(parent: &Path, instance: &str) -> io::Result<Self> {
        let ours = parent.join(OURS);
        let base = ours.join(instance);
        make(&ours)?;
        make(&base)?;
        for folder in [parent, &ours, &base] {
            for controller in ["+memory", "+cpu"] {
                // Not lent to us, or not here: then a limit that needs it makes its process's start fail.
                let _ = fs::write(folder.join("cgroup.subtree_control"), controller);
            }
        }
        Ok(Self { base: Arc::new(base) })
    }

    /// The group of a process.
    pub(crate) fn group(&self, id: u32) -> Group {
        Group { base: Arc::clone(&self.base), id }
    }

    /// Whose group a process is in, or in a group below it.
    pub(crate) fn id_of(&self, pid: i32) -> Option<u32> {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        id_within(&groups, self.base.file_name()?.to_str()?)
    }

    /// The ids that have a group.
    pub(crate) fn ids(&self) -> Vec<u32> {
        let Ok(entries) = fs::read_dir(&*self.base) else { return Vec::new() };
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
    }

    /// Removes the folder when no group is left in it.
    pub(crate) fn close(&self) {
        let _ = fs::remove_dir(&*self.base);
    }
}

/// The folders of this machine below which we may make ours, best first.
pub(crate) fn parents() -> Vec<PathBuf> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    candidates(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"))
}

/// The folders below which we may make ours, best first: one that outlives the restart of a service that we may be in,
/// then our own part of the hierarchy.
fn candidates(mountinfo: &str, own: &str) -> Vec<PathBuf> {
    let mounts = mountinfo.lines().filter_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        (after.split(' ').next()? == "cgroup2").then(|| before.split(' ').nth(4))?
    });
    let own = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    mounts
        .flat_map(|mount| {
            let root = PathBuf::from(mount);
            let mine = root.join(own);
            [root, mine]
        })
        .collect()
}

fn make(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o755).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// One process's control group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    base: Arc<PathBuf>,
    id: u32,
}

impl Group {
    /// Makes it where it is missing, and opens it so that a process can be born in it.
    pub(crate) fn open(&self) -> io::Result<OwnedFd> {
        let path = self.path();
        make(&path)?;
        let flags = i32::try_from((OFlags::DIRECTORY | OFlags::CLOEXEC).bits()).unwrap_or(0);
        Ok(File::options().read(true).custom_flags(flags).open(path)?.into())
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.base.join(self.id.to_string())
    }

    /// Whether it was ever made.
    pub(crate) fn exists(&self) -> bool {
        self.path().exists()
    }

    /// Its living members. None when there is no such group.
    pub(crate) fn pids(&self) -> io::Result<Vec<i32>> {
        let mut pids = Vec::new();
        collect(&self.path(), &mut pids)?;
        Ok(pids)
    }

    /// Kills all members. `false`: the kernel is older than 5.14 and cannot.
    pub(crate) fn kill(&self) -> io::Result<bool> {
        match fs::write(self.path().join("cgroup.kill"), "1") {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) if is_gone(&error) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Removes it after its members were killed. Waits, half a second at most, where the last one is still on its way out.
    ///
    /// Kernels from 6.14 on remember that a group was killed, and kill whatever is then born into it from outside at once.
    /// So one that is there and has no members was never killed.
    pub(crate) async fn discard(&self) {
        for pause in [0, 1, 2, 4, 8, 16, 32, 64, 128, 256] {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            match fs::remove_dir(self.path()) {
                Err(error) if error.kind() == ErrorKind::ResourceBusy => {}
                Ok(()) | Err(_) => return,
            }
        }
        self.remove();
    }

    /// Limits what all members use together. `None` takes a limit away.
    pub(crate) fn limit(
        &self,
        memory_max: Option<u64>,
        cpu_percent: Option<u32>,
    ) -> io::Result<()> {
        let memory = memory_max.map_or("max".to_owned(), |bytes| bytes.to_string());
        // A tenth of a second at a time, as the kernel has it.
        let cpu = cpu_percent.map_or("max 100000".to_owned(), |percent| {
            format!("{} 100000", u64::from(percent) * 1000)
        });
        for (file, value, wanted) in
            [("memory.max", memory, memory_max.is_some()), ("cpu.max", cpu, cpu_percent.is_some())]
        {
            let path = self.path().join(file);
            if wanted || path.exists() {
                fs::write(path, value)?;
            }
        }
        Ok(())
    }

    /// Removes it; nothing happens to a member that still lives.
    pub(crate) fn remove(&self) {
        remove(&self.path());
    }

    /// Whether this process is in it, as the kernel says.
    pub(crate) fn holds(&self, pid: i32) -> bool {
        self.pids().is_ok_and(|pids| pids.contains(&pid))
    }
}

/// The id in a process's `/proc/<pid>/cgroup`, if it is in one of this instance's groups.
fn id_within(groups: &str, instance: &str) -> Option<u32> {
    let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let mut names = path.split('/').skip_while(|name| *name != OURS).skip(1);
    (names.next()? == instance).then(|| names.next()?.parse().ok())?
}

/// A member may have made groups below its own.
fn collect(path: &Path, pids: &mut Vec<i32>) -> io::Result<()> {
    match fs::read_to_string(path.join("cgroup.procs")) {
        Ok(text) => pids.extend(text.lines().filter_map(|line| line.parse::<i32>().ok())),
        Err(error) if is_gone(&error) => return Ok(()),
        Err(error) => return Err(error),
    }
    children(path).iter().try_for_each(|child| collect(child, pids))
}

fn remove(path: &Path) {
    children(path).iter().for_each(|child| remove(child));
    if let Err(error) = fs::remove_dir(path)
        && !is_gone(&error)
    {
        tracing::warn!(%error, path = %path.display(), "cannot remove a control group");
    }
}

fn children(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let folders =
        entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path()).collect()
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(libc::ENODEV)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_of_the_hierarchy_comes_before_our_own_part_of_it() {
        let mountinfo = "24 23 0:21 / /sys rw - sysfs sysfs rw\n\
            30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
        let own = "1:name=systemd:/x\n0::/user.slice/tenantry.service\n";
        let expected = ["/sys/fs/cgroup", "/sys/fs/cgroup/user.slice/tenantry.service"];
        assert_eq!(candidates(mountinfo, own), expected.map(PathBuf::from));
        assert!(candidates("24 23 0:21 / /sys rw - sysfs sysfs rw\n", own).is_empty());
    }

    #[test]
    fn a_process_is_known_by_its_group() {
        let id = |path: &str| id_within(&format!("4:memory:/tenantry/i/1\n0::{path}\n"), "i");
        assert_eq!(id("/tenantry/i/7"), Some(7));
        assert_eq!(id("/system.slice/x.service/tenantry/i/7/below/8"), Some(7));
        for none in ["/", "/tenantry/i", "/tenantry/other/7", "/i/7", "/tenantry/i/x"] {
            assert_eq!(id(none), None, "{none}");
        }
    }

    #[test]
    fn a_group_that_is_not_there_has_no_members() {
        let dir = tempfile::tempdir().unwrap();
        let group = Group { base: Arc::new(dir.path().to_owned()), id: 1 };
        assert!(group.pids().unwrap().is_empty());
        assert!(!group.kill().unwrap());
        group.remove();
    }
}
