//! The processes that belong to a main process: found, signalled, waited for.
//!
//! Where the process has a control group, its members are those of the group, and nobody gets away. Elsewhere a member is a
//! descendant of the main process, a member of its process group, or an orphan that carries the main process's mark in
//! its environment (a child that gave itself an own session and whose parent ended), with its descendants; a program that
//! wipes its environment, takes a session of its own and lets its parent die is out of reach then.

use std::os::fd::{AsFd, OwnedFd};

use futures::future::join_all;
use rustix::process::{Pid, Signal, kill_process_group, pidfd_send_signal};
use tokio::time::{Instant, timeout_at};

use crate::cgroup::Group;
use crate::identity::{Identity, open_checked};
use crate::process_table::{Census, ProcessStat, ProcessTable, has_env};
use crate::readiness::{Readable, readable};
use crate::spawn::Mark;

/// How members of one main process's tree are recognised.
#[derive(Debug)]
pub(crate) struct Tree {
    identity: Identity,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// By the kernel's own book-keeping.
    Group(Group),
    /// By a look at every process of the machine.
    Look {
        mark: String,
        /// Who becomes the parent of orphans, besides us and the first process.
        reaper: i32,
        census: Census,
    },
}

/// Who of a tree lives, at one moment; without the main process.
#[derive(Debug)]
pub(crate) struct Members {
    found: Vec<Member>,
    /// Whether the main process is in the group that bears its pid, as it was when it began.
    main_in_group: bool,
}

#[derive(Debug)]
struct Member {
    pgrp: i32,
    pidfd: Readable,
}

impl Members {
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    /// Waits until all of them have ended; `false` when the deadline comes first.
    pub(crate) async fn all_ended(&self, deadline: Instant) -> bool {
        let ended = join_all(self.found.iter().map(|member| member.pidfd.readable()));
        timeout_at(deadline, ended).await.is_ok()
    }
}

impl Tree {
    /// The tree of a main process that lives now and is in `group`, if there is one.
    pub(crate) fn new(
        identity: Identity,
        mark: &Mark,
        group: Option<Group>,
        census: Census,
    ) -> Self {
        let way = match group {
            Some(group) => Way::Group(group),
            None => {
                let parent = ProcessStat::read(identity.pid).ok().flatten();
                let reaper = parent.map_or(1, |stat| stat.ppid);
                Way::Look { mark: mark.entry(), reaper, census }
            }
        };
        Self { identity, way }
    }

    /// Looks who lives. `pinned`: the main process lives or is our zombie, so its pid, and the group of
    /// that number, can be nobody else's.
    pub(crate) async fn members(&self, pinned: bool) -> Members {
        match &self.way {
            Way::Group(group) => self.members_of(group),
            Way::Look { mark, reaper, census } => {
                let look = Look { identity: &self.identity, mark, reaper: *reaper, census };
                look.members(pinned).await
            }
        }
    }

    fn members_of(&self, group: &Group) -> Members {
        let pids = || {
            group.pids().unwrap_or_else(|error| {
                tracing::error!(%error, "cannot read a control group; descendants stay unseen");
                Vec::new()
            })
        };
        let held: Vec<(i32, Member)> = pids()
            .into_iter()
            .filter(|pid| *pid != self.identity.pid)
            .filter_map(|pid| Some((pid, hold(pid, |_| true)?)))
            .collect();
        // Who is still a member now was one when we took hold of it: its number did not pass to a stranger in between.
        let still = if held.is_empty() { Vec::new() } else { pids() };
        let found = held.into_iter().filter(|(pid, _)| still.contains(pid)).map(|(_, held)| held);
        // It leads a session, so it cannot leave the process group that bears its number.
        Members { found: found.collect(), main_in_group: true }
    }

    /// Ends all members at one go, where the kernel can. The main process's own end is seen to elsewhere.
    pub(crate) fn kill_group(&self) -> bool {
        match &self.way {
            Way::Group(group) => group.kill().unwrap_or(false),
            Way::Look { .. } => false,
        }
    }

    /// Removes the group of a tree that was killed, or that may have been by a supervisor before us.
    pub(crate) async fn discard_group(&self) {
        if let Way::Group(group) = &self.way {
            group.discard().await;
        }
    }

    /// Sends a signal once to everybody: to the group at one go when its number is surely ours, to each of
    /// the others through a pidfd. That a process just ended is no error.
    pub(crate) fn signal(&self, main: Option<&OwnedFd>, members: &Members, signal: Signal) {
        let group = Pid::from_raw(self.identity.pid).filter(|_| main.is_some());
        for member in &members.found {
            if group.is_none() || member.pgrp != self.identity.pid {
                let _ = pidfd_send_signal(member.pidfd.as_fd(), signal);
            }
        }
        if let Some(group) = group {
            let _ = kill_process_group(group, signal);
        }
        if let Some(main) = main
            && !members.main_in_group
        {
            let _ = pidfd_send_signal(main, signal);
        }
    }
}

/// A look for the members of one tree among all processes of the machine.
struct Look<'a> {
    identity: &'a Identity,
    mark: &'a str,
    reaper: i32,
    census: &'a Census,
}

impl Look<'_> {
    async fn members(&self, pinned: bool) -> Members {
        let table = self.census.fresh().await;
        let main = self.identity.pid;
        let mut roots: Vec<i32> = self.orphans(&table).collect();
        if pinned {
            roots.push(main);
        }
        let group_is_ours = pinned || self.owns_group(&table);
        let found = table
            .tree(&roots, group_is_ours.then_some(main))
            .into_iter()
            .filter(|stat| stat.pid != main && !stat.is_zombie() && !self.census.is_main(stat.pid))
            .filter(|stat| stat.pid != own_pid())
            .filter_map(|stat| hold(stat.pid, |now| now.start_ticks == stat.start_ticks))
            .collect();
        Members { found, main_in_group: table.get(main).is_none_or(|stat| stat.pgrp == main) }
    }

    fn orphans<'a>(&'a self, table: &'a ProcessTable) -> impl Iterator<Item = i32> + 'a {
        let parents = [own_pid(), 1, self.reaper];
        let candidates = table.iter().filter(move |stat| {
            parents.contains(&stat.ppid)
                && stat.start_ticks >= self.identity.start_ticks
                && stat.pid != self.identity.pid
                && !self.census.is_main(stat.pid)
        });
        candidates.filter(|stat| has_env(stat.pid, self.mark)).map(|stat| stat.pid)
    }

    /// Whether the group that bore the ended main process's pid is still its own: a group's number is not
    /// given away while anybody is in it, so one marked member is proof.
    fn owns_group(&self, table: &ProcessTable) -> bool {
        table.group(self.identity.pid).iter().any(|pid| has_env(*pid, self.mark))
    }
}

/// Takes hold of a process that lives and is the one that is meant.
fn hold(pid: i32, is_meant: impl Fn(&ProcessStat) -> bool) -> Option<Member> {
    let mut pgrp = 0;
    let pidfd = open_checked(pid, |now| {
        pgrp = now.pgrp;
        !now.is_zombie() && is_meant(now)
    });
    let pidfd = match pidfd {
        Ok(pidfd) => pidfd?,
        Err(error) => {
            tracing::warn!(%error, pid, "cannot take hold of a process of a tree");
            return None;
        }
    };
    let pidfd = readable(pidfd).ok()?;
    Some(Member { pgrp, pidfd })
}

pub(crate) fn own_pid() -> i32 {
    rustix::process::getpid().as_raw_pid()
}
