//! What callers ask, admitted or refused.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::handle::Request;
use super::index::log_taken;
use super::row::{Row, State, Ticket, Waiter, Wants};
use super::view::{list_row, masked_env, unmask, view};
use super::{Class, Creation, Engine, EngineError, Watched};
use crate::child::Order;
use crate::journal::{Desired, Durable, Entry};
use crate::process::{Admission, AfterStop, Phase, Verb, admit};
use crate::spawn;
use crate::spec::ProcessSpec;
use crate::wire::WhenRunning;

/// The grace between the polite signal and SIGKILL when force is asked for.
const FORCE_GRACE: Duration = Duration::from_millis(200);

impl Engine {
    pub(super) fn take_request(&mut self, request: Request) {
        // Who asked may have gone meanwhile; answers to nobody are dropped throughout.
        match request {
            Request::Count { reply } => {
                let _ = reply.send(self.rows.len());
            }
            Request::List { reply } => {
                let _ = reply.send(self.views());
            }
            Request::Rows { reply } => {
                let _ = reply.send(self.rows.values().map(|row| list_row(row)).collect());
            }
            Request::Get { target, reply } => {
                let _ = reply.send(self.found(&target).map(view));
            }
            Request::Specs { target, reply } => {
                let _ = reply.send(self.masked_specs(target.as_ref()));
            }
            Request::Env { target, reply } => {
                let _ = reply.send(self.found(&target).map(masked_env).unwrap_or_default());
            }
            Request::Watch { reply } => {
                let _ = reply.send(Watched { now: self.views(), changes: self.events.subscribe() });
            }
            Request::Logs { target, reply } => {
                let _ = reply.send(self.found(&target).map(Row::log_source));
            }
            Request::StopAll { reply } => self.stop_all(reply),
            Request::Create { ticket, .. } | Request::Act { ticket, .. }
                if self.leaving.is_some() =>
            {
                ticket.answer(Err(EngineError::ShuttingDown));
            }
            Request::Create { spec, how, ticket } => self.create(spec, how, ticket),
            Request::Act { target, verb, spec, settle, ticket } => match self.find(&target) {
                Ok(id) => self.act(id, verb, spec, settle, ticket),
                Err(error) => ticket.answer(Err(error)),
            },
            Request::Edit { target, edit, reply } => match self.find(&target) {
                Ok(id) => self.edit(id, edit, reply),
                Err(error) => {
                    let _ = reply.send(Err(error));
                }
            },
        }
    }

    fn create(&mut self, mut spec: Arc<ProcessSpec>, how: Creation, mut ticket: Ticket) {
        if how.always_new {
            let instance = self.index.free_instance(&spec.name);
            Arc::make_mut(&mut spec).instance = instance;
        } else if let Some(id) = self.index.exact(&spec.name, spec.instance) {
            return self.create_again(id, spec, how, ticket);
        }
        let checked = self.check(&spec, None);
        let checked = checked.and_then(|()| if how.start { preflight(&spec) } else { Ok(()) });
        if let Err(error) = checked {
            return ticket.answer(Err(error));
        }
        let contents = self.journal.contents();
        let (id, incarnation) = (contents.next_id, contents.used_incarnations);
        let desired = if how.start { Desired::Running } else { Desired::Stopped };
        let name = spec.name.clone();
        let spec = match self.journal.put(id, spec, desired, incarnation) {
            Ok((spec, durable)) => {
                ticket.after(Some(durable));
                spec
            }
            Err(error) => return ticket.answer(Err(not_saved(&name, &error))),
        };
        self.index.insert(id, &spec);
        let mut row = Row::new(id, spec, desired);
        row.incarnation = incarnation;
        row.fresh = how.start;
        if how.start {
            row.waiters.push(Waiter { wants: Wants::Started { settle: how.settle }, ticket });
            self.rows.insert(id, Box::new(row));
            self.launch(id, false, Class::Asked);
        } else {
            let created = view(&row);
            self.rows.insert(id, Box::new(row));
            self.publish(id);
            ticket.answer(Ok(created));
        }
    }

    /// There is one of this name and instance already.
    fn create_again(&mut self, id: u32, spec: Arc<ProcessSpec>, how: Creation, mut ticket: Ticket) {
        let Some(row) = self.rows.get(&id) else {
            return;
        };
        if !how.start {
            let (checked, desired) = (self.check(&spec, Some(row)), row.desired);
            let saved = checked.and_then(|()| self.save(id, desired, Some(spec)));
            return match (saved, self.rows.get(&id)) {
                (Ok(durable), Some(row)) => {
                    ticket.after(durable);
                    ticket.answer(Ok(view(row)));
                }
                (Err(error), _) => ticket.answer(Err(error)),
                (Ok(_), None) => {}
            };
        }
        match (row.phase(), how.running) {
            (Phase::Online | Phase::Launching, WhenRunning::Keep) => ticket.answer(Ok(view(row))),
            // What rests is not restarted but started, which does not count as a restart.
            (Phase::Stopped | Phase::Errored, _) => {
                self.act(id, Verb::Start, Some(spec), how.settle, ticket);
            }
            (_, WhenRunning::Restart) => {
                self.act(id, Verb::Restart, Some(spec), how.settle, ticket);
            }
            (_, WhenRunning::Refuse | WhenRunning::Keep) => {
                self.act(id, Verb::Start, Some(spec), how.settle, ticket);
            }
        }
    }

    fn act(
        &mut self,
        id: u32,
        verb: Verb,
        spec: Option<Arc<ProcessSpec>>,
        settle: Duration,
        mut ticket: Ticket,
    ) {
        let Some(row) = self.rows.get(&id) else {
            return;
        };
        let admission = admit(row.phase(), row.then(), verb);
        let admitted = self.admitted(id, admission, spec.as_deref());
        if let Err(error) = admitted {
            return ticket.answer(Err(error));
        }
        let desired = match verb {
            Verb::Start | Verb::Restart | Verb::ForceRestart => Desired::Running,
            Verb::Stop | Verb::ForceStop | Verb::Delete => Desired::Stopped,
        };
        match self.save(id, desired, spec) {
            Ok(durable) => ticket.after(durable),
            Err(error) => return ticket.answer(Err(error)),
        }
        let wants = match verb {
            Verb::Start | Verb::Restart | Verb::ForceRestart => Wants::Started { settle },
            Verb::Stop | Verb::ForceStop | Verb::Delete => Wants::Ended,
        };
        self.supersede(id, wants);
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        if matches!(verb, Verb::Start | Verb::Restart | Verb::ForceRestart) {
            // Somebody asked: what went wrong before does not count any more.
            row.ledger = crate::policy::RestartLedger::default();
            row.reason = None;
            row.created_at = spawn::now_ms();
        }
        row.waiters.push(Waiter { wants, ticket });
        match admission {
            Admission::Launch => {
                let again = matches!(verb, Verb::Restart | Verb::ForceRestart);
                self.launch(id, again, Class::Asked);
            }
            Admission::Terminate { then, force } => self.terminate(id, then, force),
            Admission::Redirect { then, force } => self.redirect(id, then, force),
            Admission::Rest => self.rest(id),
            Admission::Forget => self.forget(id),
            Admission::AlreadyRunning | Admission::Busy(_) => {}
        }
    }

    /// Everything that can refuse a request, before it has any effect.
    fn admitted(
        &self,
        id: u32,
        admission: Admission,
        spec: Option<&ProcessSpec>,
    ) -> Result<(), EngineError> {
        let Some(row) = self.rows.get(&id) else {
            return Ok(());
        };
        let name = row.spec.name.clone();
        match admission {
            Admission::AlreadyRunning => return Err(EngineError::AlreadyRunning { name }),
            Admission::Busy(why) => return Err(EngineError::Busy { name, why }),
            Admission::Launch
            | Admission::Terminate { .. }
            | Admission::Redirect { .. }
            | Admission::Rest
            | Admission::Forget => {}
        }
        if let Some(spec) = spec {
            self.check(spec, Some(row))?;
        }
        let starts = match admission {
            Admission::Launch => true,
            Admission::Terminate { then, .. } | Admission::Redirect { then, .. } => {
                then == AfterStop::Launch
            }
            Admission::Rest
            | Admission::Forget
            | Admission::AlreadyRunning
            | Admission::Busy(_) => false,
        };
        if starts { preflight(spec.unwrap_or(&row.spec)) } else { Ok(()) }
    }

    fn check(&self, spec: &ProcessSpec, row: Option<&Row>) -> Result<(), EngineError> {
        spec.validate()?;
        if let Some(row) = row
            && (row.spec.name != spec.name || row.spec.instance != spec.instance)
        {
            let (name, given) = (row.spec.name.clone(), spec.name.clone());
            return Err(EngineError::OtherName { name, given });
        }
        if let Some((path, owner)) = self.index.taken(row.map(|row| row.id), spec) {
            let owner = self.rows.get(&owner).map_or("?", |row| &row.spec.name);
            return Err(log_taken(path, owner));
        }
        Ok(())
    }

    /// Writes down what is meant, where that is news.
    pub(super) fn save(
        &mut self,
        id: u32,
        desired: Desired,
        spec: Option<Arc<ProcessSpec>>,
    ) -> Result<Option<Durable>, EngineError> {
        let Some(row) = self.rows.get_mut(&id) else {
            return Ok(None);
        };
        let incarnation = row.incarnation;
        let not_saved = |name: &str| {
            let name = name.to_owned();
            move |error: io::Error| not_saved(&name, &error)
        };
        if let Some(mut spec) = spec {
            unmask(Arc::make_mut(&mut spec), &row.spec);
            if *spec != *row.spec {
                let saved = self.journal.put(id, spec, desired, incarnation);
                let (spec, durable) = saved.map_err(not_saved(&row.spec.name))?;
                self.index.replace(id, &row.spec, &spec);
                row.spec = spec;
                row.desired = desired;
                return Ok(Some(durable));
            }
        }
        if desired == row.desired {
            return Ok(None);
        }
        let saved = self.journal.append(Entry::Desire { id, desired, incarnation });
        let durable = saved.map_err(not_saved(&row.spec.name))?;
        row.desired = desired;
        Ok(Some(durable))
    }

    /// Tells those whose wish is overruled by a new one.
    fn supersede(&mut self, id: u32, by: Wants) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        let name = row.spec.name.clone();
        let is_start = |wants: &Wants| matches!(wants, Wants::Started { .. });
        let overruled = match (by, &row.state) {
            // A start that comes on top of a restart shares its end.
            (Wants::Started { .. }, State::Stopping { .. } | State::Launching { .. }) => Vec::new(),
            (Wants::Started { .. } | Wants::Ended, _) => row.take_waiters(is_start),
        };
        for waiter in overruled {
            waiter.ticket.answer(Err(EngineError::Superseded { name: name.clone() }));
        }
    }

    /// Tells a running tree to end.
    pub(super) fn terminate(&mut self, id: u32, then: AfterStop, force: bool) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        let state = std::mem::replace(&mut row.state, State::Stopped);
        let running = match state {
            State::Online(running) | State::Stopping { running, .. } => running,
            other @ (State::Launching { .. }
            | State::Stopped
            | State::WaitingRestart { .. }
            | State::Errored) => {
                row.state = other;
                return;
            }
        };
        let timeout =
            if force { FORCE_GRACE.min(row.spec.kill_timeout()) } else { row.spec.kill_timeout() };
        running.child.order(termination(&row.spec, timeout));
        row.state = State::Stopping { running, then };
        self.publish(id);
    }

    fn redirect(&mut self, id: u32, new: AfterStop, force: bool) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        match &mut row.state {
            State::Launching { queued: true, .. } => {
                // Its turn has not come, so there is nothing to end.
                self.starts.cancel(id);
                row.incarnation -= 1;
                row.state = State::Stopped;
                match new {
                    AfterStop::Forget => self.forget(id),
                    AfterStop::Launch => self.launch(id, false, Class::Asked),
                    AfterStop::Rest | AfterStop::Judge | AfterStop::Fail => self.rest(id),
                }
            }
            State::Launching { then, .. } => *then = Some(new),
            State::Stopping { then, running } => {
                *then = new;
                if force {
                    running.child.order(termination(&row.spec, FORCE_GRACE));
                }
            }
            State::Online(_) | State::Stopped | State::WaitingRestart { .. } | State::Errored => {}
        }
    }

    fn stop_all(&mut self, reply: tokio::sync::oneshot::Sender<()>) {
        self.leaving.get_or_insert_default().push(reply);
        let ids: Vec<u32> = self.rows.keys().copied().collect();
        for id in ids {
            let Some(row) = self.rows.get_mut(&id) else {
                continue;
            };
            match &mut row.state {
                State::Online(_) => self.terminate(id, AfterStop::Rest, false),
                State::Launching { .. } => self.redirect(id, AfterStop::Rest, false),
                State::Stopping { then, .. } => *then = AfterStop::Rest,
                State::WaitingRestart { .. } => self.rest(id),
                State::Stopped | State::Errored => {}
            }
        }
    }
}

fn termination(spec: &ProcessSpec, timeout: Duration) -> Order {
    Order::Terminate { signal: spec.kill_signal.into(), timeout, main_only: !spec.treekill }
}

/// Looks for the mistakes that would make the execution fail, while nothing has happened yet.
fn preflight(spec: &ProcessSpec) -> Result<(), EngineError> {
    match spawn::resolve(spec) {
        Ok(_) => Ok(()),
        Err(error) => Err(EngineError::Spawn { name: spec.name.clone(), error }),
    }
}

pub(super) fn not_saved(name: &str, error: &io::Error) -> EngineError {
    EngineError::NotSaved { name: name.to_owned(), reason: error.to_string() }
}
