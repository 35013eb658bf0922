//! One look at every process of the machine, from `/proc/<pid>/stat`.
//!
//! Trees, groups, memory and processor time all come from the same pass. [`Census`] shares passes: whoever
//! asks while one runs gets the next, so a thousand processes that stop together cost a few passes, not
//! a thousand. (`/proc/<pid>/task/*/children` would be cheaper for one small tree, but many kernels are
//! built without it.)

use std::collections::{HashMap, HashSet};
use std::os::fd::AsFd;
use std::sync::{Arc, PoisonError, RwLock};
use std::{fs, io};

use rustix::fs::{CWD, Dir, Mode, OFlags, openat};
use rustix::io::Errno;
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
    const EMPTY: Self = Self {
        pid: 0,
        state: '?',
        ppid: 0,
        pgrp: 0,
        session: 0,
        cpu_ticks: 0,
        start_ticks: 0,
        rss_pages: 0,
        exit_code: 0,
    };

    pub(crate) fn is_zombie(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }

    /// Reads one process; `None` when there is none of this pid.
    pub(crate) fn read(pid: i32) -> io::Result<Option<Self>> {
        Self::read_at(CWD, &format!("/proc/{pid}/stat"))
    }

    /// Reads the file `path` below the folder `dir`. Without detours through `std`: a look at the machine does
    /// this for every process.
    fn read_at(dir: impl AsFd, path: &str) -> io::Result<Option<Self>> {
        // The line is some 300 bytes; 1024 would hold 52 fields of twenty digits.
        let mut buffer = [0_u8; 1024];
        let read = openat(dir, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .and_then(|file| rustix::io::read(file, &mut buffer));
        match read {
            Ok(length) => Ok(parse_stat(&buffer[..length])),
            // Both mean that the process ended, before or during the read.
            Err(Errno::NOENT | Errno::SRCH) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }
}

fn parse_stat(line: &[u8]) -> Option<ProcessStat> {
    // The second field is the program's name in parentheses, and may itself hold any of them.
    let name = line.iter().position(|byte| *byte == b'(')?;
    let after = line.iter().rposition(|byte| *byte == b')')? + 2;
    let pid = number(line.get(..name.checked_sub(1)?)?)?;
    let fields = line.get(after..)?;
    let mut stat = ProcessStat { pid: i32::try_from(pid).ok()?, ..ProcessStat::EMPTY };
    let small = |field| number(field).and_then(|value| i32::try_from(value).ok());
    let unsigned = |field| number(field).and_then(|value| u64::try_from(value).ok());
    for (at, field) in (3..).zip(fields.split(|byte| *byte == b' ')) {
        match at {
            3 => stat.state = char::from(*field.first()?),
            4 => stat.ppid = small(field)?,
            5 => stat.pgrp = small(field)?,
            6 => stat.session = small(field)?,
            14 | 15 => stat.cpu_ticks += unsigned(field)?,
            22 => stat.start_ticks = unsigned(field)?,
            24 => {
                stat.rss_pages = unsigned(field)?;
                stat.exit_code = last_number(fields).unwrap_or(0);
                return Some(stat);
            }
            _ => {}
        }
    }
    None
}

/// A decimal number that is all of `text`.
fn number(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first()? {
        (b'-', digits) => (true, digits),
        _ => (false, text),
    };
    let value = digits.iter().try_fold(0_i64, |value, digit| match digit {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(i64::from(digit - b'0')),
        _ => None,
    })?;
    Some(if negative { -value } else { value })
}

/// The last field; the wait status is the last one that there is (field 52).
fn last_number(fields: &[u8]) -> Option<i32> {
    let text = fields.trim_ascii_end();
    let start = text.iter().rposition(|byte| *byte == b' ')? + 1;
    number(&text[start..]).and_then(|value| i32::try_from(value).ok())
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
        let folder = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let proc = openat(CWD, "/proc", folder, Mode::empty())?;
        for entry in Dir::read_from(&proc)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if !name.first().is_some_and(u8::is_ascii_digit) {
                continue;
            }
            let Ok(name) = std::str::from_utf8(name) else { continue };
            // One unreadable process must not hide all others.
            if let Ok(Some(stat)) = ProcessStat::read_at(&proc, &format!("{name}/stat")) {
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
                let table = match table.map_err(io::Error::other).and_then(|table| table) {
                    Ok(table) => table,
                    Err(error) => {
                        tracing::error!(%error, "cannot look through /proc; descendants stay unseen");
                        ProcessTable::default()
                    }
                };
                let table = Arc::new(table);
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
        let stat = parse_stat(line.as_bytes()).unwrap();
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
