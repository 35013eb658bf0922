//! The project's own tasks, called as `cargo xtask <task>`.
//!
//! One module a task. All set-up that a newcomer would otherwise do by hand lives here.

mod apt;
mod bench;
mod cargo;
mod chaos;
mod check;
mod demo;
mod installation;
mod npm;
mod openapi;
mod pip;
mod postgres;
mod run;
mod terminal;
mod test;
mod web;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::terminal::{complain, say};
use crate::workspace::Workspace;

const USAGE: &str = "\
Usage: cargo xtask <task>

Tasks:
  run [-- ARGS]     build tenantry and run `tenantry server ARGS` in the foreground
  demo [--home DIR] [--keep] [--tenants N]
                    a control plane with three tenants (and N that stand still) on a simulated
                    WhatsApp network, whose phones are moved on a page of their own
  test [FILTER...]  build the programs, install what the tests need, then run every test (or
                    those that match), and without a filter the stories in a browser
  web               builds the web UI into web/dist, from where it goes into the program
  bench lifecycle [--rounds N] [--release | --program PATH] [--json]
                    times start, restart, force-restart and stop of a worker
  bench supervisor [--quick] [--sizes N,N] [--full] [--only NAME,NAME] [--program PATH] [--json]
                    the supervisor beside PM2, supervisord and s6
  bench worker [--sizes N,N] [--seconds N] [--program PATH] [--whatsim PATH] [--json]
                    memory, threads, start and answer times of fleets of workers
  bench control [--tenants N] [--seconds N] [--program PATH] [--database-url URL] [--json]
                    the control plane with ten thousand tenants: requests, beats, memory, start
  bench web [--minutes N] [--program PATH]
                    the web UI in a browser: first load, frames with ten thousand tenants, memory
  chaos --minutes N [--seed S] [--workers N]
                    kills the supervisor, its workers and its disks at random, and checks that nothing is lost
  chaos --messages --minutes N [--seed S]
                    kills workers, control plane and supervisor while contacts write
  openapi           writes docs/openapi.json anew
  check [NAME...]   formatting, lints, docs and the repository's own rules; all failures at once
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next().unwrap_or_default();
    match dispatch(&task, &arguments.collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs one task to its end.
fn dispatch(task: &str, arguments: &[String]) -> Result<()> {
    match task {
        "run" => run::run(&Workspace::locate()?, arguments),
        "demo" => demo::demo(&Workspace::locate()?, arguments),
        "test" => test::test(&Workspace::locate()?, arguments),
        "bench" => bench::bench(&Workspace::locate()?, arguments),
        "chaos" => chaos::chaos(&Workspace::locate()?, arguments),
        "web" => web::web(&Workspace::locate()?),
        "openapi" => openapi::write(&Workspace::locate()?),
        "check" => check::check(&Workspace::locate()?, arguments),
        "" | "help" | "-h" | "--help" => {
            say(USAGE.trim_end());
            Ok(())
        }
        other => bail!("there is no task `{other}`\n\n{USAGE}"),
    }
}
