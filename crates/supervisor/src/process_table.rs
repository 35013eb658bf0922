//! One look at every process of the machine, from `/proc/<pid>/stat`.
//!
//! Trees, groups, memory and processor time all come from the same pass. [`Census`] shares passes: whoever
//! asks while one runs gets the next, so a thousand processes that stop together cost a few passes, not
//! a thousand. (`/proc/<pid>/task/*/children` would be cheaper for one small tree, but many kernels are
//! built without it.)

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::{fs, io};

use tokio::sync::{mpsc, oneshot};

/// One process at the time of the look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProcessStat {
    pub(crate) pid: i32,
    /// The kernel's one-letter state; `Z` is a process that ended and was not reaped.
    pub(crate) state: char,
    pub(crate) ppid: i32,
    pub(crate) pgrp: i32,
    pub(crate) session: i32,
    /// User and system time in clock ticks, without children.
    pub(crate) cpu_ticks: u64,
    /// Clock ticks from boot to its start. With the pid and the boot id, who it is.
    pub(crate) start_ticks: u64,
    pub(crate) rss_pages: u64,
    /// Wait status; only meaningful for a zombie that we may look into.
    pub(crate) exit_code: i32,
}

impl ProcessStat {
    pub(crate) fn is_zombie(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }

    /// Reads one process; `None` when there is none of this pid.
    pub(crate) fn read(pid: i32) -> io::Result<Option<Self>> {
        match fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(text) => Ok(parse_stat(&text)),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Both errors mean that the process ended, before or during the read.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error())
}

fn parse_stat(text: &str) -> Option<ProcessStat> {
    // The second field is the program's name in parentheses, and may itself hold any of them.
    let (pid, rest) = text.split_once(" (")?;
    let (_, fields) = rest.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let number = |at: usize| fields.get(at - 3).and_then(|field| field.parse::<i64>().ok());
    let unsigned = |at: usize| fields.get(at - 3).and_then(|field| field.parse::<u64>().ok());
    let small = |at: usize| number(at).and_then(|value| i32::try_from(value).ok());
    Some(ProcessStat {
        pid: pid.parse().ok()?,
        state: fields.first()?.chars().next()?,
        ppid: small(4)?,
        pgrp: small(5)?,
        session: small(6)?,
        cpu_ticks: unsigned(14)?.saturating_add(unsigned(15)?),
        start_ticks: unsigned(22)?,
        rss_pages: unsigned(24)?,
        exit_code: small(52).unwrap_or(0),
    })
}

/// Every process at one moment.
#[derive(Debug, Default)]
pub(crate) struct ProcessTable {
    by_pid: HashMap<i32, ProcessStat>,
    children: HashMap<i32, Vec<i32>>,
    groups: HashMap<i32, Vec<i32>>,
}

impl ProcessTable {
    /// Looks at the machine.
    pub(crate) fn read() -> io::Result<Self> {
        let mut table = Self::default();
        for entry in fs::read_dir("/proc")? {
            let Ok(entry) = entry else { continue };
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // One unreadable process must not hide all others.
            if let Ok(Some(stat)) = ProcessStat::read(pid) {
                table.insert(stat);
            }
        }
        Ok(table)
    }

    fn insert(&mut self, stat: ProcessStat) {
        self.children.entry(stat.ppid).or_default().push(stat.pid);
        self.groups.entry(stat.pgrp).or_default().push(stat.pid);
        self.by_pid.insert(stat.pid, stat);
    }

    pub(crate) fn get(&self, pid: i32) -> Option<&ProcessStat> {
        self.by_pid.get(&pid)
    }

    pub(crate) fn group(&self, group: i32) -> &[i32] {
        self.groups.get(&group).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &ProcessStat> {
        self.by_pid.values()
    }

    pub(crate) fn children_of(&self, pid: i32) -> &[i32] {
        self.children.get(&pid).map_or(&[], Vec::as_slice)
    }

    /// `roots`, the members of process group `group`, and all their descendants.
    pub(crate) fn tree(&self, roots: &[i32], group: Option<i32>) -> Vec<&ProcessStat> {
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        let mut queue: Vec<i32> = roots.to_vec();
        queue.extend(group.and_then(|group| self.groups.get(&group)).into_iter().flatten());
        while let Some(pid) = queue.pop() {
            if !seen.insert(pid) {
                continue;
            }
            if let Some(stat) = self.get(pid) {
                found.push(stat);
                queue.extend(self.children_of(pid));
            }
        }
        found
    }
}

/// Whether the environment that process `pid` was executed with has this `NAME=value`.
pub(crate) fn has_env(pid: i32, entry: &str) -> bool {
    environ_entry(pid, |found| found == entry.as_bytes()).is_some()
}

/// The first entry of a process's first environment for which `wanted` holds.
pub(crate) fn environ_entry(pid: i32, wanted: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let bytes = fs::read(format!("/proc/{pid}/environ")).ok()?;
    bytes.split(|byte| *byte == 0).find(|entry| wanted(entry)).map(<[u8]>::to_vec)
}

/// Hands out looks at the machine, shared among all who ask at the same time.
#[derive(Debug, Clone)]
pub(crate) struct Census {
    requests: mpsc::Sender<oneshot::Sender<Arc<ProcessTable>>>,
    mains: Arc<RwLock<HashSet<i32>>>,
}

impl Census {
    /// Starts the task that looks; it ends when the last handle is dropped.
    pub(crate) fn start() -> Self {
        let (requests, mut inbox) = mpsc::channel::<oneshot::Sender<Arc<ProcessTable>>>(1024);
        tokio::spawn(async move {
            while let Some(first) = inbox.recv().await {
                let mut waiting = vec![first];
                while let Ok(next) = inbox.try_recv() {
                    waiting.push(next);
                }
                let table = tokio::task::spawn_blocking(ProcessTable::read).await;
                let table = Arc::new(table.ok().and_then(Result::ok).unwrap_or_default());
                for reply in waiting {
                    // Whoever gave up waiting does not need it.
                    let _ = reply.send(Arc::clone(&table));
                }
            }
        });
        Self { requests, mains: Arc::default() }
    }

    /// A look that begins after this call.
    pub(crate) async fn fresh(&self) -> Arc<ProcessTable> {
        let (reply, answer) = oneshot::channel();
        if self.requests.send(reply).await.is_err() {
            return Arc::default();
        }
        answer.await.unwrap_or_default()
    }

    /// Notes the main process of somebody's tree, which is therefore nobody else's orphan.
    pub(crate) fn note_main(&self, pid: i32) {
        self.mains.write().unwrap_or_else(PoisonError::into_inner).insert(pid);
    }

    pub(crate) fn forget_main(&self, pid: i32) {
        self.mains.write().unwrap_or_else(PoisonError::into_inner).remove(&pid);
    }

    pub(crate) fn is_main(&self, pid: i32) -> bool {
        self.mains.read().unwrap_or_else(PoisonError::into_inner).contains(&pid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_blanks_does_not_confuse_the_parser() {
        let line = "42 (a) b) (c) S 1 42 40 0 -1 0 0 0 0 0 7 5 0 0 20 0 1 0 9999 1 321 0";
        let stat = parse_stat(line).unwrap();
        assert_eq!((stat.pid, stat.ppid, stat.pgrp, stat.session), (42, 1, 42, 40));
        assert_eq!((stat.cpu_ticks, stat.start_ticks, stat.rss_pages), (12, 9999, 321));
    }

    #[test]
    fn the_table_has_ourselves_under_our_parent() {
        let table = ProcessTable::read().unwrap();
        let me = i32::try_from(std::process::id()).unwrap();
        let stat = table.get(me).unwrap();
        assert!(table.children_of(stat.ppid).contains(&me));
        assert!(table.tree(&[stat.ppid], None).iter().any(|found| found.pid == me));
        assert_eq!(ProcessStat::read(i32::MAX).unwrap(), None);
    }
}
