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

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::{Rlimit, Signal};

use crate::cgroup::Group;
use crate::identity::Identity;
use crate::logs::fifo::make_fifo;
use crate::outlet::{Outlet, Plumbing, Unusable};
use crate::process_table::Census;
use crate::pulse::Pulse;
use crate::record::{Record, Stage};
use crate::spec::{INCARNATION_VAR, NO_LOG, PROCESS_VAR, ProcessSpec, Readiness, Stdin};

use birth::{Born, NotBorn};
use child::Step;
pub(crate) use mark::Mark;
use prepare::{Prepared, Surroundings};
pub(crate) use resolve::resolve;

/// Everything that one execution needs.
#[derive(Debug, Clone)]
pub(crate) struct LaunchPlan {
    pub(crate) id: u32,
    pub(crate) incarnation: u64,
    pub(crate) restarts: u32,
    pub(crate) mark: Mark,
    pub(crate) spec: Arc<ProcessSpec>,
    pub(crate) plumbing: Plumbing,
    /// Its output's way so far, if it had one.
    pub(crate) outlet: Option<Arc<Outlet>>,
    pub(crate) pulse: Pulse,
    /// Where it is born, on machines with control groups.
    pub(crate) group: Option<Group>,
    pub(crate) boot_id: Arc<str>,
    /// Is told of the pid at once, lest the zombie of a very short run pass for an orphan.
    pub(crate) census: Census,
    /// The limit on open files that children get: what this program had before it raised its own.
    pub(crate) open_files: Option<Rlimit>,
    /// The lock on the run directory. A child has it until its program is executed, so that a next supervisor knows whether
    /// there may be one that cannot be recognised yet.
    pub(crate) lock: Option<Arc<OwnedFd>>,
}

/// A process that was just executed.
#[derive(Debug)]
pub(crate) struct Launched {
    pub(crate) identity: Identity,
    pub(crate) pidfd: OwnedFd,
    /// Unix milliseconds.
    pub(crate) started_at: i64,
    pub(crate) outlet: Arc<Outlet>,
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
    let unusable = |(path, error): Unusable| SpawnError::Output {
        program: shown(),
        path,
        reason: error.to_string(),
    };
    let outlet = match plan.outlet.as_ref().filter(|outlet| outlet.fits(spec)) {
        Some(outlet) => {
            outlet.follow(plan.id, spec);
            Arc::clone(outlet)
        }
        None => {
            let opened = plan.plumbing.open(plan.id, spec, plan.pulse.clone());
            Arc::new(opened.map_err(unusable)?)
        }
    };
    let (out, error) = plan.plumbing.childs_ends(plan.id, spec);
    let input = input(plan).map_err(unusable)?;
    let group = enter_group(plan.group.as_ref(), spec).map_err(failed)?;
    let extra = extra_variables(plan);
    let surroundings = Surroundings {
        streams: [Some(&input), Some(&out), error.as_deref()],
        extra: &extra,
        open_files: plan.open_files,
        kept: plan.lock.as_deref().map(AsFd::as_fd),
    };
    let prepared = Prepared::new(spec, &program, surroundings).map_err(failed)?;
    let records = &plan.plumbing.records;
    let recording = |stage| Record {
        incarnation: plan.incarnation,
        boot_id: plan.boot_id.clone(),
        restarts: plan.restarts,
        stage,
    };
    let recorded = records.write(plan.id, &recording(Stage::Spawning));
    recorded.map_err(|error| failed(error.to_string()))?;
    let started_at = now_ms();
    let born = prepared.execute(group.as_ref()).map_err(|error| not_born(&error, plan))?;
    // Nobody reaps it but us, so its pid is surely still its own.
    plan.census.note_main(born.pid.as_raw_pid());
    let identity = Identity::of(born.pid.as_raw_pid(), &plan.boot_id)
        .map_err(|error| abandon(&born, plan, &error))?;
    let stage = Stage::Spawned { identity: identity.clone(), started_at };
    if let Err(error) = records.write(plan.id, &recording(stage)) {
        // Not fatal: its mark is how a next supervisor finds it.
        tracing::warn!(%error, id = plan.id, "cannot record a process's identity");
    }
    Ok(Launched { identity, pidfd: born.pidfd, started_at, outlet })
}

/// What the supervisor adds to a process's environment.
fn extra_variables(plan: &LaunchPlan) -> Vec<(&'static str, String)> {
    let mut extra =
        vec![(PROCESS_VAR, plan.mark.value()), (INCARNATION_VAR, plan.incarnation.to_string())];
    let watchdog = plan.spec.liveness.as_ref().filter(|liveness| liveness.probe.is_none());
    if plan.spec.ready == Readiness::Notify || watchdog.is_some() {
        let socket = match plan.spec.limits.uid {
            // Our folder is closed to other users.
            Some(_) => format!("@{}", notify_name(plan.mark.instance())),
            None => plan.plumbing.run_dir.notify_socket().display().to_string(),
        };
        extra.push(("NOTIFY_SOCKET", socket));
    }
    if let Some(watchdog) = watchdog {
        extra.push(("WATCHDOG_USEC", (watchdog.interval_ms.saturating_mul(1000)).to_string()));
    }
    extra
}

/// The abstract name of the socket on which other users' processes tell of themselves.
pub(crate) fn notify_name(instance: &str) -> String {
    format!("tenantry/{instance}/notify")
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

/// What the child opens as its standard input.
fn input(plan: &LaunchPlan) -> Result<PathBuf, Unusable> {
    match plan.spec.stdin {
        Stdin::Null => Ok(PathBuf::from(NO_LOG)),
        Stdin::Pipe => {
            let path = plan.plumbing.run_dir.input_fifo(plan.id);
            match make_fifo(&path) {
                Ok(()) => Ok(path),
                Err(error) => Err((path, error)),
            }
        }
    }
}

/// Starts a helper of ours: a program that has nothing of our descriptors, terminal or environment, and that
/// outlives us. It is reaped with the orphans.
pub(crate) fn start_helper(command: &[OsString]) -> io::Result<()> {
    let text = |part: &OsString| part.to_string_lossy().into_owned();
    let command: Vec<String> = command.iter().map(text).collect();
    let program = PathBuf::from(command.first().map_or("", String::as_str));
    let spec = ProcessSpec::new("helper", command, PathBuf::from("/"), PathBuf::from(NO_LOG));
    let streams = [Some(Path::new(NO_LOG)); 3];
    let surroundings = Surroundings { streams, extra: &[], open_files: None, kept: None };
    let prepared = Prepared::new(&spec, &program, surroundings).map_err(io::Error::other)?;
    match prepared.execute(None) {
        Ok(_) => Ok(()),
        Err(NotBorn::Clone(error)) => Err(error),
        Err(NotBorn::Child(error)) => Err(error.errno.into()),
    }
}

/// Unix milliseconds now.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
