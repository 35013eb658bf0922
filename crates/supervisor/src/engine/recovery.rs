//! What a supervisor does first: find out what still runs, take it over, and start what is meant to run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use rustix::process::{Signal, pidfd_send_signal};

use super::launches::Taken;
use super::row::{Row, State};
use super::{Class, Engine};
use crate::cgroup::Group;
use crate::identity::{Identity, open_checked};
use crate::journal::{Desired, Kept};
use crate::process::{AfterStop, Exit};
use crate::process_table::{ProcessStat, environ_entry};
use crate::readiness::{Readable, readable};
use crate::record::{Record, Stage};
use crate::spawn::{Mark, now_ms};
use crate::tree::own_pid;

/// More spawns than a power cut can make us forget (what was written in about the last half minute).
const FORGOTTEN_SPAWNS: u64 = 1000;
/// How long leftovers of ended processes may take to die.
const BURIAL: Duration = Duration::from_secs(2);

/// What became of a process while there was no supervisor.
enum Fate {
    Lives {
        identity: Identity,
        pidfd: OwnedFd,
        started_at: i64,
    },
    /// It may have been executed or not, and only the mark in its environment can tell.
    Unclear {
        /// Whether its execution had begun.
        begun: bool,
    },
    Ended {
        exit: Option<Exit>,
        errored: Option<String>,
        /// Whether it ended while there was no supervisor, of itself: not with the whole machine.
        unseen: bool,
    },
}

/// Marked processes of this run directory.
type Marked = HashMap<u32, Vec<(u64, ProcessStat)>>;

impl Engine {
    /// Builds the table from the journal and the records.
    pub(super) async fn recover(&mut self) -> io::Result<()> {
        let kept: BTreeMap<u32, Kept> = self.journal.contents().processes.clone();
        let mut fates = BTreeMap::new();
        let mut unclear = Vec::new();
        for (id, kept) in kept {
            let record = self.plumbing.records.read(id)?;
            let mut row = Row::new(id, kept.spec, kept.desired);
            let same_boot = record.as_ref().is_some_and(|record| record.boot_id == self.boot_id);
            row.incarnation = kept.incarnation;
            if let Some(record) = &record {
                row.incarnation = row.incarnation.max(record.incarnation);
                row.restarts = record.restarts;
            }
            if !same_boot && row.incarnation > 0 {
                row.incarnation += FORGOTTEN_SPAWNS;
            }
            let fate = self.fate(record, same_boot)?;
            let must_look = match &fate {
                Fate::Lives { .. } => false,
                Fate::Unclear { .. } => true,
                // Its tree may have outlived it: of one that was to run, or that ended unseen. A reboot leaves none.
                Fate::Ended { unseen, .. } => {
                    same_boot && (*unseen || row.desired == Desired::Running)
                }
            };
            if must_look {
                unclear.push(id);
            }
            self.index.insert(id, &row.spec);
            self.rows.insert(id, Box::new(row));
            fates.insert(id, fate);
        }
        let must_look = !unclear.is_empty() || self.journal.is_incomplete();
        let mut marked = if must_look { self.marked(&unclear).await } else { Marked::new() };
        let (mut leftovers, mut ended_unseen) = (Vec::new(), BTreeSet::new());
        for (id, fate) in fates {
            let found = marked.remove(&id).unwrap_or_default();
            match self.clear_up(id, fate, &found) {
                Fate::Lives { identity, pidfd, started_at } => {
                    self.adopt(id, identity, pidfd, started_at);
                }
                Fate::Ended { exit, errored, unseen } => {
                    if unseen {
                        ended_unseen.insert(id);
                    }
                    leftovers.extend(found.into_iter().map(|(_, stat)| stat));
                    if let Some(row) = self.rows.get_mut(&id) {
                        row.last_exit = exit;
                        if errored.is_some() {
                            row.reason = errored;
                            row.state = State::Errored;
                        }
                    }
                    if self.plumbing.run_dir.has_output(id) {
                        // What it wrote last is still in its pipe.
                        self.open_outlet(id);
                    }
                }
                Fate::Unclear { .. } => {}
            }
        }
        for (id, found) in marked {
            // Ours, but of a line that the journal has lost. Nobody could stop it or start it again
            // without doubling it; whoever wanted it will ask for it anew.
            tracing::error!(
                id,
                processes = found.len(),
                "the journal has lost a process; ending it"
            );
            leftovers.extend(found.into_iter().map(|(_, stat)| stat));
            self.journal.reserve_ids(id);
        }
        bury(&leftovers).await;
        self.clear_groups().await;
        self.resume(&ended_unseen);
        Ok(())
    }

    fn fate(&self, record: Option<Record>, same_boot: bool) -> io::Result<Fate> {
        let Some(record) = record else {
            return Ok(Fate::Unclear { begun: false });
        };
        if !same_boot {
            let exit = match record.stage {
                Stage::Ended { exit, .. } => exit,
                Stage::Spawning | Stage::Spawned { .. } => Some(Exit::Unknown),
            };
            return Ok(Fate::Ended { exit, errored: None, unseen: false });
        }
        Ok(match record.stage {
            Stage::Spawning => Fate::Unclear { begun: true },
            Stage::Ended { exit, errored } => Fate::Ended { exit, errored, unseen: false },
            Stage::Spawned { identity, started_at } => match identity.open(&self.boot_id)? {
                Some(pidfd) => Fate::Lives { identity, pidfd, started_at },
                // A child of ours that ended while we became another program is still there to be asked.
                None => Fate::Ended { exit: Some(identity.reap()), errored: None, unseen: true },
            },
        })
    }

    /// Every process that carries the mark of this run directory, as far as it matters to `ids`. Those that have a control
    /// group are looked for there alone; for all others the whole machine is looked through.
    async fn marked(&self, ids: &[u32]) -> Marked {
        let prefix = Mark::entry_prefix(&self.journal.contents().instance);
        let groups = ids.iter().map(|id| self.group(*id).filter(Group::exists));
        let known: Option<Vec<Group>> = groups.collect();
        let known = known.filter(|_| !self.journal.is_incomplete());
        let table = match known {
            Some(_) => None,
            None => Some(self.census.fresh().await),
        };
        let look = tokio::task::spawn_blocking(move || match (table, known) {
            (Some(table), _) => find_marked(table.iter().cloned(), &prefix),
            (None, groups) => {
                let pids =
                    groups.into_iter().flatten().flat_map(|group| group.pids().unwrap_or_default());
                find_marked(pids.filter_map(|pid| ProcessStat::read(pid).ok()?), &prefix)
            }
        });
        look.await.unwrap_or_default()
    }

    /// Removes the control groups of all that does not run, and ends what is in those of processes that the journal does
    /// not know.
    async fn clear_groups(&self) {
        let Some(hierarchy) = &self.hierarchy else { return };
        for id in hierarchy.ids() {
            let group = hierarchy.group(id);
            match self.rows.get(&id) {
                Some(row) if row.running().is_some() => continue,
                Some(_) => {}
                None => {
                    if let Err(error) = group.kill() {
                        tracing::warn!(%error, id, "cannot end the members of a forgotten control group");
                    }
                }
            }
            group.discard().await;
        }
    }

    /// Decides an unclear fate: the process that leads its group and bears the youngest mark is the main one.
    fn clear_up(&mut self, id: u32, fate: Fate, found: &[(u64, ProcessStat)]) -> Fate {
        let Fate::Unclear { begun } = fate else { return fate };
        let leaders = found.iter().filter(|(_, stat)| stat.pgrp == stat.pid && !stat.is_zombie());
        let main = leaders
            .max_by_key(|(incarnation, stat)| (*incarnation, std::cmp::Reverse(stat.start_ticks)));
        let Some((incarnation, stat)) = main else {
            return Fate::Ended { exit: None, errored: None, unseen: begun };
        };
        let identity = Identity {
            pid: stat.pid,
            start_ticks: stat.start_ticks,
            boot_id: self.boot_id.clone(),
        };
        let Ok(Some(pidfd)) = identity.open(&self.boot_id) else {
            return Fate::Ended { exit: Some(Exit::Unknown), errored: None, unseen: true };
        };
        if let Some(row) = self.rows.get_mut(&id) {
            row.incarnation = *incarnation;
        }
        Fate::Lives { identity, pidfd, started_at: now_ms() }
    }

    fn adopt(&mut self, id: u32, identity: Identity, pidfd: OwnedFd, started_at: i64) {
        let Some(row) = self.rows.get(&id) else {
            return;
        };
        tracing::info!(name = row.spec.name, pid = identity.pid, "process adopted");
        self.open_outlet(id);
        let group = self.group(id).filter(|group| group.holds(identity.pid));
        let adopted = identity.parent() != Some(own_pid());
        let taken = Taken { identity, pidfd, started_at, adopted, group };
        self.watch(id, taken);
        self.record_present(id);
    }

    /// Opens the way of a process's output again. Without it a process lives on, only unheard.
    fn open_outlet(&mut self, id: u32) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        match self.plumbing.open(id, &row.spec, row.pulse.clone()) {
            Ok(outlet) => row.outlet = Some(Arc::new(outlet)),
            Err((path, error)) => {
                let path = path.display();
                tracing::error!(%error, %path, name = row.spec.name, "cannot capture a process's output");
            }
        }
    }

    /// Starts what is meant to run and does not, and ends what runs and is not meant to.
    fn resume(&mut self, ended_unseen: &BTreeSet<u32>) {
        let ids: Vec<u32> = self.rows.keys().copied().collect();
        for id in ids {
            let Some(row) = self.rows.get(&id) else {
                continue;
            };
            let has_cron = row.spec.cron_restart.is_some();
            // One that ended of itself and is not to be started again is meant to run only if it waits for its time.
            let awaits_its_time = has_cron && !matches!(row.last_exit, None | Some(Exit::Unknown));
            let rests = row.is_not_restarted() && (ended_unseen.contains(&id) || awaits_its_time);
            match (&row.state, row.desired) {
                (State::Online(_), Desired::Stopped) => {
                    self.terminate(id, AfterStop::Rest, false);
                }
                (State::Online(_), Desired::Running) => {
                    // Who runs was ready long ago, as far as anybody can tell now.
                    let incarnation = row.incarnation;
                    self.guard(id);
                    self.on_ready(id, incarnation, Ok(()));
                }
                (_, Desired::Stopped) => {}
                // It was given up, and is not tried again because we are new.
                (State::Errored, Desired::Running) => self.guard(id),
                (_, Desired::Running) if rests && has_cron => self.guard(id),
                (_, Desired::Running) if rests => self.desire_stopped(id),
                (_, Desired::Running) => self.launch(id, true, Class::Automatic),
            }
        }
    }
}

fn find_marked(stats: impl Iterator<Item = ProcessStat>, prefix: &str) -> Marked {
    let mut marked = Marked::new();
    for stat in stats {
        let entry = environ_entry(stat.pid, |entry| entry.starts_with(prefix.as_bytes()));
        let rest = entry.and_then(|entry| String::from_utf8(entry).ok());
        let rest = rest.as_deref().and_then(|entry| entry.strip_prefix(prefix));
        if let Some((id, incarnation)) = rest.and_then(Mark::parse_rest) {
            marked.entry(id).or_default().push((incarnation, stat));
        }
    }
    marked
}

/// Ends what is left of trees whose main process ended while nobody watched: a new one beside it would
/// be two at the same work.
async fn bury(leftovers: &[ProcessStat]) {
    let mut dying = Vec::new();
    for stat in leftovers {
        let held = open_checked(stat.pid, |now| now.start_ticks == stat.start_ticks);
        let Ok(Some(pidfd)) = held else { continue };
        tracing::warn!(pid = stat.pid, "ending what is left of a process's tree");
        let _ = pidfd_send_signal(&pidfd, Signal::KILL);
        dying.extend(readable(pidfd));
    }
    let dead = join_all(dying.iter().map(Readable::readable));
    if tokio::time::timeout(BURIAL, dead).await.is_err() {
        tracing::error!("some of what is left of ended processes could not be ended");
    }
}
