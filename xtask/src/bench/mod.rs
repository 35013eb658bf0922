//! `cargo xtask bench`: measurements of the program that ships. They report and judge nothing: what
//! a good figure is depends on the machine.

mod dead_end;
mod lifecycle;
mod memory;
mod options;
mod report;
mod statistics;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

/// Runs the benchmark that the first argument names.
pub fn bench(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    match arguments.split_first() {
        Some((name, options)) if name == "lifecycle" => lifecycle::run(workspace, options),
        Some((name, _)) => bail!("there is no benchmark `{name}`; there is: lifecycle"),
        None => bail!("name a benchmark; there is: lifecycle"),
    }
}
