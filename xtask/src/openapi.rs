//! `cargo xtask openapi`, and the check that the checked-in document is the program's.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::cargo::build_programs;
use crate::terminal::say;
use crate::workspace::Workspace;

/// Where the document lies.
const DOCUMENT: &str = "docs/openapi.json";

/// Writes the document anew.
pub fn write(workspace: &Workspace) -> Result<()> {
    let path = workspace.root().join(DOCUMENT);
    fs::write(&path, document(workspace)?).with_context(|| format!("cannot write {DOCUMENT}"))?;
    say(format_args!("{DOCUMENT} is written"));
    Ok(())
}

/// What differs between the document and the program: nothing, or a line with the remedy.
pub fn drift(workspace: &Workspace) -> Result<Vec<String>> {
    let lies = fs::read_to_string(workspace.root().join(DOCUMENT)).unwrap_or_default();
    if lies == document(workspace)? {
        return Ok(Vec::new());
    }
    Ok(vec![format!("{DOCUMENT} is not what the program says; run `cargo xtask openapi`")])
}

fn document(workspace: &Workspace) -> Result<String> {
    let programs = build_programs(workspace, &["tenantry"])?;
    let said = Command::new(&programs["tenantry"]).arg("openapi").output()?;
    if !said.status.success() {
        bail!("`tenantry openapi` failed: {}", String::from_utf8_lossy(&said.stderr));
    }
    Ok(String::from_utf8(said.stdout)?)
}
