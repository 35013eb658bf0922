//! How a process gets from running to rest, or to its next start.

use std::time::Duration;

use super::row::{Row, Running, State, Wants};
use super::view::view;
use super::{Class, Engine, EngineError, Message};
use crate::journal::{Desired, Entry};
use crate::policy::{EndedRun, Verdict};
use crate::process::{AfterStop, Exit};
use crate::record::{Record, Stage};
use crate::spawn::now_ms;

impl Engine {
    pub(super) fn on_ended(&mut self, id: u32, incarnation: u64, exit: Exit) {
        let now = self.now_ms();
        let Some(row) = self.rows.get_mut(&id).filter(|row| row.incarnation == incarnation) else {
            return;
        };
        row.last_exit = Some(exit);
        row.guards.end_run();
        self.starts.done(id);
        let state = std::mem::replace(&mut row.state, State::Stopped);
        self.record_end(id, Some(exit));
        if let State::Stopping { running, .. } | State::Online(running) = &state {
            running.child.bury();
        }
        match state {
            State::Stopping { then, running } => match then {
                AfterStop::Rest => self.rest(id),
                AfterStop::Forget => self.forget(id),
                AfterStop::Launch => {
                    self.answer_ended(id);
                    self.launch(id, true, Class::Asked);
                }
                AfterStop::Judge => self.judge(id, running.uptime_ms(), Some(exit), now),
                AfterStop::Fail => self.fail(id),
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
        let uptime_ms = running.uptime_ms();
        tracing::info!(name = row.spec.name, %exit, uptime_ms, "process ended");
        let settling = row.take_waiters(Wants::is_start);
        if settling.is_empty() {
            row.reason = None;
            return self.judge(id, uptime_ms, Some(exit), now);
        }
        for waiter in settling {
            waiter.ticket.answer_exited_early(&row.spec, exit, uptime_ms);
        }
        row.reason = Some(format!("ended {uptime_ms} ms after its start with {exit}"));
        self.fail(id);
    }

    /// Who asked for it was told that it failed; it is not tried again.
    pub(super) fn fail(&mut self, id: u32) {
        if let Some(row) = self.rows.get_mut(&id) {
            row.state = State::Errored;
            row.guards.end();
        }
        self.desire_stopped(id);
        self.record_present(id);
        self.publish(id);
    }

    /// Has the restart policy decide what follows. No exit: it could not be executed.
    pub(super) fn judge(&mut self, id: u32, uptime_ms: u64, exit: Option<Exit>, now_ms: u64) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        let run = EndedRun { exit, uptime_ms, now_ms, chance: chance() };
        let verdict = row.ledger.on_exit(&row.spec.restart, &run);
        self.follow(id, verdict);
    }

    fn follow(&mut self, id: u32, verdict: Verdict) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        match verdict {
            Verdict::Restart { .. } if self.leaving.is_some() => row.state = State::Stopped,
            // The shortest time that a timer knows is a millisecond.
            Verdict::Restart { delay_ms: 0 } => return self.launch(id, true, Class::Automatic),
            Verdict::Restart { delay_ms } => {
                let due_at = now_ms().saturating_add_unsigned(delay_ms);
                row.state = State::WaitingRestart { due_at };
                let message = Message::RestartDue { id, incarnation: row.incarnation };
                self.send_later(Duration::from_millis(delay_ms), message);
            }
            Verdict::GiveUp { reason } => {
                tracing::warn!(name = row.spec.name, reason, "process is errored");
                // What it failed at says more than how often.
                row.reason = Some(match row.reason.take() {
                    Some(cause) => format!("{cause}; {reason}"),
                    None => reason,
                });
                row.state = State::Errored;
                self.record_present(id);
            }
            Verdict::Rest => {
                row.state = State::Stopped;
                // One with a cron pattern rests until its time comes.
                if row.spec.cron_restart.is_none() {
                    row.guards.end();
                    self.desire_stopped(id);
                }
            }
        }
        self.publish(id);
        self.dispatch();
    }

    pub(super) fn on_restart_due(&mut self, id: u32, incarnation: u64) {
        let due = |row: &Row| {
            row.incarnation == incarnation && matches!(row.state, State::WaitingRestart { .. })
        };
        if self.rows.get(&id).is_some_and(|row| due(row)) && self.leaving.is_none() {
            self.launch(id, true, Class::Automatic);
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
        row.guards.end();
        self.starts.cancel(id);
        self.publish(id);
        self.answer_ended(id);
        self.dispatch();
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
        row.guards.end();
        self.starts.cancel(id);
        self.index.remove(id, &row.spec);
        row.state = State::Stopped;
        let removed = self.journal.append(Entry::Remove { id, incarnation: row.incarnation });
        match row.outlet.take() {
            Some(outlet) => {
                let pulse = row.pulse.clone();
                tokio::spawn(async move {
                    // What it cannot write even now is counted and told in the log.
                    outlet.attachment().forget().await;
                    pulse.end();
                });
            }
            None => row.pulse.end(),
        }
        self.plumbing.run_dir.forget(id);
        if let Err(error) = self.plumbing.records.forget(id) {
            tracing::warn!(%error, name = row.spec.name, "cannot remove a process's record");
        }
        self.plumbing.holder.release(id);
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
        // Its execution writes who it is, and must not be overwritten by somebody who does not know.
        if matches!(row.state, State::Launching { queued: false, .. }) {
            return;
        }
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
        if let Err(error) = self.plumbing.records.write(id, &record) {
            tracing::warn!(%error, name = row.spec.name, "cannot record a process's identity");
        }
    }

    pub(super) fn record_end(&self, id: u32, exit: Option<Exit>) {
        let Some(row) = self.rows.get(&id) else {
            return;
        };
        let errored = matches!(row.state, State::Errored);
        let errored = errored.then(|| row.reason.clone().unwrap_or_default());
        let record = Record {
            incarnation: row.incarnation,
            boot_id: self.boot_id.clone(),
            restarts: row.restarts,
            stage: Stage::Ended { exit, errored },
        };
        if let Err(error) = self.plumbing.records.write(id, &record) {
            tracing::warn!(%error, name = row.spec.name, "cannot record a process's end");
        }
    }
}

/// Chance for the jitter of delays, in `0.0..=1.0`. Without a source of it, none.
fn chance() -> f64 {
    getrandom::u32().map_or(0.0, |random| f64::from(random) / f64::from(u32::MAX))
}
