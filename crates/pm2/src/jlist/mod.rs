//! Processes as PM2's `jlist` and `prettylist` show them, for tools that read those.

mod inspect;
mod record;

use serde_json::{Map, Value, json};
use supervisor::wire::{Exit, Phase, ProcessSpec, ProcessView};

use crate::specs::Homes;

pub use inspect::pretty;

/// PM2's word for what a process is doing.
#[must_use]
pub fn status(phase: Phase) -> &'static str {
    match phase {
        Phase::Launching => "launching",
        Phase::Online => "online",
        Phase::Stopping => "stopping",
        Phase::Stopped => "stopped",
        Phase::WaitingRestart => "waiting restart",
        Phase::Errored => "errored",
    }
}

/// One item of the list. Values of secret variables are not shown.
#[must_use]
pub fn item(view: &ProcessView, spec: &ProcessSpec, homes: &Homes) -> Value {
    let memory = view.memory_bytes;
    let cpu = (view.cpu_percent * 10.0).round() / 10.0;
    json!({
        "pid": view.pid.unwrap_or(0),
        "name": view.name,
        "pm2_env": pm2_env(view, spec, homes),
        "pm_id": view.id,
        "monit": { "memory": memory, "cpu": whole(cpu) },
    })
}

/// PM2's record of a process: its declaration and how it is.
pub(crate) fn pm2_env(view: &ProcessView, spec: &ProcessSpec, homes: &Homes) -> Map<String, Value> {
    let mut record = record::declared(spec, view.id, homes);
    let since = view.started_at.unwrap_or(view.created_at);
    let now = json!({
        "status": status(view.state),
        "pm_uptime": since,
        "axm_actions": [],
        "axm_monitor": {},
        "axm_options": record::axm_options(spec),
        "axm_dynamic": {},
        "created_at": view.created_at,
        "pm_id": view.id,
        "restart_time": view.restarts,
        "unstable_restarts": view.unstable,
        "version": record::version(spec),
    });
    if let Value::Object(now) = now {
        record.extend(now);
    }
    if let Some(code) = view.exit.and_then(exit_code) {
        record.insert("exit_code".to_owned(), json!(code));
    }
    record
}

/// PM2 says 0 of what a signal ended.
fn exit_code(exit: Exit) -> Option<i32> {
    match exit {
        Exit::Code(code) => Some(code),
        Exit::Signal(_) => Some(0),
        Exit::Unknown => None,
    }
}

/// JavaScript has no `0.0`.
#[allow(clippy::cast_possible_truncation)]
fn whole(number: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < EXACT { json!(number as i64) } else { json!(number) }
}

#[cfg(test)]
pub(crate) mod tests;
