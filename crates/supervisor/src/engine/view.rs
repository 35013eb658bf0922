//! What the engine shows of its table.

use std::sync::Arc;

use super::row::{Row, State};
use super::{Engine, EngineError, Target};
use crate::spawn::now_ms;
use crate::spec::{Env, ProcessSpec};
use crate::wire::{Event, GoneView, ListRow, ProcessView, SpecSummary};

/// Stands for a value that nobody may see.
const MASK: &str = "***";

impl Engine {
    pub(super) fn views(&self) -> Vec<ProcessView> {
        self.rows.values().map(|row| view(row)).collect()
    }

    pub(super) fn publish(&self, id: u32) {
        if self.events.receiver_count() > 0
            && let Some(row) = self.rows.get(&id)
        {
            let _ = self.events.send(Event::Process(Box::new(view(row))));
        }
    }

    pub(super) fn publish_gone(&self, row: &Row) {
        let gone = GoneView { name: row.spec.name.clone(), id: row.id };
        // An error only says that nobody listens.
        let _ = self.events.send(Event::Gone(gone));
    }

    /// The id of the one process that is meant.
    pub(super) fn find(&self, target: &Target) -> Result<u32, EngineError> {
        self.index.find(target, |id| self.rows.contains_key(&id))
    }

    /// The one process that is meant.
    pub(super) fn found(&self, target: &Target) -> Result<&Row, EngineError> {
        let id = self.find(target)?;
        let row = self.rows.get(&id).map(AsRef::as_ref);
        row.ok_or_else(|| EngineError::Unknown { target: target.to_string() })
    }

    pub(super) fn masked_specs(
        &self,
        target: Option<&Target>,
    ) -> Result<Vec<(u32, ProcessSpec)>, EngineError> {
        let masked = |row: &Row| (row.id, masked(&row.spec));
        Ok(match target {
            Some(target) => vec![masked(self.found(target)?)],
            None => self.rows.values().map(|row| masked(row)).collect(),
        })
    }
}

/// A description without the values of its secret variables.
fn masked(spec: &ProcessSpec) -> ProcessSpec {
    let mut spec = spec.clone();
    for name in spec.secret_env.clone() {
        if spec.env.contains_key(&name) {
            spec.env.insert(&*name, MASK);
        }
        if spec.base_env.contains_key(&name) {
            Arc::make_mut(&mut spec.base_env).insert(name, MASK.to_owned());
        }
    }
    spec
}

/// Puts the secret values back into a description that a caller was shown without them.
pub(super) fn unmask(spec: &mut ProcessSpec, known: &ProcessSpec) {
    for name in spec.secret_env.clone() {
        let Some(secret) = known.variable(&name) else { continue };
        if spec.env.get(&name) == Some(MASK) {
            spec.env.insert(&*name, secret);
        }
        if spec.base_env.get(&name).is_some_and(|value| value == MASK) {
            Arc::make_mut(&mut spec.base_env).insert(name, secret.to_owned());
        }
    }
}

pub(super) fn masked_env(row: &Row) -> Env {
    let shown = |(name, value): (&str, &str)| {
        let secret = row.spec.secret_env.contains(name);
        (name.to_owned(), if secret { MASK } else { value }.to_owned())
    };
    row.spec.environment().map(shown).collect()
}

/// A line of the short list; what it uses is filled in elsewhere.
pub(super) fn list_row(row: &Row) -> ListRow {
    let (spec, running) = (&row.spec, row.running());
    ListRow {
        id: row.id,
        name: spec.name.clone(),
        instance: spec.instance,
        namespace: spec.namespace.clone(),
        state: row.shown_phase(),
        pid: running.and_then(|running| u32::try_from(running.identity.pid).ok()),
        started_at: running.map(|running| running.started_at),
        restarts: row.restarts,
        cpu_percent: 0.0,
        memory_bytes: 0,
        uid: spec.limits.uid,
        watching: spec.watch.is_some(),
        version: spec.labels.get("version").unwrap_or_default().to_owned(),
    }
}

pub(super) fn view(row: &Row) -> ProcessView {
    let running = row.running();
    let started_at = running.map(|running| running.started_at);
    let uptime_ms = started_at.map(|at| u64::try_from(now_ms().saturating_sub(at)).unwrap_or(0));
    let next_start_at = match &row.state {
        State::WaitingRestart { due_at } => Some(*due_at),
        State::Launching { .. }
        | State::Online(_)
        | State::Stopping { .. }
        | State::Stopped
        | State::Errored => None,
    };
    let spec = &row.spec;
    ProcessView {
        name: spec.name.clone(),
        instance: spec.instance,
        namespace: spec.namespace.clone(),
        id: row.id,
        state: row.shown_phase(),
        desired: row.desired,
        pid: running.and_then(|running| u32::try_from(running.identity.pid).ok()),
        restarts: row.restarts,
        unstable: row.ledger.unstable(),
        started_at,
        uptime_ms,
        next_start_at,
        exit: row.last_exit,
        reason: row.reason.clone(),
        cpu_percent: 0.0,
        memory_bytes: 0,
        incarnation: row.incarnation,
        adopted: running.is_some_and(|running| running.adopted),
        out_file: spec.out_file.clone(),
        error_file: spec.error_file.clone(),
        created_at: row.created_at,
        status: running.and_then(|running| running.status.clone()),
        uid: spec.limits.uid,
        watching: spec.watch.is_some(),
        log_bytes_lost: row.outlet.as_ref().map_or(0, |outlet| outlet.attachment().bytes_lost()),
        log_trouble: row.outlet.as_ref().and_then(|outlet| outlet.attachment().trouble()),
        labels: spec.labels.to_map(),
        spec: SpecSummary {
            command: spec.command.clone(),
            cwd: spec.cwd.clone(),
            env_names: spec.environment().map(|(name, _)| name.to_owned()).collect(),
            env: None,
            kill_signal: spec.kill_signal,
            kill_timeout_ms: spec.kill_timeout_ms,
            log_max_bytes: spec.log_max_bytes,
            log_keep: spec.log_keep,
            restart: spec.restart.clone(),
        },
    }
}
