//! Between PM2's words and ours.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::call::MAX_INPUT;
use super::labels;
use super::list::Item;
use super::reserved::is_reserved;
use crate::{ObservedState, ObservedWorker, RuntimeError, WorkerExit, WorkerLaunch};

/// The namespace that workers are started in.
const NAMESPACE: &str = "tenantry";
/// Runs a program whose path PM2 would take for a shell line.
const ENV_PROGRAM: &str = "/usr/bin/env";
/// An exit sooner than this after the start is unstable. This and the next two are as our supervisor has them.
const MIN_UPTIME_MS: u64 = 1000;
/// So many unstable exits make PM2 give up.
const MAX_RESTARTS: u64 = 16;
/// The delay before the first restart, from which PM2 goes on growing it.
const FIRST_DELAY_MS: u64 = 100;

/// The process file for a launch, as JSON.
///
/// # Errors
/// [`RuntimeError::Invalid`] for what PM2 cannot carry, [`RuntimeError::SpawnFailed`] for a program that cannot be
/// executed: PM2 would tell neither.
pub(super) fn process_file(
    launch: &WorkerLaunch,
    first_incarnation: u64,
) -> Result<Vec<u8>, RuntimeError> {
    let (program, mut args) = command(launch)?;
    let mut script = program.to_str().map(str::to_owned).ok_or_else(|| {
        invalid(format!(
            "command: the path {} is not UTF-8, and PM2 needs it so",
            program.display()
        ))
    })?;
    if script.contains(' ') {
        if script.contains('=') {
            let problem = "PM2 can run no program whose path holds both a space and `=`";
            return Err(invalid(format!("command: {problem}: {script}")));
        }
        args.insert(0, std::mem::replace(&mut script, ENV_PROGRAM.to_owned()));
    }
    let milliseconds = u64::try_from(launch.kill_timeout.as_millis()).unwrap_or(u64::MAX);
    let exits: Vec<i32> = launch.final_exits.keys().copied().collect();
    let file = json!({ "apps": [{
        "name": launch.name,
        "namespace": NAMESPACE,
        "script": script,
        "args": args,
        "interpreter": "none",
        "exec_mode": "fork",
        "cwd": launch.cwd,
        "env": environment(launch, first_incarnation)?,
        // Each variable of the caller whose name contains this text is left out: every one.
        "filter_env": [""],
        "out_file": launch.log_path,
        "error_file": launch.log_path,
        "merge_logs": true,
        // PM2 takes 0 for its own default.
        "kill_timeout": milliseconds.max(1),
        "treekill": true,
        "autorestart": true,
        "stop_exit_codes": exits,
        "min_uptime": MIN_UPTIME_MS,
        "max_restarts": MAX_RESTARTS,
        "exp_backoff_restart_delay": FIRST_DELAY_MS,
        "watch": false,
        "vizion": false,
        "pmx": false,
        "automation": false,
    }]});
    let text = file.to_string().into_bytes();
    if text.len() > MAX_INPUT {
        return Err(invalid(format!(
            "env and command take {} bytes, and PM2 reads at most {MAX_INPUT} from its standard input",
            text.len()
        )));
    }
    Ok(text)
}

fn environment(
    launch: &WorkerLaunch,
    first_incarnation: u64,
) -> Result<Map<String, Value>, RuntimeError> {
    let mut env = Map::new();
    for (name, value) in &launch.env {
        if is_reserved(name) || name.starts_with(labels::PREFIX) {
            return Err(invalid(format!(
                "env: PM2 keeps its own record in the variable `{name}`; give it another name"
            )));
        }
        env.insert(name.clone(), Value::String(value.clone()));
    }
    let process = ("TENANTRY_PROCESS", launch.name.clone());
    for (name, value) in labels::variables(launch, first_incarnation).into_iter().chain([process]) {
        env.insert(name.to_owned(), Value::String(value));
    }
    Ok(env)
}

/// The program, found and fit to be executed, and its arguments.
fn command(launch: &WorkerLaunch) -> Result<(PathBuf, Vec<String>), RuntimeError> {
    let Some((program, args)) = launch.command.split_first() else {
        return Err(invalid("command: it names no program"));
    };
    let unfit = |why: String| RuntimeError::SpawnFailed {
        message: format!("{program} cannot be executed: {why}"),
        log_tail: Vec::new(),
    };
    if !launch.cwd.is_dir() {
        return Err(unfit(format!("its working directory {} is not there", launch.cwd.display())));
    }
    let found = if program.contains('/') {
        Some(launch.cwd.join(program))
    } else {
        let path = launch.env.get("PATH").map_or("", String::as_str);
        path.split(':').map(|folder| Path::new(folder).join(program)).find(|file| runs(file))
    };
    match found {
        Some(path) if runs(&path) => Ok((path, args.to_vec())),
        Some(path) if path.exists() => Err(unfit("it is no file that may be executed".to_owned())),
        Some(_) => Err(unfit("there is no such file".to_owned())),
        None => Err(unfit("it is in no folder of the PATH that the worker gets".to_owned())),
    }
}

fn runs(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn invalid(message: impl Into<String>) -> RuntimeError {
    RuntimeError::Invalid { message: message.into() }
}

/// The number of an item's present or last process.
pub(super) fn incarnation(item: &Item) -> u64 {
    item.pm2_env.env.first_incarnation() + u64::from(item.pm2_env.restart_time.unwrap_or(0))
}

/// A worker of PM2's list, as of `now`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole bytes")]
pub(super) fn observed(item: &Item, now: DateTime<Utc>) -> ObservedWorker {
    let labels = &item.pm2_env.env;
    let state = state(item, now);
    let restarts = incarnation(item).saturating_sub(1);
    ObservedWorker {
        name: item.name.clone(),
        tenant: labels.tenant.clone().unwrap_or_default(),
        generation: labels.generation(),
        wanted: !matches!(state, ObservedState::Stopped | ObservedState::Failed { .. }),
        restarts: u32::try_from(restarts).unwrap_or(u32::MAX),
        incarnation: incarnation(item),
        cpu_percent: item.monit.cpu,
        memory_bytes: item.monit.memory as u64,
        exit: exit(item),
        last_error: match &state {
            ObservedState::Failed { reason } => Some(reason.clone()),
            ObservedState::Backoff { .. } => exit(item).map(|exit| format!("ended with {exit}")),
            ObservedState::Starting
            | ObservedState::Running { .. }
            | ObservedState::Stopping
            | ObservedState::Stopped => None,
        },
        log_path: item.pm2_env.pm_out_log_path.as_ref().map(PathBuf::from),
        state,
    }
}

/// PM2 says 0 for an end by a signal as well.
fn exit(item: &Item) -> Option<WorkerExit> {
    item.pm2_env.exit_code.map(|code| match code {
        0 => WorkerExit::Unknown,
        code => WorkerExit::Code(code),
    })
}

fn state(item: &Item, now: DateTime<Utc>) -> ObservedState {
    let record = &item.pm2_env;
    let meaning = record.exit_code.and_then(|code| record.env.final_exit(code));
    let gave_up = || ObservedState::Failed {
        reason: match exit(item) {
            Some(exit) => format!("PM2 gave up: it ended too often too soon, last with {exit}"),
            None => "PM2 gave up: it could not be started or stopped; see pm2.log in PM2's home"
                .to_owned(),
        },
    };
    match (record.status.as_str(), item.pid()) {
        ("online", Some(pid)) => {
            let started_at = record.pm_uptime.and_then(DateTime::from_timestamp_millis);
            ObservedState::Running { pid, started_at: started_at.unwrap_or_default() }
        }
        ("online", None) => {
            ObservedState::Failed { reason: "PM2 could not execute the program".to_owned() }
        }
        ("stopping", _) => ObservedState::Stopping,
        // With growing delays PM2 says `waiting restart` also of what it will never start again.
        ("stopped" | "waiting restart", _) if meaning.is_some() => {
            ObservedState::Failed { reason: meaning.unwrap_or_default() }
        }
        ("stopped", _) => ObservedState::Stopped,
        ("waiting restart", _) if record.created_at.is_some() => {
            let delay = i64::try_from(record.prev_restart_delay.unwrap_or(0)).unwrap_or(0);
            ObservedState::Backoff { until: now + TimeDelta::milliseconds(delay) }
        }
        ("errored" | "waiting restart", _) => gave_up(),
        _ => ObservedState::Starting,
    }
}

#[cfg(test)]
mod tests;
