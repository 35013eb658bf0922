//! What the engine shows of its table.

use std::collections::BTreeMap;

use super::row::{Row, State};
use super::{Engine, EngineError};
use crate::spawn::now_ms;
use crate::wire::{Event, GoneView, ProcessView, SpecSummary};

/// Stands for a value that nobody may see.
const MASK: &str = "***";

impl Engine {
    pub(super) fn views(&self) -> Vec<ProcessView> {
        self.rows.values().map(view).collect()
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

    /// Finds a process by its name, else by its id.
    pub(super) fn find(&self, target: &str) -> Result<u32, EngineError> {
        let by_id = || target.parse().ok().filter(|id| self.rows.contains_key(id));
        self.names
            .get(target)
            .copied()
            .or_else(by_id)
            .ok_or_else(|| EngineError::Unknown { target: target.to_owned() })
    }
}

pub(super) fn masked_env(row: &Row) -> BTreeMap<String, String> {
    let shown = |(name, value): (&String, &String)| {
        let secret = row.spec.secret_env.contains(name);
        (name.clone(), if secret { MASK.to_owned() } else { value.clone() })
    };
    row.spec.env.iter().map(shown).collect()
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
        state: row.phase(),
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
        created_at: 0,
        log_bytes_lost: 0,
        log_trouble: None,
        labels: spec.labels.clone(),
        spec: SpecSummary {
            command: spec.command.clone(),
            cwd: spec.cwd.clone(),
            env_names: spec.env.keys().cloned().collect(),
            env: None,
            kill_signal: spec.kill_signal,
            kill_timeout_ms: spec.kill_timeout_ms,
            log_max_bytes: spec.log_max_bytes,
            log_keep: spec.log_keep,
            restart: spec.restart.clone(),
        },
    }
}
