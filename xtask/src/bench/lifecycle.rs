//! How long the actions on a worker take, as the caller of the HTTP interface sees it.
//!
//! A request is answered when its effect has been observed, so the time of the request is the time
//! of the action. Every answer is checked against the process itself, outside the measured time: a
//! quick answer that is not true would be no good figure.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::dead_end::DeadEnd;
use super::memory::proportional_kib;
use super::options::{Options, Subject, WARM_UP};
use super::report::{ActionFigures, Memory, Report, WorkerFigures};
use super::statistics::Summary;
use crate::cargo::{build_programs, build_release};
use crate::installation::home::Home;
use crate::installation::http::Service;
use crate::installation::server::Server;
use crate::installation::wait;
use crate::terminal::{complain, say};
use crate::workspace::Workspace;

/// The actions of a round in their order: a round begins and ends with a stopped worker.
const ACTIONS: [&str; 4] = ["start", "restart", "force-restart", "stop"];

/// How long the processes are left alone before their memory is read: start-up is over by then.
const REST: Duration = Duration::from_secs(2);

/// Measures and reports.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let options = Options::read(arguments)?;
    let program = program(workspace, &options.subject)?;
    wait::catch_interrupts()?;
    let report = measure(&program, &options)?;
    if options.json {
        say(format_args!("{:#}", report.json()));
    } else {
        say(report.table());
    }
    Ok(())
}

/// The file to measure, absolute.
fn program(workspace: &Workspace, subject: &Subject) -> Result<PathBuf> {
    match subject {
        Subject::Dev => {
            let mut programs = build_programs(workspace, &["tenantry"])?;
            programs.remove("tenantry").context("the build made no `tenantry`")
        }
        Subject::Release => build_release(workspace),
        Subject::Given(program) => program
            .canonicalize()
            .with_context(|| format!("there is no program {}", program.display())),
    }
}

fn measure(program: &Path, options: &Options) -> Result<Report> {
    let folder = tempfile::Builder::new().prefix("tenantry-bench-").tempdir()?;
    let home = Home::claim(folder.path(), false)?;
    let nowhere = DeadEnd::reserve()?;
    let whatsapp = format!("ws://{}", nowhere.address());
    // Dropped before the home and its folder: the processes end first.
    let mut server = Server::start(
        program,
        &home,
        &[("PORT", "0"), ("WHATSAPP_URL", &whatsapp), ("LOG_LEVEL", "info")],
    )?;
    let admin = server.admin()?;
    let mut subjects = [
        Worker::add(&admin, "own command", &json!(["sleep", "1000000"]))?,
        Worker::add(&admin, "tenantry worker", &Value::Null)?,
    ];
    for round in 0..options.rounds {
        for worker in &mut subjects {
            if wait::interrupted() {
                bail!("interrupted in round {} of {}", round + 1, options.rounds);
            }
            server.check()?;
            worker.round(&admin, round >= WARM_UP)?;
        }
        if (round + 1) % 10 == 0 {
            complain(format_args!("round {} of {}", round + 1, options.rounds));
        }
    }
    let memory = memory(&server, &admin, &mut subjects)?;
    Ok(Report {
        program: program.to_path_buf(),
        profile: options.subject.profile(),
        binary_bytes: std::fs::metadata(program)?.len(),
        cores: std::thread::available_parallelism()?.get(),
        rounds: options.rounds,
        workers: subjects.iter().map(Worker::figures).collect::<Result<_>>()?,
        memory,
    })
}

/// The memory of every part once both workers run and have come to rest.
fn memory(server: &Server<'_>, admin: &Service, workers: &mut [Worker]) -> Result<Vec<Memory>> {
    let mut processes = Vec::new();
    for worker in workers {
        worker.act(admin, "start")?;
        let pid = worker.process.context("a started worker has a process")?;
        processes.push((format!("worker: {}", worker.label), pid));
    }
    processes.push(("supervisor".to_owned(), server.supervisor_pid()?));
    processes.push(("control plane".to_owned(), server.pid()));
    std::thread::sleep(REST);
    let read = |(process, pid)| Ok(Memory { process, pss_kib: proportional_kib(pid)? });
    processes.into_iter().map(read).collect()
}

/// A worker that is measured, with what was measured so far.
struct Worker {
    label: &'static str,
    tenant: String,
    /// Its process as of the last answer; none while stopped.
    process: Option<u32>,
    /// The measured times of each of [`ACTIONS`], in their order.
    times: [Vec<Duration>; ACTIONS.len()],
}

impl Worker {
    /// Makes a tenant with this command (null: `tenantry worker run`). Its worker is not started.
    fn add(admin: &Service, label: &'static str, command: &Value) -> Result<Self> {
        let mut tenant = json!({"name": label});
        if !command.is_null() {
            tenant["command"] = command.clone();
        }
        let made = admin.demand("POST", "/admin/tenants", Some(&tenant))?;
        let id = made["id"].as_str().context("the new tenant has no id")?;
        Ok(Self { label, tenant: id.to_owned(), process: None, times: Default::default() })
    }

    /// Every action once; the times are kept if `measured`.
    fn round(&mut self, admin: &Service, measured: bool) -> Result<()> {
        for (index, action) in ACTIONS.into_iter().enumerate() {
            let taken = self.act(admin, action)?;
            if let (true, Some(times)) = (measured, self.times.get_mut(index)) {
                times.push(taken);
            }
        }
        Ok(())
    }

    /// Carries out an action and returns how long its request took. An answer that does not say what
    /// the action is for, or that is not true, is an error.
    fn act(&mut self, admin: &Service, action: &str) -> Result<Duration> {
        let path = format!("/admin/tenants/{}/worker/{action}", self.tenant);
        let begun = Instant::now();
        let answer = admin.demand("POST", &path, None);
        let taken = begun.elapsed();
        let answer = answer.with_context(|| format!("{action} of {}", self.label))?;
        let before = self.process.take();
        self.process = observed(action, &answer)
            .with_context(|| format!("{action} of {} was answered with {answer}", self.label))?;
        if let Some(old) = before {
            ensure!(!exists(old), "after {action} of {}, process {old} is there", self.label);
        }
        if let Some(new) = self.process {
            ensure!(exists(new), "after {action} of {}, process {new} is not there", self.label);
        }
        Ok(taken)
    }

    fn figures(&self) -> Result<WorkerFigures> {
        let mut actions = Vec::new();
        for (action, times) in ACTIONS.into_iter().zip(&self.times) {
            let summary = Summary::of(times).context("nothing was measured")?;
            actions.push(ActionFigures { action, count: times.len(), summary });
        }
        Ok(WorkerFigures { worker: self.label, actions })
    }
}

/// The process that runs after an action by its answer: none after `stop`, else one.
fn observed(action: &str, answer: &Value) -> Result<Option<u32>> {
    ensure!(answer["success"] == true, "it was not observed in time");
    let worker = &answer["worker"];
    if action == "stop" {
        ensure!(worker["status"] == "STOPPED" && worker["pid"].is_null(), "it is not stopped");
        return Ok(None);
    }
    ensure!(worker["status"] == "RUNNING", "it is not running");
    let pid = worker["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
    Ok(Some(pid.context("it has no process")?))
}

/// Whether there is a process, a zombie included.
fn exists(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{exists, observed};

    fn answer(success: bool, status: &str, pid: &Value) -> Value {
        json!({"success": success, "worker": {"status": status, "pid": pid}})
    }

    #[test]
    fn only_an_observed_effect_counts() {
        assert_eq!(observed("start", &answer(true, "RUNNING", &json!(7))).unwrap(), Some(7));
        assert_eq!(observed("stop", &answer(true, "STOPPED", &Value::Null)).unwrap(), None);
        assert!(observed("start", &answer(false, "STARTING", &json!(7))).is_err());
        assert!(observed("restart", &answer(true, "RUNNING", &Value::Null)).is_err());
        assert!(observed("stop", &answer(true, "RUNNING", &json!(7))).is_err());
        assert!(observed("start", &json!({})).is_err());
    }

    #[test]
    fn this_process_exists() {
        assert!(exists(std::process::id()));
        assert!(!exists(u32::MAX));
    }
}
