//! Which processes use more memory than they may: one look at all that have a limit.
//!
//! Meant to be called once a second, off the event loop (it reads `/proc`), and only while some process has a limit; with
//! none it does nothing at all. The memory is the sum of what the processes of the tree have resident, so that of what
//! they share counts once for each.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::process_table::ProcessTable;

/// A running process that has a limit.
#[derive(Debug, Clone)]
pub(crate) struct Limited {
    /// Whom it is about, in the caller's numbers.
    pub(crate) id: u32,
    pub(crate) main_pid: i32,
    /// The start of the main process; a pid with another start is somebody else.
    pub(crate) start_ticks: u64,
    /// The folder of the cgroup in which the whole tree is, and nobody else. Groups below it are not looked into.
    pub(crate) cgroup: Option<PathBuf>,
    pub(crate) limit_bytes: u64,
}

/// A tree above its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exceeded {
    /// From [`Limited::id`].
    pub(crate) id: u32,
    pub(crate) used_bytes: u64,
    pub(crate) limit_bytes: u64,
}

/// Looks at all of `limited`, and tells who is above the limit. A tree with a cgroup costs a few small reads; all
/// others together cost one pass through `/proc`.
///
/// # Errors
/// When `/proc` cannot be read.
pub(crate) fn look(limited: &[Limited]) -> io::Result<Vec<Exceeded>> {
    let mut exceeded = Vec::new();
    let mut table = None;
    for tree in limited {
        let by_cgroup = tree.cgroup.as_deref().and_then(pages_of_cgroup);
        let pages = match (by_cgroup, &table) {
            (Some(pages), _) => pages,
            (None, Some(table)) => pages_of_tree(table, tree),
            (None, None) => pages_of_tree(table.insert(ProcessTable::read()?), tree),
        };
        let used_bytes = pages.saturating_mul(rustix::param::page_size() as u64);
        if used_bytes > tree.limit_bytes {
            exceeded.push(Exceeded { id: tree.id, used_bytes, limit_bytes: tree.limit_bytes });
        }
    }
    Ok(exceeded)
}

/// `None` when the cgroup cannot be read or is empty, as it is while its first process is on its way there.
fn pages_of_cgroup(folder: &Path) -> Option<u64> {
    let members = fs::read_to_string(folder.join("cgroup.procs")).ok()?;
    let pages = members.lines().map(|pid| resident_pages(pid).unwrap_or(0));
    (!members.is_empty()).then(|| pages.fold(0, u64::saturating_add))
}

/// The second number of `/proc/<pid>/statm`; `None` when the process has ended.
fn resident_pages(pid: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    text.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn pages_of_tree(table: &ProcessTable, tree: &Limited) -> u64 {
    let is_there =
        |main: i32| table.get(main).is_some_and(|stat| stat.start_ticks == tree.start_ticks);
    if !is_there(tree.main_pid) {
        return 0;
    }
    let members = table.tree(&[tree.main_pid], Some(tree.main_pid));
    members.iter().fold(0, |pages, member| pages.saturating_add(member.rss_pages))
}

#[cfg(test)]
mod tests;
