//! One line of the engine's table.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use super::guards::Guards;
use super::{EngineError, LogSource};
use crate::child::Child;
use crate::identity::Identity;
use crate::journal::{Desired, Durable};
use crate::outlet::Outlet;
use crate::policy::RestartLedger;
use crate::process::{AfterStop, Exit, Phase};
use crate::pulse::Pulse;
use crate::spawn::now_ms;
use crate::spec::ProcessSpec;
use crate::tail;
use crate::wire::ProcessView;

/// A process as the engine knows it.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: u32,
    pub(super) spec: Arc<ProcessSpec>,
    pub(super) desired: Desired,
    pub(super) incarnation: u64,
    pub(super) restarts: u32,
    pub(super) ledger: RestartLedger,
    pub(super) state: State,
    pub(super) last_exit: Option<Exit>,
    pub(super) reason: Option<String>,
    /// Outlives runs, so that who follows the output keeps following.
    pub(super) pulse: Pulse,
    /// Where its output goes, from its first run on.
    pub(super) outlet: Option<Arc<Outlet>>,
    pub(super) waiters: Vec<Waiter>,
    pub(super) guards: Guards,
    /// When it was created or last started by request, in Unix milliseconds.
    pub(super) created_at: i64,
    /// Never ran yet: if it cannot be executed, it is as if it had never been asked for.
    pub(super) fresh: bool,
}

/// What a process is doing, with what is only known then.
#[derive(Debug)]
pub(super) enum State {
    Launching {
        /// Requests that arrived meanwhile may want it ended as soon as it runs.
        then: Option<AfterStop>,
        /// Whether its turn has not come yet.
        queued: bool,
    },
    Online(Running),
    Stopping {
        running: Running,
        then: AfterStop,
    },
    Stopped,
    WaitingRestart {
        /// Unix milliseconds.
        due_at: i64,
    },
    Errored,
}

/// A main process that lives, or whose tree does.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) identity: Identity,
    /// Unix milliseconds.
    pub(super) started_at: i64,
    pub(super) adopted: bool,
    pub(super) child: Child,
    /// Whether it has shown that it is ready, where that is asked for.
    pub(super) ready: bool,
    /// Its signs of life.
    pub(super) beat: Arc<Notify>,
    /// What it says of itself (`STATUS=`).
    pub(super) status: Option<String>,
}

impl Running {
    pub(super) fn uptime_ms(&self) -> u64 {
        self.identity.age_ms()
    }
}

/// Somebody who wants to know when a state is reached.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) wants: Wants,
    pub(super) ticket: Ticket,
}

/// Which state somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    /// That it runs, and still does so when it has come to rest or this time is over.
    Started { settle: Duration },
    /// That no process of its tree lives.
    Ended,
}

impl Wants {
    pub(super) fn is_start(&self) -> bool {
        matches!(self, Self::Started { .. })
    }
}

impl Row {
    pub(super) fn new(id: u32, spec: Arc<ProcessSpec>, desired: Desired) -> Self {
        Self {
            id,
            spec,
            desired,
            incarnation: 0,
            restarts: 0,
            ledger: RestartLedger::default(),
            state: State::Stopped,
            last_exit: None,
            reason: None,
            pulse: Pulse::default(),
            outlet: None,
            waiters: Vec::new(),
            guards: Guards::default(),
            created_at: now_ms(),
            fresh: false,
        }
    }

    /// Whether its description says that it is not started again after the way that it ended.
    pub(super) fn is_not_restarted(&self) -> bool {
        let policy = &self.spec.restart;
        let stops = matches!(self.last_exit, Some(Exit::Code(code)) if policy.stop_exit_codes.contains(&code));
        !policy.autorestart || stops
    }

    /// Where its output is.
    pub(super) fn log_source(&self) -> LogSource {
        LogSource { spec: Arc::clone(&self.spec), pulse: self.pulse.listen() }
    }

    pub(super) fn phase(&self) -> Phase {
        match &self.state {
            State::Launching { .. } => Phase::Launching,
            State::Online(_) => Phase::Online,
            State::Stopping { .. } => Phase::Stopping,
            State::Stopped => Phase::Stopped,
            State::WaitingRestart { .. } => Phase::WaitingRestart,
            State::Errored => Phase::Errored,
        }
    }

    /// As it is shown: what runs but is not ready yet is still being launched.
    pub(super) fn shown_phase(&self) -> Phase {
        match &self.state {
            State::Online(running) if !running.ready => Phase::Launching,
            _ => self.phase(),
        }
    }

    /// What follows the end that is under way.
    pub(super) fn then(&self) -> Option<AfterStop> {
        match &self.state {
            State::Launching { then, .. } => *then,
            State::Stopping { then, .. } => Some(*then),
            State::Online(_) | State::Stopped | State::WaitingRestart { .. } | State::Errored => {
                None
            }
        }
    }

    pub(super) fn running(&self) -> Option<&Running> {
        match &self.state {
            State::Online(running) | State::Stopping { running, .. } => Some(running),
            State::Launching { .. }
            | State::Stopped
            | State::WaitingRestart { .. }
            | State::Errored => None,
        }
    }

    /// Whether no process of it lives or is about to.
    pub(super) fn is_at_rest(&self) -> bool {
        self.running().is_none() && !matches!(self.state, State::Launching { .. })
    }

    /// The waiters for whom `chosen` holds; they are on the row no longer.
    pub(super) fn take_waiters(&mut self, chosen: impl Fn(&Wants) -> bool) -> Vec<Waiter> {
        let (taken, left) =
            std::mem::take(&mut self.waiters).into_iter().partition(|w| chosen(&w.wants));
        self.waiters = left;
        taken
    }

    /// The longest time that anybody gives it to come to rest before it counts as started.
    pub(super) fn settle(&self) -> Option<Duration> {
        let settles = self.waiters.iter().filter_map(|waiter| match waiter.wants {
            Wants::Started { settle } => Some(settle),
            Wants::Ended => None,
        });
        settles.max()
    }
}

/// A request's answer, owed exactly once.
#[derive(Debug)]
pub(super) struct Ticket {
    reply: oneshot::Sender<Result<ProcessView, EngineError>>,
    /// Changes that must be on the disk before success is reported.
    durable: Vec<Durable>,
}

impl Ticket {
    pub(super) fn new(reply: oneshot::Sender<Result<ProcessView, EngineError>>) -> Self {
        Self { reply, durable: Vec::new() }
    }

    /// Holds the answer back until this is on the disk too.
    pub(super) fn after(&mut self, durable: Option<Durable>) {
        self.durable.extend(durable);
    }

    /// Answers, as soon as what was changed is durable. Who asked may have gone; that is fine.
    pub(super) fn answer(self, result: Result<ProcessView, EngineError>) {
        if self.durable.is_empty() || result.is_err() {
            let _ = self.reply.send(result);
            return;
        }
        tokio::spawn(async move {
            for durable in self.durable {
                if let (Err(reason), Ok(view)) = (durable.wait().await, &result) {
                    let name = view.name.clone();
                    let _ = self.reply.send(Err(EngineError::NotSaved { name, reason }));
                    return;
                }
            }
            let _ = self.reply.send(result);
        });
    }

    /// Answers that the process did not become ready, with the last lines of its output.
    pub(super) fn answer_not_ready(self, spec: &ProcessSpec, reason: String) {
        let spec = Box::new(spec.clone());
        tokio::spawn(async move {
            let name = spec.name.clone();
            let log_tail = tail::last_words(spec).await;
            let _ = self.reply.send(Err(EngineError::NotReady { name, reason, log_tail }));
        });
    }

    /// Answers that the process ended early, with the last lines of its output.
    pub(super) fn answer_exited_early(self, spec: &ProcessSpec, exit: Exit, uptime_ms: u64) {
        let spec = Box::new(spec.clone());
        tokio::spawn(async move {
            let name = spec.name.clone();
            let log_tail = tail::last_words(spec).await;
            let early = EngineError::ExitedEarly { name, exit, uptime_ms, log_tail };
            let _ = self.reply.send(Err(early));
        });
    }
}
