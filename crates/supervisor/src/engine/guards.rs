//! What watches a process besides its exit: its readiness, whether it still answers, its files, the clock, its memory.
//!
//! Each guard is a task or a registration that only sends the engine a message; dropping it ends it. None costs anything for
//! a process that has not asked for it.

use std::sync::Arc;
use std::time::Duration;

use chrono::Local;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::row::{Row, State};
use super::{Engine, EngineError, Message};
use crate::cron::{CronPattern, CronSchedule};
use crate::journal::Desired;
use crate::liveness::{Health, LivenessLedger};
use crate::memory_watch::{self, Exceeded, Limited};
use crate::probe;
use crate::process::AfterStop;
use crate::spec::{Liveness, Readiness, WatchFiles};
use crate::watch::FileWatcher;

/// Time between two looks at the memory of processes that have a limit.
const MEMORY_LOOK: Duration = Duration::from_secs(1);

/// A task that ends when it is dropped.
pub(super) type Guard = AbortOnDropHandle<()>;

/// The guards of one process.
#[derive(Debug, Default)]
pub(super) struct Guards {
    /// For one run each.
    pub(super) readiness: Option<Guard>,
    liveness: Option<Guard>,
    /// For as long as it is meant to run.
    cron: Option<(String, Guard)>,
    watcher: Option<(WatchFiles, Option<FileWatcher>)>,
}

impl Guards {
    /// The run has ended.
    pub(super) fn end_run(&mut self) {
        self.readiness = None;
        self.liveness = None;
    }

    /// It is not meant to run any more.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }
}

impl Engine {
    /// Sets up what a process is guarded by as long as it is meant to run.
    pub(super) fn guard(&mut self, id: u32) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        let pattern = row.spec.cron_restart.as_ref();
        if row.guards.cron.as_ref().map(|(pattern, _)| pattern) != pattern {
            row.guards.cron = None;
            if let Some(text) = pattern
                && let Ok(pattern) = CronPattern::parse(text)
            {
                let tell = self.tell.clone();
                let task = tokio::spawn(async move {
                    let mut schedule = CronSchedule::new(pattern, Local::now());
                    loop {
                        schedule.until_due(Local::now).await;
                        if tell.send(Message::Due { id, why: "its cron pattern" }).await.is_err() {
                            return;
                        }
                    }
                });
                row.guards.cron = Some((text.clone(), AbortOnDropHandle::new(task)));
            }
        }
        let files = row.spec.watch.as_ref();
        if row.guards.watcher.as_ref().map(|(files, _)| files) != files {
            row.guards.watcher = files.cloned().map(|files| (files, None));
            if let Some(files) = files.cloned() {
                self.watch_files(id, files);
            }
        }
    }

    /// Begins to watch files, off the event loop: a large tree takes its time.
    fn watch_files(&self, id: u32, files: WatchFiles) {
        let (watchers, tell) = (self.watchers.clone(), self.tell.clone());
        tokio::task::spawn_blocking(move || {
            let changed = tell.clone();
            let started = watchers.start(&files, move || {
                // A full queue is full of reasons; a change that is not told is followed by others.
                let _ = changed.try_send(Message::Due { id, why: "a change of its files" });
            });
            // The engine has ended; so has the need.
            let _ = tell.blocking_send(Message::Watching { id, files, started });
        });
    }

    /// Files are watched now, or cannot be.
    pub(super) fn on_watching(
        &mut self,
        id: u32,
        files: &WatchFiles,
        started: Result<FileWatcher, String>,
    ) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        match (&mut row.guards.watcher, started) {
            (Some((wanted, watcher)), Ok(started)) if wanted == files => *watcher = Some(started),
            (Some((wanted, _)), Err(error)) if wanted == files => {
                tracing::error!(name = row.spec.name, error, "cannot watch a process's files");
                row.reason = Some(format!("its files cannot be watched: {error}"));
                self.publish(id);
            }
            // It was asked for something else meanwhile.
            _ => {}
        }
    }

    /// A process is to be restarted for a reason that is no fault of its.
    pub(super) fn on_due(&mut self, id: u32, why: &'static str) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        if row.desired == Desired::Stopped || self.leaving.is_some() {
            return;
        }
        tracing::info!(name = row.spec.name, why, "restarting a process");
        match &row.state {
            State::Online(running) => {
                let uptime = running.uptime_ms();
                row.ledger.on_deliberate_restart(&row.spec.restart, uptime);
                self.terminate(id, AfterStop::Launch, false);
            }
            State::Stopped | State::WaitingRestart { .. } | State::Errored => {
                row.reason = None;
                self.launch(id, true, super::Class::Automatic);
            }
            State::Launching { .. } | State::Stopping { .. } => {}
        }
    }

    /// Begins to watch a run: that it becomes ready, and then that it stays alive.
    pub(super) fn guard_run(&mut self, id: u32) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        let incarnation = row.incarnation;
        let limit = Duration::from_millis(row.spec.listen_timeout_ms);
        let State::Online(running) = &mut row.state else { return };
        let probe = match &row.spec.ready {
            Readiness::Spawned => return self.on_ready(id, incarnation, Ok(())),
            Readiness::Notify => None,
            Readiness::Probe(probe) => Some(probe.clone()),
        };
        running.ready = false;
        let tell = self.tell.clone();
        let task = tokio::spawn(async move {
            let result = match probe {
                Some(probe) => probe::until_ready(&probe, limit).await,
                None => {
                    // `READY=1` comes as a notice and ends this task before it ends by itself.
                    tokio::time::sleep(limit).await;
                    Ok(())
                }
            };
            let _ = tell.send(Message::Ready { id, incarnation, result }).await;
        });
        row.guards.readiness = Some(AbortOnDropHandle::new(task));
        self.publish(id);
    }

    /// A run is ready, or did not become so in time.
    pub(super) fn on_ready(&mut self, id: u32, incarnation: u64, result: Result<(), String>) {
        let Some(row) = self.rows.get_mut(&id).filter(|row| row.incarnation == incarnation) else {
            return;
        };
        let State::Online(running) = &mut row.state else { return };
        match result {
            Ok(()) => {
                let was_ready = std::mem::replace(&mut running.ready, true);
                row.guards.liveness = row.spec.liveness.clone().map(|liveness| {
                    let beat = Arc::clone(&running.beat);
                    keep_alive(id, incarnation, liveness, beat, self.tell.clone())
                });
                row.guards.readiness = None;
                self.starts.done(id);
                if !was_ready {
                    self.publish(id);
                }
                self.begin_to_settle(id);
                self.dispatch();
            }
            Err(reason) => {
                let limit = row.spec.listen_timeout_ms;
                self.on_failing(
                    id,
                    incarnation,
                    &format!("it was not ready after {limit} ms: {reason}"),
                );
            }
        }
    }

    /// A run is of no use any more: it is ended, and the restart policy decides as if it had ended by itself.
    pub(super) fn on_failing(&mut self, id: u32, incarnation: u64, reason: &str) {
        let Some(row) = self.rows.get_mut(&id).filter(|row| row.incarnation == incarnation) else {
            return;
        };
        if !matches!(row.state, State::Online(_)) {
            return;
        }
        tracing::warn!(name = row.spec.name, reason, "ending a process that fails");
        row.reason = Some(reason.to_owned());
        let waiting = row.take_waiters(super::row::Wants::is_start);
        let then = if waiting.is_empty() { AfterStop::Judge } else { AfterStop::Fail };
        for waiter in waiting {
            waiter.ticket.answer_not_ready(&row.spec, reason.to_owned());
        }
        self.terminate(id, then, false);
    }

    /// Looks at the memory of those that have a limit, once a second for as long as there are any.
    pub(super) fn look_at_memory(&mut self) {
        let limited: Vec<Limited> =
            self.rows.values().filter_map(|row| self.limited(row)).collect();
        self.watches_memory = !limited.is_empty();
        if limited.is_empty() {
            return;
        }
        let tell = self.tell.clone();
        tokio::spawn(async move {
            tokio::time::sleep(MEMORY_LOOK).await;
            let look = tokio::task::spawn_blocking(move || memory_watch::look(&limited)).await;
            let exceeded = match look.map_err(std::io::Error::other).and_then(|look| look) {
                Ok(exceeded) => exceeded,
                Err(error) => {
                    tracing::error!(%error, "cannot look at the memory of processes");
                    Vec::new()
                }
            };
            let _ = tell.send(Message::Memory { exceeded }).await;
        });
    }

    fn limited(&self, row: &Row) -> Option<Limited> {
        let limit_bytes = row.spec.max_memory_bytes?;
        let State::Online(running) = &row.state else { return None };
        Some(Limited {
            id: row.id,
            main_pid: running.identity.pid,
            start_ticks: running.identity.start_ticks,
            cgroup: self.group(row.id).map(|group| group.path()),
            limit_bytes,
        })
    }

    pub(super) fn on_memory(&mut self, exceeded: Vec<Exceeded>) {
        for Exceeded { id, used_bytes, limit_bytes } in exceeded {
            let Some(row) = self.rows.get_mut(&id) else { continue };
            tracing::warn!(name = row.spec.name, used_bytes, limit_bytes, "above its memory limit");
            let why = format!(
                "restarted with {used_bytes} bytes of memory (max_memory_restart {limit_bytes})"
            );
            self.on_due(id, "its memory");
            if let Some(row) = self.rows.get_mut(&id) {
                row.reason = Some(why);
            }
        }
        self.look_at_memory();
    }

    /// Turns the watching of its files on or off.
    pub(super) fn set_watch(&mut self, id: u32, on: bool) -> Result<(), EngineError> {
        let Some(row) = self.rows.get(&id) else {
            return Ok(());
        };
        if row.spec.watch.is_some() == on {
            return Ok(());
        }
        let mut spec = (*row.spec).clone();
        spec.watch = on.then(|| WatchFiles {
            paths: vec![spec.cwd.clone()],
            // Hidden files and what others install there, as PM2 has it.
            ignore: vec![r"[/\\]\.|node_modules".to_owned()],
            delay_ms: crate::spec::DEFAULT_WATCH_DELAY_MS,
        });
        let desired = row.desired;
        // Nobody waits for its way to the disk: what was asked for is in the file, and survives us.
        let _ = self.save(id, desired, Some(Arc::new(spec)))?;
        if desired == Desired::Running {
            self.guard(id);
        }
        self.publish(id);
        Ok(())
    }
}

/// Asks a process again and again whether it lives; tells when it does not.
fn keep_alive(
    id: u32,
    incarnation: u64,
    liveness: Liveness,
    beat: Arc<Notify>,
    tell: tokio::sync::mpsc::Sender<Message>,
) -> Guard {
    let interval = Duration::from_millis(liveness.interval_ms);
    let patience = Duration::from_millis(liveness.timeout_ms);
    let mut ledger = LivenessLedger::new(liveness.failures);
    AbortOnDropHandle::new(tokio::spawn(async move {
        loop {
            let answer = match &liveness.probe {
                Some(probe) => {
                    tokio::time::sleep(interval).await;
                    probe::ask(probe, patience).await
                }
                None => timeout(interval, beat.notified()).await.map_err(|_| {
                    format!("it sent no WATCHDOG=1 within {} ms", liveness.interval_ms)
                }),
            };
            if let Health::Dead { reason } = ledger.on_answer(answer) {
                let _ = tell.send(Message::Failing { id, incarnation, reason }).await;
                return;
            }
        }
    }))
}
