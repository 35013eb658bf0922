//! How a process gets from one state to the next.

use std::sync::Arc;
use std::time::Duration;

use super::row::{Row, Running, State, Wants};
use super::view::view;
use super::{Engine, EngineError, Message};
use crate::capture::{Capture, Pulse};
use crate::cgroup::Group;
use crate::child::{Child, Watch};
use crate::identity::Identity;
use crate::journal::{Desired, Entry};
use crate::policy::{EndedRun, Verdict};
use crate::process::{AfterStop, Exit};
use crate::record::{self, Record, Stage};
use crate::settle;
use crate::spawn::{self, LaunchPlan, Launched, Mark, SpawnError, Stream, now_ms};
use crate::tree::Tree;

/// What the engine holds of a process that it watches from now on.
pub(super) struct Taken {
    pub(super) identity: Identity,
    pub(super) pidfd: std::os::fd::OwnedFd,
    pub(super) started_at: i64,
    pub(super) adopted: bool,
    /// The control group that it is in.
    pub(super) group: Option<Group>,
    pub(super) streams: Vec<Stream>,
}

impl Engine {
    /// Executes a process that does not run.
    pub(super) fn launch(&mut self, id: u32, again: bool) {
        let group = self.group(id);
        let instance = &self.journal.contents().instance;
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        row.incarnation += 1;
        if again && row.incarnation > 1 {
            row.restarts = row.restarts.saturating_add(1);
        }
        row.state = State::Launching { then: None };
        let plan = LaunchPlan {
            id,
            incarnation: row.incarnation,
            restarts: row.restarts,
            mark: Mark::new(instance, id, row.incarnation),
            spec: row.spec.clone(),
            run_dir: self.run_dir.clone(),
            group,
            boot_id: self.boot_id.clone(),
            census: self.census.clone(),
            open_files: self.open_files,
        };
        let (tell, slots) = (self.tell.clone(), Arc::clone(&self.launch_slots));
        let incarnation = row.incarnation;
        tokio::spawn(async move {
            let _slot = slots.acquire().await;
            let launched = tokio::task::spawn_blocking({
                let plan = plan.clone();
                move || spawn::launch(&plan)
            });
            let result = launched.await.unwrap_or_else(|error| {
                let program = plan.spec.command.first().cloned().unwrap_or_default();
                Err(SpawnError::Program { program, reason: error.to_string() })
            });
            let _ =
                tell.send(Message::Launched { id, incarnation, result: Box::new(result) }).await;
        });
        self.publish(id);
    }

    pub(super) fn on_launched(
        &mut self,
        id: u32,
        incarnation: u64,
        result: Result<Launched, SpawnError>,
    ) {
        let Some(row) = self.rows.get(&id) else {
            return;
        };
        let then = match &row.state {
            State::Launching { then } if row.incarnation == incarnation => *then,
            State::Launching { .. }
            | State::Online(_)
            | State::Stopping { .. }
            | State::Stopped
            | State::WaitingRestart { .. }
            | State::Errored => return,
        };
        match result {
            Ok(launched) => {
                let Launched { identity, pidfd, started_at, streams } = launched;
                let group = self.group(id);
                let taken = Taken { identity, pidfd, started_at, adopted: false, group, streams };
                self.watch(id, taken);
                self.publish(id);
                match then {
                    Some(then) => self.terminate(id, then, false),
                    None => self.begin_to_settle(id),
                }
            }
            Err(error) => self.on_spawn_failed(id, then, &error),
        }
    }

    /// Watches a process, and moves its output, from now on.
    pub(super) fn watch(&mut self, id: u32, taken: Taken) {
        let instance = &self.journal.contents().instance;
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        let incarnation = row.incarnation;
        row.fresh = false;
        self.census.note_main(taken.identity.pid);
        let captures = start_captures(taken.streams, &row.pulse, &row.spec.name);
        let mark = Mark::new(instance, id, incarnation);
        let watch = Watch {
            identity: taken.identity.clone(),
            pidfd: Arc::new(taken.pidfd),
            adopted: taken.adopted,
            tree: Tree::new(taken.identity.clone(), &mark, taken.group, self.census.clone()),
            census: self.census.clone(),
            captures,
        };
        let child: Child = watch.start(self.tell.clone(), move |report| Message::Reported {
            id,
            incarnation,
            report,
        });
        let (started_at, adopted) = (taken.started_at, taken.adopted);
        row.state = State::Online(Running { identity: taken.identity, started_at, adopted, child });
    }

    fn begin_to_settle(&mut self, id: u32) {
        let Some(row) = self.rows.get(&id) else {
            return;
        };
        match row.settle() {
            Some(settle) if settle > Duration::ZERO => {
                let message = Message::Settled { id, incarnation: row.incarnation };
                let State::Online(running) = &row.state else { return };
                let (pid, tell) = (running.identity.pid, self.tell.clone());
                tokio::spawn(async move {
                    settle::until_at_rest(pid, settle).await;
                    // The engine has ended; so has the need.
                    let _ = tell.send(message).await;
                });
            }
            Some(_) | None => self.answer_started(id),
        }
    }

    pub(super) fn on_settled(&mut self, id: u32, incarnation: u64) {
        let online =
            |row: &Row| row.incarnation == incarnation && matches!(row.state, State::Online(_));
        if self.rows.get(&id).is_some_and(online) {
            self.answer_started(id);
        }
    }

    fn answer_started(&mut self, id: u32) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        let started = row.take_waiters(|wants| matches!(wants, Wants::Started { .. }));
        for waiter in started {
            waiter.ticket.answer(Ok(view(row)));
        }
    }

    fn on_spawn_failed(&mut self, id: u32, then: Option<AfterStop>, error: &SpawnError) {
        let now = self.now_ms();
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        let name = row.spec.name.clone();
        let waiting = row.take_waiters(|wants| matches!(wants, Wants::Started { .. }));
        let was_asked = !waiting.is_empty();
        for waiter in waiting {
            let error = error.clone();
            waiter.ticket.answer(Err(EngineError::Spawn { name: name.clone(), error }));
        }
        row.reason = Some(error.to_string());
        if row.fresh || then == Some(AfterStop::Forget) {
            return self.forget(id);
        }
        self.record_end(id, None);
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        if then == Some(AfterStop::Rest) {
            return self.rest(id);
        }
        if was_asked {
            row.state = State::Errored;
            self.desire_stopped(id);
            return self.publish(id);
        }
        let run = EndedRun { exit: None, uptime_ms: 0, now_ms: now, chance: chance() };
        let verdict = row.ledger.on_exit(&row.spec.restart, &run);
        self.follow(id, verdict);
    }

    pub(super) fn on_ended(&mut self, id: u32, incarnation: u64, exit: Exit) {
        let now = self.now_ms();
        let Some(row) = self.rows.get_mut(&id).filter(|row| row.incarnation == incarnation) else {
            return;
        };
        row.last_exit = Some(exit);
        let state = std::mem::replace(&mut row.state, State::Stopped);
        self.record_end(id, Some(exit));
        match state {
            State::Stopping { then, .. } => match then {
                AfterStop::Rest => self.rest(id),
                AfterStop::Forget => self.forget(id),
                AfterStop::Launch => {
                    self.answer_ended(id);
                    self.launch(id, true);
                }
            },
            State::Online(running) => self.on_own_end(id, &running, exit, now),
            other @ (State::Launching { .. }
            | State::Stopped
            | State::WaitingRestart { .. }
            | State::Errored) => {
                if let Some(row) = self.rows.get_mut(&id) {
                    row.state = other;
                }
            }
        }
    }

    /// It ended without having been told to.
    fn on_own_end(&mut self, id: u32, running: &Running, exit: Exit, now: u64) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        let uptime_ms = u64::try_from(now_ms().saturating_sub(running.started_at)).unwrap_or(0);
        tracing::info!(name = row.spec.name, %exit, uptime_ms, "process ended");
        let settling = row.take_waiters(|wants| matches!(wants, Wants::Started { .. }));
        if !settling.is_empty() {
            for waiter in settling {
                waiter.ticket.answer_exited_early(&row.spec, exit, uptime_ms);
            }
            row.reason = Some(format!("ended {uptime_ms} ms after its start with {exit}"));
            row.state = State::Errored;
            self.desire_stopped(id);
            return self.publish(id);
        }
        let run = EndedRun { exit: Some(exit), uptime_ms, now_ms: now, chance: chance() };
        let verdict = row.ledger.on_exit(&row.spec.restart, &run);
        self.follow(id, verdict);
    }

    fn follow(&mut self, id: u32, verdict: Verdict) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        match verdict {
            Verdict::Restart { .. } if self.leaving.is_some() => row.state = State::Stopped,
            Verdict::Restart { delay_ms } => {
                let due_at = now_ms().saturating_add_unsigned(delay_ms);
                row.state = State::WaitingRestart { due_at };
                let message = Message::RestartDue { id, incarnation: row.incarnation };
                self.send_later(Duration::from_millis(delay_ms), message);
            }
            Verdict::GiveUp { reason } => {
                tracing::warn!(name = row.spec.name, reason, "process is errored");
                row.reason = Some(reason);
                row.state = State::Errored;
            }
            Verdict::Rest => {
                row.state = State::Stopped;
                self.desire_stopped(id);
            }
        }
        self.publish(id);
    }

    pub(super) fn on_restart_due(&mut self, id: u32, incarnation: u64) {
        let due = |row: &Row| {
            row.incarnation == incarnation && matches!(row.state, State::WaitingRestart { .. })
        };
        if self.rows.get(&id).is_some_and(due) && self.leaving.is_none() {
            self.launch(id, true);
        }
    }

    pub(super) fn on_stuck(&mut self, id: u32, incarnation: u64) {
        let Some(row) = self.rows.get_mut(&id).filter(|row| row.incarnation == incarnation) else {
            return;
        };
        let name = row.spec.name.clone();
        row.reason = Some("it did not end in spite of SIGKILL".to_owned());
        for waiter in row.take_waiters(|_| true) {
            waiter.ticket.answer(Err(EngineError::StopFailed { name: name.clone() }));
        }
        self.publish(id);
        // It keeps nobody from leaving.
        for reply in self.leaving.iter_mut().flat_map(std::mem::take) {
            let _ = reply.send(());
        }
    }

    /// Nothing of it lives, and it is to stay so.
    pub(super) fn rest(&mut self, id: u32) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        row.state = State::Stopped;
        self.publish(id);
        self.answer_ended(id);
    }

    fn answer_ended(&mut self, id: u32) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        for waiter in row.take_waiters(|wants| matches!(wants, Wants::Ended)) {
            waiter.ticket.answer(Ok(view(row)));
        }
    }

    /// Drops every trace of it but its log files. Nothing of it lives.
    pub(super) fn forget(&mut self, id: u32) {
        let Some(mut row) = self.rows.remove(&id) else {
            return;
        };
        self.index.remove(id, &row.spec);
        row.state = State::Stopped;
        let removed = self.journal.append(Entry::Remove { id, incarnation: row.incarnation });
        self.run_dir.forget(id);
        if let Some(group) = self.group(id) {
            group.remove();
        }
        self.publish_gone(&row);
        let (mut durable, failed) = match removed {
            Ok(durable) => (Some(durable), None),
            Err(error) => (None, Some(super::requests::not_saved(&row.spec.name, &error))),
        };
        for mut waiter in row.take_waiters(|_| true) {
            waiter.ticket.after(durable.take());
            waiter.ticket.answer(match &failed {
                Some(error) => Err(error.clone()),
                None => Ok(view(&row)),
            });
        }
    }

    /// Notes that nobody asks for it any more. No caller waits for this, hence only a log line on failure.
    pub(super) fn desire_stopped(&mut self, id: u32) {
        if let Err(error) = self.save(id, Desired::Stopped, None) {
            tracing::error!(%error, "a change is not saved");
        }
    }

    /// Writes down who runs, anew.
    pub(super) fn record_present(&self, id: u32) {
        let Some(row) = self.rows.get(&id) else { return };
        let Some(running) = row.running() else {
            return self.record_end(id, row.last_exit);
        };
        let record = Record {
            incarnation: row.incarnation,
            boot_id: self.boot_id.clone(),
            restarts: row.restarts,
            stage: Stage::Spawned {
                identity: running.identity.clone(),
                started_at: running.started_at,
            },
        };
        if let Err(error) = record::write(&self.run_dir.record(id), &record) {
            tracing::warn!(%error, name = row.spec.name, "cannot record a process's identity");
        }
    }

    fn record_end(&self, id: u32, exit: Option<Exit>) {
        let Some(row) = self.rows.get(&id) else {
            return;
        };
        let record = Record {
            incarnation: row.incarnation,
            boot_id: self.boot_id.clone(),
            restarts: row.restarts,
            stage: Stage::Ended { exit },
        };
        if let Err(error) = record::write(&self.run_dir.record(id), &record) {
            tracing::warn!(%error, name = row.spec.name, "cannot record a process's end");
        }
    }
}

fn start_captures(streams: Vec<Stream>, pulse: &Pulse, name: &str) -> Vec<Capture> {
    let started = streams.into_iter().filter_map(|stream| {
        match Capture::start(stream.fifo, stream.sink, pulse.clone()) {
            Ok(capture) => Some(capture),
            Err(error) => {
                tracing::error!(%error, name, "cannot capture a process's output");
                None
            }
        }
    });
    started.collect()
}

/// Chance for the jitter of delays, in `0.0..=1.0`. Without a source of it, none.
fn chance() -> f64 {
    getrandom::u32().map_or(0.0, |random| f64::from(random) / f64::from(u32::MAX))
}
