//! What callers ask, admitted or refused.

use std::time::Duration;

use super::row::{Row, State, Ticket, Waiter, Wants};
use super::view::{masked_env, view};
use super::{Engine, EngineError, LogSource, Request, Watched};
use crate::child::Order;
use crate::journal::{Desired, Durable, Entry};
use crate::process::{Admission, AfterStop, Verb, admit};
use crate::spawn;
use crate::spec::{InvalidSpec, ProcessSpec};

/// The grace between the polite signal and SIGKILL when force is asked for.
const FORCE_GRACE: Duration = Duration::from_millis(200);

impl Engine {
    pub(super) fn take_request(&mut self, request: Request) {
        // Who asked may have gone meanwhile; answers to nobody are dropped throughout.
        match request {
            Request::List { reply } => {
                let _ = reply.send(self.views());
            }
            Request::Get { target, reply } => {
                let found = self.find(&target).ok().and_then(|id| self.rows.get(&id)).map(view);
                let _ = reply.send(found.ok_or(EngineError::Unknown { target }));
            }
            Request::Env { target, reply } => {
                let row = self.find(&target).ok().and_then(|id| self.rows.get(&id));
                let _ = reply.send(row.map(masked_env).unwrap_or_default());
            }
            Request::Watch { reply } => {
                let _ = reply.send(Watched { now: self.views(), changes: self.events.subscribe() });
            }
            Request::Logs { target, reply } => {
                let row = self.find(&target).ok().and_then(|id| self.rows.get(&id));
                let source = row
                    .map(|row| LogSource { spec: row.spec.clone(), pulse: row.pulse.subscribe() });
                let _ = reply.send(source.ok_or(EngineError::Unknown { target }));
            }
            Request::StopAll { reply } => self.stop_all(reply),
            Request::Create { ticket, .. } | Request::Act { ticket, .. }
                if self.leaving.is_some() =>
            {
                ticket.answer(Err(EngineError::ShuttingDown));
            }
            Request::Create { spec, settle, ticket } => self.create(spec, settle, ticket),
            Request::Act { target, verb, spec, settle, ticket } => match self.find(&target) {
                Ok(id) => self.act(id, verb, spec, settle, ticket),
                Err(error) => ticket.answer(Err(error)),
            },
        }
    }

    fn create(&mut self, spec: Box<ProcessSpec>, settle: Duration, mut ticket: Ticket) {
        if let Some(id) = self.names.get(&spec.name).copied() {
            return self.act(id, Verb::Start, Some(spec), settle, ticket);
        }
        if let Err(error) = self.check(&spec, None).and_then(|()| preflight(&spec)) {
            return ticket.answer(Err(error));
        }
        let id = self.journal.contents().next_id;
        let put = Entry::Put { id, spec: spec.clone(), desired: Desired::Running, incarnation: 0 };
        match self.journal.append(put) {
            Ok(durable) => ticket.after(Some(durable)),
            Err(error) => return ticket.answer(Err(not_saved(&spec.name, &error))),
        }
        self.names.insert(spec.name.clone(), id);
        let mut row = Row::new(id, spec, Desired::Running);
        row.fresh = true;
        row.waiters.push(Waiter { wants: Wants::Started { settle }, ticket });
        self.rows.insert(id, row);
        self.launch(id, false);
    }

    fn act(
        &mut self,
        id: u32,
        verb: Verb,
        spec: Option<Box<ProcessSpec>>,
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
        }
        row.waiters.push(Waiter { wants, ticket });
        match admission {
            Admission::Launch => {
                self.launch(id, matches!(verb, Verb::Restart | Verb::ForceRestart));
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
            && row.spec.name != spec.name
        {
            let (name, given) = (row.spec.name.clone(), spec.name.clone());
            return Err(EngineError::OtherName { name, given });
        }
        let others = self.rows.values().filter(|other| row.is_none_or(|row| row.id != other.id));
        for other in others {
            let taken = spec.log_files().find(|path| other.spec.log_files().any(|p| p == *path));
            if let Some(path) = taken {
                let owner = other.spec.name.clone();
                return Err(InvalidSpec::LogTaken { path: path.to_owned(), owner }.into());
            }
        }
        Ok(())
    }

    /// Writes down what is meant, where that is news.
    pub(super) fn save(
        &mut self,
        id: u32,
        desired: Desired,
        spec: Option<Box<ProcessSpec>>,
    ) -> Result<Option<Durable>, EngineError> {
        let Some(row) = self.rows.get_mut(&id) else {
            return Ok(None);
        };
        let incarnation = row.incarnation;
        let entry = match spec.filter(|spec| *spec != row.spec) {
            Some(spec) => Entry::Put { id, spec, desired, incarnation },
            None if desired == row.desired => return Ok(None),
            None => Entry::Desire { id, desired, incarnation },
        };
        let new_spec = match &entry {
            Entry::Put { spec, .. } => Some(spec.clone()),
            Entry::Desire { .. } | Entry::Meta { .. } | Entry::Remove { .. } => None,
        };
        let durable =
            self.journal.append(entry).map_err(|error| not_saved(&row.spec.name, &error))?;
        row.desired = desired;
        if let Some(spec) = new_spec {
            row.spec = spec;
        }
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
        let signal = row.spec.kill_signal.into();
        running.child.order(Order::Terminate { signal, timeout });
        row.state = State::Stopping { running, then };
        self.publish(id);
    }

    fn redirect(&mut self, id: u32, new: AfterStop, force: bool) {
        let Some(row) = self.rows.get_mut(&id) else {
            return;
        };
        match &mut row.state {
            State::Launching { then } => *then = Some(new),
            State::Stopping { then, running } => {
                *then = new;
                if force {
                    let signal = row.spec.kill_signal.into();
                    running.child.order(Order::Terminate { signal, timeout: FORCE_GRACE });
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
                State::Launching { then } => *then = Some(AfterStop::Rest),
                State::Stopping { then, .. } => *then = AfterStop::Rest,
                State::WaitingRestart { .. } => self.rest(id),
                State::Stopped | State::Errored => {}
            }
        }
    }
}

/// Looks for the mistakes that would make the execution fail, while nothing has happened yet.
fn preflight(spec: &ProcessSpec) -> Result<(), EngineError> {
    match spawn::resolve(spec) {
        Ok(_) => Ok(()),
        Err(error) => Err(EngineError::Spawn { name: spec.name.clone(), error }),
    }
}

pub(super) fn not_saved(name: &str, error: &std::io::Error) -> EngineError {
    EngineError::NotSaved { name: name.to_owned(), reason: error.to_string() }
}
