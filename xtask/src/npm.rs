//! Programs from npm, each in a folder of its own below `target`.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

/// The release of PM2 that is compared with: figures of another one could not stand beside it.
const PM2: &str = "pm2@7.0.4";

/// The program `pm2`, installed by npm at the first call.
pub fn pm2(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.root().join("target").join("tools").join(PM2);
    let program = folder.join("node_modules").join(".bin").join("pm2");
    if program.exists() {
        return Ok(program);
    }
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let output = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"])
        .arg(&folder)
        .arg(PM2)
        .stdin(Stdio::null())
        .output()
        .context("npm does not run; install Node.js with npm")?;
    if !output.status.success() || !program.exists() {
        bail!("npm cannot install {PM2}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(program)
}
