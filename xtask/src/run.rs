//! `cargo xtask run`: the control plane in the foreground.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::cargo::{build_programs, without_own_variables};
use crate::terminal::say;
use crate::web;
use crate::workspace::Workspace;

/// Builds `tenantry` and becomes `tenantry server`, so that signals reach the server itself.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    web::build(workspace)?;
    let programs = build_programs(workspace, &["tenantry"])?;
    let program = &programs["tenantry"];
    say(how_to_call(program, std::env::current_dir().ok().as_deref()));
    let arguments = arguments.strip_prefix(&["--".to_owned()]).unwrap_or(arguments);
    let mut command = Command::new(program);
    without_own_variables(&mut command).arg("server").args(arguments);
    Err(command.exec()).with_context(|| format!("cannot run {}", program.display()))
}

/// The lines that let a second terminal call `program`, relative to `here` where it lies below.
fn how_to_call(program: &Path, here: Option<&Path>) -> String {
    let shown = here
        .and_then(|here| program.strip_prefix(here).ok())
        .map_or_else(|| program.display().to_string(), |path| format!("./{}", path.display()));
    format!("In another terminal: alias tenantry='{shown}'\nThen: tenantry --help\n")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::how_to_call;

    #[test]
    fn the_alias_is_relative_below_the_current_folder_only() {
        let program = Path::new("/repo/target/debug/tenantry");
        let inside = how_to_call(program, Some(Path::new("/repo")));
        assert!(inside.contains("alias tenantry='./target/debug/tenantry'"));
        let outside = how_to_call(program, Some(Path::new("/elsewhere")));
        assert!(outside.contains("alias tenantry='/repo/target/debug/tenantry'"));
    }
}
