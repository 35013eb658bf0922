//! What the control plane takes with many tenants, and how fast it answers.
//!
//! The program that ships runs against a real database. Only the supervisor is stood in for: ten thousand
//! workers would take the machine that is measured. The stand-in answers with what a real supervisor said of
//! one real process, under ten thousand names ([`stand_in`]); the workers' beats are real requests with
//! tokens of the installation's own key ([`beats`]).

mod beats;
mod http;
mod options;
mod report;
mod rows;
mod stage;
mod stand_in;
mod wrk;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use self::options::Options;
use self::report::Figures;
use self::stage::Stage;
use super::memory::proportional_kib;
use super::statistics::Summary;
use super::supervisor::members::{Member, cpu_seconds};
use crate::cargo::build_release;
use crate::installation::wait;
use crate::terminal::{complain, say};
use crate::workspace::Workspace;

/// How long a control plane that has just become ready is left alone.
const REST: Duration = Duration::from_secs(5);

/// How often workers beat (`heartbeat_interval_ms`).
const BEAT: Duration = Duration::from_secs(30);

/// Measures and reports.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let options = Options::read(arguments)?;
    let program = match &options.program {
        Some(program) => program
            .canonicalize()
            .with_context(|| format!("there is no program {}", program.display()))?,
        None => build_release(workspace)?,
    };
    wait::catch_interrupts()?;
    wrk::make_sure()?;
    let figures = measure(&program, &options)?;
    if options.json {
        say(format_args!("{:#}", figures.json()));
    } else {
        say(figures.table());
    }
    Ok(())
}

fn measure(program: &std::path::Path, options: &Options) -> Result<Figures> {
    let folder = tempfile::Builder::new().prefix("tenantry-bench-").tempdir()?;
    complain(format_args!("making {} tenants", options.tenants));
    let stage = Stage::prepare(program, folder.path(), options)?;
    complain("starting");
    let mut ready = Vec::new();
    for _ in 0..options.starts {
        let server = stage.start(&[])?;
        ready.push(server.ready_after);
    }
    let server = stage.start(&[])?;
    let process = [Member { pid: server.pid(), role: "tenantry server".to_owned() }];
    std::thread::sleep(REST);
    let fresh_kib = proportional_kib(server.pid())?;

    complain(format_args!("{fresh_kib} KiB, ready after {ready:?}"));

    complain("beating");
    let tokens = stage.tokens()?;
    // Every worker is heard once before anything is measured.
    beats::beat(&stage.link(), &tokens, Duration::ZERO)?;
    // What that changed is written down meanwhile.
    std::thread::sleep(REST * 4);
    let (cpu, begun) = (cpu_seconds(&process)?, Instant::now());
    let quiet = Duration::from_secs(options.seconds);
    std::thread::sleep(quiet);
    let idle = 100.0 * (cpu_seconds(&process)? - cpu) / begun.elapsed().as_secs_f64();
    let (cpu, begun) = (cpu_seconds(&process)?, Instant::now());
    let beats = beats::beat(&stage.link(), &tokens, BEAT)?;
    let beating = 100.0 * (cpu_seconds(&process)? - cpu) / begun.elapsed().as_secs_f64();

    complain(format_args!("{idle:.2} % of one core without, {beating:.2} % with"));

    complain("asking for states");
    let (cpu, begun) = (cpu_seconds(&process)?, Instant::now());
    let status = wrk::statuses(&server, &stage, options)?;
    let asking = 100.0 * (cpu_seconds(&process)? - cpu) / begun.elapsed().as_secs_f64();
    complain(format_args!("{:.0} requests/s, p99 {} µs", status.rate(), status.p99));
    std::thread::sleep(REST);
    let used_kib = proportional_kib(server.pid())?;
    drop(server);

    complain("looking for stale workers");
    let looks = stage.stale_looks(options.looks)?;
    Ok(Figures {
        tenants: options.tenants,
        database: options.database(),
        ready: Summary::of(&ready).context("no start was measured")?,
        fresh_kib,
        used_kib,
        idle,
        beating,
        beat: Summary::of(&beats).context("no beat was measured")?,
        status,
        asking,
        look: Summary::of(&looks).context("no look was measured")?,
    })
}
