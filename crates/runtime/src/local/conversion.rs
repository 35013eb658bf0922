//! Between the supervisor's words and ours.

use std::time::Duration;

use chrono::{DateTime, Utc};
use supervisor::client::ClientError;
use supervisor::wire::{Desired, ErrorCode, Exit, Phase, ProcessSpec, ProcessView};

use super::KIND;
use crate::{ObservedState, ObservedWorker, RuntimeError, WorkerExit, WorkerLaunch};

/// Label with the tenant's id; what has none is no worker.
const TENANT: &str = "tenant";
/// Labels with the meaning of each final exit code, which follows.
const FINAL_EXIT: &str = "final-exit-";
/// Label with the generation.
const GENERATION: &str = "generation";

pub(super) fn spec(launch: &WorkerLaunch) -> ProcessSpec {
    let (command, cwd) = (launch.command.clone(), launch.cwd.clone());
    let mut spec = ProcessSpec::new(&launch.name, command, cwd, launch.log_path.clone());
    spec.env = launch.env.clone().into();
    spec.secret_env = launch.secret_env.clone();
    spec.kill_timeout_ms = settle_ms(launch.kill_timeout);
    spec.labels.insert(TENANT.to_owned(), launch.tenant.clone());
    spec.labels.insert(GENERATION.to_owned(), launch.generation.to_string());
    for (code, meaning) in &launch.final_exits {
        spec.restart.stop_exit_codes.insert(*code);
        spec.labels.insert(format!("{FINAL_EXIT}{code}"), meaning.clone());
    }
    spec
}

pub(super) fn settle_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn is_worker(view: &ProcessView) -> bool {
    view.labels.contains_key(TENANT)
}

pub(super) fn observed(view: &ProcessView) -> ObservedWorker {
    let label = |name: &str| view.labels.get(name).cloned().unwrap_or_default();
    ObservedWorker {
        name: view.name.clone(),
        tenant: label(TENANT),
        generation: label(GENERATION).parse().unwrap_or(0),
        state: state(view),
        wanted: view.desired == Desired::Running,
        restarts: view.restarts,
        incarnation: view.incarnation,
        cpu_percent: view.cpu_percent,
        memory_bytes: view.memory_bytes,
        exit: view.exit.map(|exit| match exit {
            Exit::Code(code) => WorkerExit::Code(code),
            Exit::Signal(signal) => WorkerExit::Signal(signal),
            Exit::Unknown => WorkerExit::Unknown,
        }),
        last_error: view.reason.clone(),
        log_path: Some(view.out_file.clone()),
    }
}

fn state(view: &ProcessView) -> ObservedState {
    match view.state {
        Phase::Launching => ObservedState::Starting,
        Phase::Online => match (view.pid, view.started_at) {
            (Some(pid), Some(at)) => ObservedState::Running { pid, started_at: time(at) },
            (None, _) | (_, None) => ObservedState::Starting,
        },
        Phase::Stopping => ObservedState::Stopping,
        Phase::Stopped => match final_exit(view) {
            Some(meaning) => ObservedState::Failed { reason: meaning.clone() },
            None => ObservedState::Stopped,
        },
        Phase::WaitingRestart => {
            ObservedState::Backoff { until: time(view.next_start_at.unwrap_or_default()) }
        }
        Phase::Errored => ObservedState::Failed { reason: view.reason.clone().unwrap_or_default() },
    }
}

/// What the exit code of a stopped process means, when it is one that must not be restarted.
fn final_exit(view: &ProcessView) -> Option<&String> {
    let Some(Exit::Code(code)) = view.exit else { return None };
    view.labels.get(&format!("{FINAL_EXIT}{code}"))
}

fn time(milliseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(milliseconds).unwrap_or_default()
}

/// What a failed call means for the worker `name`.
pub(super) fn error(problem: ClientError, name: &str) -> RuntimeError {
    let name = name.to_owned();
    let body = match problem {
        ClientError::Unreachable { .. } => {
            return RuntimeError::Unreachable { kind: KIND, message: problem.to_string() };
        }
        ClientError::BadSocket(message) => return RuntimeError::Invalid { message },
        ClientError::Nonsense(message) => return RuntimeError::Failed { message },
        ClientError::Refused(body) => body,
    };
    let (message, log_tail) = (body.message, body.log_tail);
    match body.code {
        ErrorCode::UnknownProcess => RuntimeError::Unknown { name },
        ErrorCode::AlreadyRunning => RuntimeError::AlreadyRunning { name },
        ErrorCode::Busy | ErrorCode::Superseded => RuntimeError::Busy { name, message },
        ErrorCode::SpawnFailed => RuntimeError::SpawnFailed { message, log_tail },
        ErrorCode::ExitedEarly => RuntimeError::ExitedEarly { message, log_tail },
        ErrorCode::InvalidSpec | ErrorCode::BadRequest => RuntimeError::Invalid { message },
        ErrorCode::ShuttingDown => RuntimeError::Unreachable { kind: KIND, message },
        ErrorCode::NotReady => RuntimeError::ExitedEarly { message, log_tail },
        ErrorCode::NotFound
        | ErrorCode::AmbiguousTarget
        | ErrorCode::NotRunning
        | ErrorCode::NoStdin
        | ErrorCode::UpgradeFailed
        | ErrorCode::MethodNotAllowed
        | ErrorCode::StopFailed
        | ErrorCode::StateNotSaved => RuntimeError::Failed { message },
    }
}
