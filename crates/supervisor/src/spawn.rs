//! Executes a program: FIFOs, log files, record, `posix_spawn`, identity, in that order.
//!
//! All of it blocks and runs off the event loop. The record says "spawning" before the process exists and
//! who it is right after, so a supervisor that is killed at any point in between finds the process
//! again (by the mark in its environment, in the worst case).

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, Signal, pidfd_open};

use crate::capture::open_fifo;
use crate::identity::Identity;
use crate::process_table::Census;
use crate::record::{self, Record, RunDir, Stage};
use crate::sink::Sink;
use crate::spec::{INCARNATION_VAR, PROCESS_VAR, ProcessSpec, Stdin};

/// Everything that one execution needs.
#[derive(Debug, Clone)]
pub(crate) struct LaunchPlan {
    pub(crate) id: u32,
    pub(crate) incarnation: u64,
    pub(crate) restarts: u32,
    pub(crate) mark: Mark,
    pub(crate) spec: Arc<ProcessSpec>,
    pub(crate) run_dir: RunDir,
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

/// The mark in a process's environment by which its tree is recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    process: String,
    incarnation: u64,
}

impl Mark {
    pub(crate) fn new(instance: &str, id: u32, incarnation: u64) -> Self {
        Self { process: format!("{instance}-{id}"), incarnation }
    }

    pub(crate) fn value(&self) -> String {
        format!("{}:{}", self.process, self.incarnation)
    }

    /// As it stands in `/proc/<pid>/environ`.
    pub(crate) fn entry(&self) -> String {
        format!("{PROCESS_VAR}={}", self.value())
    }

    /// What the entries of all processes of a run directory begin with.
    pub(crate) fn entry_prefix(instance: &str) -> String {
        format!("{PROCESS_VAR}={instance}-")
    }

    /// Id and incarnation, from such an entry without its prefix.
    pub(crate) fn parse_rest(rest: &str) -> Option<(u32, u64)> {
        let (id, incarnation) = rest.split_once(':')?;
        Some((id.parse().ok()?, incarnation.parse().ok()?))
    }
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

/// Finds the file to execute, and checks what would make the execution fail.
pub(crate) fn resolve(spec: &ProcessSpec) -> Result<PathBuf, SpawnError> {
    let program = spec.command.first().map_or("", String::as_str);
    let cwd_error = |reason: String| SpawnError::Cwd {
        program: program.to_owned(),
        cwd: spec.cwd.clone(),
        reason,
    };
    match std::fs::metadata(&spec.cwd) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(cwd_error("it is not a directory".to_owned())),
        Err(error) => return Err(cwd_error(error.to_string())),
    }
    let failed = |reason: String| SpawnError::Program { program: program.to_owned(), reason };
    if program.contains('/') {
        let path = spec.cwd.join(program);
        return match executable(&path) {
            Ok(()) => Ok(path),
            Err(reason) => Err(failed(reason)),
        };
    }
    let Some(search) = spec.variable("PATH") else {
        return Err(failed("its path is not absolute, and its environment has no PATH".to_owned()));
    };
    let mut refusal = None;
    for folder in std::env::split_paths(OsStr::new(search)) {
        let path = spec.cwd.join(folder).join(program);
        match executable(&path) {
            Ok(()) => return Ok(path),
            Err(reason) if path.exists() => {
                refusal.get_or_insert(format!("{}: {reason}", path.display()));
            }
            Err(_) => {}
        }
    }
    Err(failed(refusal.unwrap_or_else(|| format!("not found in PATH ({search})"))))
}

fn executable(path: &Path) -> Result<(), String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a file".to_owned());
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        return Err("it is not executable".to_owned());
    }
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).map_err(|errno| errno.to_string())
}

/// Executes the program. Blocks; nothing runs when it fails.
pub(crate) fn launch(plan: &LaunchPlan) -> Result<Launched, SpawnError> {
    let program = resolve(&plan.spec)?;
    let shown = || plan.spec.command.first().cloned().unwrap_or_default();
    let failed =
        |error: io::Error| SpawnError::Program { program: shown(), reason: error.to_string() };
    let spec = &plan.spec;
    let (out, childs_out) = open_stream(plan, &plan.run_dir.out_fifo(plan.id), &spec.out_file)?;
    let mut streams = vec![out];
    let childs_error = match &spec.error_file {
        None => childs_out.try_clone().map_err(failed)?,
        Some(path) if *path == spec.out_file => childs_out.try_clone().map_err(failed)?,
        Some(path) => {
            let (error, childs) = open_stream(plan, &plan.run_dir.error_fifo(plan.id), path)?;
            streams.push(error);
            childs
        }
    };
    let record_path = plan.run_dir.record(plan.id);
    let recording = |stage| Record {
        incarnation: plan.incarnation,
        boot_id: plan.boot_id.clone(),
        restarts: plan.restarts,
        stage,
    };
    record::write(&record_path, &recording(Stage::Spawning)).map_err(failed)?;
    let started_at = now_ms();
    let child = Command::new(program)
        .arg0(shown())
        .args(spec.command.iter().skip(1))
        .env_clear()
        .envs(environment(plan))
        .current_dir(&spec.cwd)
        .process_group(0)
        .stdin(stdin(plan)?)
        .stdout(childs_out)
        .stderr(childs_error)
        .spawn()
        .map_err(failed)?;
    // `Child` neither kills nor reaps when dropped: from here on the pidfd is what we hold.
    let (identity, pidfd) = pin(child.id(), plan).map_err(failed)?;
    let stage = Stage::Spawned { identity: identity.clone(), started_at };
    if let Err(error) = record::write(&record_path, &recording(stage)) {
        // Not fatal: its mark is how a next supervisor finds it.
        tracing::warn!(%error, id = plan.id, "cannot record a process's identity");
    }
    Ok(Launched { identity, pidfd, started_at, streams })
}

/// Opens the FIFO and the log file that it goes to; also the child's end.
fn open_stream(
    plan: &LaunchPlan,
    fifo: &Path,
    log: &Path,
) -> Result<(Stream, std::fs::File), SpawnError> {
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

fn stdin(plan: &LaunchPlan) -> Result<Stdio, SpawnError> {
    let path = plan.run_dir.input_fifo(plan.id);
    match plan.spec.stdin {
        Stdin::Null => Ok(Stdio::null()),
        Stdin::Pipe => match open_fifo(&path) {
            Ok(ends) => Ok(ends.childs.into()),
            Err(error) => Err(SpawnError::Output {
                program: plan.spec.command.first().cloned().unwrap_or_default(),
                path,
                reason: error.to_string(),
            }),
        },
    }
}

fn environment(plan: &LaunchPlan) -> BTreeMap<String, String> {
    let mut env: BTreeMap<String, String> =
        plan.spec.environment().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    env.insert(PROCESS_VAR.to_owned(), plan.mark.value());
    env.insert(INCARNATION_VAR.to_owned(), plan.incarnation.to_string());
    env
}

/// Takes hold of a child that is ours and unreaped, so that its pid cannot pass to anybody else.
fn pin(pid: u32, plan: &LaunchPlan) -> io::Result<(Identity, OwnedFd)> {
    let raw = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let raw = raw.ok_or_else(|| io::Error::other("the system gave an impossible pid"))?;
    plan.census.note_main(raw.as_raw_pid());
    let pinned = pidfd_open(raw, PidfdFlags::empty())
        .map_err(io::Error::from)
        .and_then(|pidfd| Ok((Identity::of(raw.as_raw_pid(), &plan.boot_id)?, pidfd)));
    match pinned {
        Ok(pinned) => {
            if let Some(limit) = &plan.open_files {
                // A program may end before this; it has no use for the limit then.
                let _ = rustix::process::prlimit(Some(raw), Resource::Nofile, *limit);
            }
            Ok(pinned)
        }
        Err(error) => {
            // Without a pidfd it could not be watched: better none than one that nobody knows of.
            let _ = rustix::process::kill_process_group(raw, Signal::KILL);
            let _ = rustix::process::waitpid(Some(raw), rustix::process::WaitOptions::empty());
            plan.census.forget_main(raw.as_raw_pid());
            Err(error)
        }
    }
}

/// Unix milliseconds now.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
