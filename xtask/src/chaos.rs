//! `cargo xtask chaos`: the chaos and crash tests of the supervisor, for as long as one likes.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::cargo::{build_programs, without_own_variables};
use crate::workspace::Workspace;

/// Builds the programs and becomes `chaos`, which explains its arguments itself.
pub fn chaos(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let programs = build_programs(workspace, &["chaos"])?;
    let program = &programs["chaos"];
    let mut command = Command::new(program);
    without_own_variables(&mut command).args(arguments);
    Err(command.exec()).with_context(|| format!("cannot run {}", program.display()))
}
