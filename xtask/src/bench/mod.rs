//! `cargo xtask bench`: measurements of the program that ships, alone and beside others. They report and judge nothing: what
//! a good figure is depends on the machine.

mod control;
mod dead_end;
mod distribution;
mod lifecycle;
mod memory;
mod options;
mod report;
mod statistics;
mod supervisor;
mod table;
mod web;
mod worker;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

/// Runs the benchmark that the first argument names.
pub fn bench(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    match arguments.split_first() {
        Some((name, options)) if name == "control" => control::run(workspace, options),
        Some((name, options)) if name == "lifecycle" => lifecycle::run(workspace, options),
        Some((name, options)) if name == "supervisor" => supervisor::run(workspace, options),
        Some((name, options)) if name == "web" => web::run(workspace, options),
        Some((name, options)) if name == "worker" => worker::run(workspace, options),
        Some((name, _)) => {
            bail!(
                "there is no benchmark `{name}`; there are: control, lifecycle, supervisor, web, worker"
            )
        }
        None => bail!("name a benchmark; there are: control, lifecycle, supervisor, web, worker"),
    }
}
