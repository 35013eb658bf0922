//! Executes a program: FIFOs, log files, control group, record, `clone3`, identity, in that order.
//!
//! All of it blocks and runs off the event loop. The record says "spawning" before the process exists and
//! who it is right after, so a supervisor that is killed at any point in between finds the process
//! again (by the mark in its environment, in the worst case).

mod birth;
mod child;
mod mark;
mod prepare;
mod resolve;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::{Rlimit, Signal};

use crate::capture::open_fifo;
use crate::cgroup::Group;
use crate::identity::Identity;
use crate::process_table::Census;
use crate::record::{self, Record, RunDir, Stage};
use crate::sink::Sink;
use crate::spec::{INCARNATION_VAR, PROCESS_VAR, ProcessSpec, Stdin};

use birth::{Born, NotBorn};
use child::Step;
pub(crate) use mark::Mark;
use prepare::Prepared;
pub(crate) use resolve::resolve;

/// Everything that one execution needs.
#[derive(Debug, Clone)]
pub(crate) struct LaunchPlan {
    pub(crate) id: u32,
    pub(crate) incarnation: u64,
    pub(crate) restarts: u32,
    pub(crate) mark: Mark,
    pub(crate) spec: Arc<ProcessSpec>,
    pub(crate) run_dir: RunDir,
    /// Where it is born, on machines with control groups.
    pub(crate) group: Option<Group>,
    pub(crate) boot_id: String,
    /// Is told of the pid at once, lest the zombie of a very short run pass for an orphan.
    pub(crate) census: Census,
    /// The limit on open files that children get: what this program had before it raised its own.
    pub(crate) open_files: Option<Rlimit>,
}

/// A process that was just executed.
#[derive(Debug)]
pub(crate) struct Launched {
    pub(crate) identity: Identity,
    pub(crate) pidfd: OwnedFd,
    /// Unix milliseconds.
    pub(crate) started_at: i64,
    pub(crate) streams: Vec<Stream>,
}

/// One FIFO and the file it goes to.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) fifo: OwnedFd,
    pub(crate) sink: Sink,
}

/// Why a program could not be executed. Each names the program or the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpawnError {
    /// The program is not there.
    #[error("cannot run {program}: {reason}")]
    Program {
        /// As given in the command.
        program: String,
        /// What the system says.
        reason: String,
    },
    /// The working directory is not there or not accessible.
    #[error("cannot run {program}: the working directory {} is not usable: {reason}", cwd.display())]
    Cwd {
        /// As given in the command.
        program: String,
        /// The directory.
        cwd: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// Its log file or FIFO cannot be opened.
    #[error("cannot run {program}: cannot open {}: {reason}", path.display())]
    Output {
        /// As given in the command.
        program: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
}

/// Executes the program. Blocks; nothing runs when it fails.
pub(crate) fn launch(plan: &LaunchPlan) -> Result<Launched, SpawnError> {
    let spec = &plan.spec;
    let program = resolve(spec)?;
    let shown = || spec.command.first().cloned().unwrap_or_default();
    let failed = |reason: String| SpawnError::Program { program: shown(), reason };
    let (out, childs_out) = open_stream(plan, &plan.run_dir.out_fifo(plan.id), &spec.out_file)?;
    let mut streams = vec![out];
    let childs_error = match spec.error_file.as_ref().filter(|path| **path != spec.out_file) {
        None => None,
        Some(path) => {
            let (error, childs) = open_stream(plan, &plan.run_dir.error_fifo(plan.id), path)?;
            streams.push(error);
            Some(childs)
        }
    };
    let stdin = stdin(plan)?;
    let group = enter_group(plan.group.as_ref(), spec).map_err(failed)?;
    let extra = [(PROCESS_VAR, plan.mark.value()), (INCARNATION_VAR, plan.incarnation.to_string())];
    let prepared = Prepared::new(spec, &program, &extra, plan.open_files).map_err(failed)?;
    let record_path = plan.run_dir.record(plan.id);
    let recording = |stage| Record {
        incarnation: plan.incarnation,
        boot_id: plan.boot_id.clone(),
        restarts: plan.restarts,
        stage,
    };
    record::write(&record_path, &recording(Stage::Spawning)).map_err(|e| failed(e.to_string()))?;
    let started_at = now_ms();
    let error_end = childs_error.as_ref().unwrap_or(&childs_out);
    let born = prepared
        .execute([stdin.as_fd(), childs_out.as_fd(), error_end.as_fd()], group.as_ref())
        .map_err(|error| not_born(&error, plan))?;
    // Nobody reaps it but us, so its pid is surely still its own.
    plan.census.note_main(born.pid.as_raw_pid());
    let identity = Identity::of(born.pid.as_raw_pid(), &plan.boot_id)
        .map_err(|error| abandon(&born, plan, &error))?;
    let stage = Stage::Spawned { identity: identity.clone(), started_at };
    if let Err(error) = record::write(&record_path, &recording(stage)) {
        // Not fatal: its mark is how a next supervisor finds it.
        tracing::warn!(%error, id = plan.id, "cannot record a process's identity");
    }
    Ok(Launched { identity, pidfd: born.pidfd, started_at, streams })
}

/// Makes the process's control group ready.
fn enter_group(group: Option<&Group>, spec: &ProcessSpec) -> Result<Option<OwnedFd>, String> {
    let (memory, cpu) = (spec.limits.memory_max, spec.limits.cpu_max_percent);
    let refused = |reason: &dyn std::fmt::Display| {
        format!(
            "cannot limit its control group (limits.memory_max, limits.cpu_max_percent): {reason}; see `tenantry doctor`"
        )
    };
    let Some(group) = group else {
        return match (memory, cpu) {
            (None, None) => Ok(None),
            _ => Err(refused(&"this machine has none for us")),
        };
    };
    let open = group.open().map_err(|error| format!("cannot make its control group: {error}"))?;
    group.limit(memory, cpu).map_err(|error| refused(&error))?;
    Ok(Some(open))
}

fn not_born(error: &NotBorn, plan: &LaunchPlan) -> SpawnError {
    let program = plan.spec.command.first().cloned().unwrap_or_default();
    match error {
        NotBorn::Child(error) if error.step == Step::Cwd => {
            let (cwd, reason) = (plan.spec.cwd.clone(), error.errno.to_string());
            SpawnError::Cwd { program, cwd, reason }
        }
        NotBorn::Child(error) => {
            let reason = format!("{}: {}", error.step.words(), error.errno);
            SpawnError::Program { program, reason }
        }
        NotBorn::Clone(error) => {
            SpawnError::Program { program, reason: format!("cannot make a process: {error}") }
        }
    }
}

/// Ends a child that could not be identified: better none than one that nobody knows of.
fn abandon(born: &Born, plan: &LaunchPlan, error: &io::Error) -> SpawnError {
    let _ = rustix::process::kill_process_group(born.pid, Signal::KILL);
    let _ = rustix::process::waitpid(Some(born.pid), rustix::process::WaitOptions::empty());
    plan.census.forget_main(born.pid.as_raw_pid());
    let program = plan.spec.command.first().cloned().unwrap_or_default();
    SpawnError::Program { program, reason: error.to_string() }
}

/// Opens the FIFO and the log file that it goes to; also the child's end.
fn open_stream(plan: &LaunchPlan, fifo: &Path, log: &Path) -> Result<(Stream, File), SpawnError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error: io::Error| SpawnError::Output {
            program: plan.spec.command.first().cloned().unwrap_or_default(),
            path,
            reason: error.to_string(),
        }
    };
    let sink = Sink::open(log, plan.spec.log_max_bytes, plan.spec.log_keep).map_err(failed(log))?;
    let ends = open_fifo(fifo).map_err(failed(fifo))?;
    Ok((Stream { fifo: ends.ours, sink }, ends.childs))
}

/// The child's standard input.
fn stdin(plan: &LaunchPlan) -> Result<File, SpawnError> {
    let (path, opened) = match plan.spec.stdin {
        Stdin::Null => (PathBuf::from("/dev/null"), File::open("/dev/null")),
        Stdin::Pipe => {
            let path = plan.run_dir.input_fifo(plan.id);
            let opened = open_fifo(&path).map(|ends| ends.childs);
            (path, opened)
        }
    };
    opened.map_err(|error| SpawnError::Output {
        program: plan.spec.command.first().cloned().unwrap_or_default(),
        path,
        reason: error.to_string(),
    })
}

/// Unix milliseconds now.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
