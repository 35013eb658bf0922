//! How a process gets from rest to running.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::row::{Row, Running, State, Wants};
use super::view::view;
use super::{Class, Engine, EngineError, Message};
use crate::budget::Next;
use crate::cgroup::Group;
use crate::child::{Child, Watch};
use crate::identity::Identity;
use crate::process::AfterStop;
use crate::settle;
use crate::spawn::{self, LaunchPlan, Launched, Mark, SpawnError};
use crate::tree::Tree;

/// How long a launch waits for those that are being executed, of which there are as many as processors: more would only be in
/// each other's way.
const QUEUE_PATIENCE: Duration = Duration::from_millis(100);

/// What the engine holds of a process that it watches from now on.
pub(super) struct Taken {
    pub(super) identity: Identity,
    pub(super) pidfd: std::os::fd::OwnedFd,
    pub(super) started_at: i64,
    pub(super) adopted: bool,
    /// The control group that it is in.
    pub(super) group: Option<Group>,
}

impl Engine {
    /// Has a process that does not run executed, when its turn comes.
    pub(super) fn launch(&mut self, id: u32, again: bool, class: Class) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        row.incarnation += 1;
        if again && row.incarnation > 1 {
            row.restarts = row.restarts.saturating_add(1);
        }
        row.state = State::Launching { then: None, queued: true };
        self.starts.request(id, class);
        self.guard(id);
        self.publish(id);
        self.dispatch();
    }

    /// Executes those whose turn it is.
    pub(super) fn dispatch(&mut self) {
        loop {
            match self.starts.next(self.now_ms()) {
                Next::Start(ids) => ids.into_iter().for_each(|id| self.execute(id)),
                Next::Wait { until_ms } => {
                    if self.next_dispatch_ms.is_none_or(|at| at > until_ms) {
                        self.next_dispatch_ms = Some(until_ms);
                        let delay = Duration::from_millis(until_ms.saturating_sub(self.now_ms()));
                        self.send_later(delay, Message::Dispatch);
                    }
                    return;
                }
                Next::Idle => return,
            }
        }
    }

    fn execute(&mut self, id: u32) {
        let group = self.group(id);
        let instance = &self.journal.contents().instance;
        let Some(row) = self.rows.get_mut(&id) else {
            return self.starts.done(id);
        };
        if let State::Launching { queued, .. } = &mut row.state {
            *queued = false;
        }
        let plan = LaunchPlan {
            id,
            incarnation: row.incarnation,
            restarts: row.restarts,
            mark: Mark::new(instance, id, row.incarnation),
            spec: row.spec.clone(),
            plumbing: self.plumbing.clone(),
            outlet: row.outlet.clone(),
            pulse: row.pulse.clone(),
            group,
            boot_id: self.boot_id.clone(),
            census: self.census.clone(),
            open_files: self.open_files,
            lock: self.lock.clone(),
        };
        let (tell, incarnation) = (self.tell.clone(), row.incarnation);
        self.started.notify_one();
        let places = Arc::clone(&self.launch_places);
        tokio::spawn(async move {
            // Without a place it goes on nevertheless: what hangs on its disk must not keep others from theirs.
            let place = timeout(QUEUE_PATIENCE, places.acquire_owned()).await;
            let launched = tokio::task::spawn_blocking(move || spawn::launch(&plan)).await;
            drop(place);
            // Cancelled only with the runtime, and then nobody is told.
            let Ok(result) = launched.map(Box::new) else { return };
            // The engine has ended; its successor finds the process.
            let _ = tell.send(Message::Launched { id, incarnation, result }).await;
        });
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
            State::Launching { then, .. } if row.incarnation == incarnation => *then,
            State::Launching { .. }
            | State::Online(_)
            | State::Stopping { .. }
            | State::Stopped
            | State::WaitingRestart { .. }
            | State::Errored => return,
        };
        match result {
            Ok(launched) => {
                let Launched { identity, pidfd, started_at, outlet } = launched;
                let group = self.group(id);
                let taken = Taken { identity, pidfd, started_at, adopted: false, group };
                if let Some(row) = self.rows.get_mut(&id) {
                    row.outlet = Some(outlet);
                }
                self.watch(id, taken);
                self.publish(id);
                match then {
                    Some(then) => self.terminate(id, then, false),
                    None => self.guard_run(id),
                }
                self.hear_early_notices();
            }
            Err(error) => {
                self.starts.done(id);
                self.on_spawn_failed(id, then, &error);
            }
        }
        self.dispatch();
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
        let mark = Mark::new(instance, id, incarnation);
        let watch = Watch {
            identity: taken.identity.clone(),
            pidfd: Arc::new(taken.pidfd),
            adopted: taken.adopted,
            tree: Tree::new(taken.identity.clone(), &mark, taken.group, self.census.clone()),
            census: self.census.clone(),
            outlet: row.outlet.clone(),
        };
        let child: Child = watch.start(self.tell.clone(), move |report| Message::Reported {
            id,
            incarnation,
            report,
        });
        let (started_at, adopted) = (taken.started_at, taken.adopted);
        row.state = State::Online(Running {
            identity: taken.identity,
            started_at,
            adopted,
            child,
            ready: true,
            beat: Arc::default(),
            status: None,
        });
        if row.spec.max_memory_bytes.is_some() && !self.watches_memory {
            self.look_at_memory();
        }
    }

    pub(super) fn begin_to_settle(&mut self, id: u32) {
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
        if self.rows.get(&id).is_some_and(|row| online(row)) {
            self.answer_started(id);
        }
    }

    fn answer_started(&mut self, id: u32) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        let started = row.take_waiters(Wants::is_start);
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
        let waiting = row.take_waiters(Wants::is_start);
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
        match (then, was_asked) {
            (Some(AfterStop::Rest), _) => self.rest(id),
            (_, true) => self.fail(id),
            (_, false) => self.judge(id, 0, None, now),
        }
    }
}
