//! What a fleet of paired workers takes, and how fast it answers, on a simulated network.
//!
//! The whole system runs: control plane, supervisor, one `tenantry worker run` for each tenant. Nothing is
//! taken out but the pace that protects numbers from bans, which would be all that is measured.

mod chat;
mod fleet;
mod options;
mod report;
mod usage;
mod watch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use self::fleet::Fleet;
use self::options::Options;
use self::report::Figures;
use self::watch::Watch;
use super::memory::proportional_kib;
use super::statistics::Summary;
use crate::cargo::{build_programs, build_release};
use crate::installation::home::Home;
use crate::installation::server::Server;
use crate::installation::simulator::Simulator;
use crate::installation::wait;
use crate::terminal::{complain, say};
use crate::workspace::Workspace;

/// How long a fleet is left alone before it counts as idle: what the start needed is given back by then.
const REST: Duration = Duration::from_secs(15);

/// How long an idle fleet is watched: as long as a worker's longest pause between two wake-ups.
const IDLE: Duration = Duration::from_secs(30);

/// How many workers are started alone.
const LONE: usize = 7;

/// How often each person writes in the burst.
const BURST: usize = 4;

/// Measures and reports.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let options = Options::read(arguments)?;
    let program = match &options.program {
        Some(program) => existing(program)?,
        None => build_release(workspace)?,
    };
    let whatsim = match &options.whatsim {
        Some(program) => existing(program)?,
        None => {
            let mut programs = build_programs(workspace, &["whatsim"])?;
            programs.remove("whatsim").context("the build made no `whatsim`")?
        }
    };
    wait::catch_interrupts()?;
    let mut all = Vec::new();
    for size in &options.sizes {
        complain(format_args!("{size} workers"));
        all.push(measure(&program, &whatsim, *size, options.chat)?);
    }
    if options.json {
        say(format_args!("{:#}", report::json(&all)));
    } else {
        say(report::table(&all));
    }
    Ok(())
}

fn existing(program: &Path) -> Result<PathBuf> {
    program.canonicalize().with_context(|| format!("there is no program {}", program.display()))
}

fn measure(program: &Path, whatsim: &Path, size: usize, length: Duration) -> Result<Figures> {
    let folder = tempfile::Builder::new().prefix("tenantry-bench-").tempdir()?;
    let home = Home::claim(folder.path(), false)?;
    // Dropped in reverse: the workers end before the simulator, both before the folder.
    let simulator = Simulator::start(whatsim, &home)?;
    let variables = [("PORT", "0"), ("WHATSAPP_URL", simulator.ws_url()), ("LOG_LEVEL", "info")];
    let server = Server::start(program, &home, &variables)?;
    let watch = Watch::begin(simulator.http_url())?;
    let fleet = Fleet::make(size, server.admin()?, &simulator, &home)?;
    complain("pairing");
    fleet.pair(&watch)?;
    complain("starting on known sessions");
    let start_all = fleet.start_again(&watch)?;
    let start = Summary::of(&fleet.lone_starts(program, &home, &watch, LONE)?);
    complain("resting");
    std::thread::sleep(REST);
    let workers = usage::workers(&home)?;
    let idle = usage::idle(&workers, IDLE)?;
    let (plane_kib, supervisor_kib) =
        (proportional_kib(server.pid())?, proportional_kib(server.supervisor_pid()?)?);
    complain("chatting");
    let calm = chat::once_a_minute(size, length);
    let answered = chat::hold(&calm, &fleet.members, &simulator, &watch)?;
    let storm = chat::at_once(size, BURST);
    let burst = chat::hold(&storm, &fleet.members, &simulator, &watch)?;
    chat::check(calm.len() + storm.len(), &fleet.members, &simulator)?;
    Ok(Figures {
        workers: size,
        idle,
        start: start.context("no start was measured")?,
        start_all,
        answer: Summary::of(&answered.times).context("no answer was measured")?,
        answers: answered.times.len(),
        burst: burst.times.len() as f64 / burst.taken.as_secs_f64(),
        plane_kib,
        supervisor_kib,
    })
}
