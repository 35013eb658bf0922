//! Programs from npm that tests and benchmarks need, installed below `target`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::terminal::say;
use crate::workspace::Workspace;

/// The declaration and the lock of what is installed: `npm ci` takes exactly these versions.
const DECLARATION: [&str; 2] = ["package.json", "package-lock.json"];

/// The `pm2` program, in the version that `xtask/npm/pm2` pins; installed when it is not there yet.
pub fn pm2(workspace: &Workspace) -> Result<PathBuf> {
    let folder = install(workspace, "pm2")?;
    Ok(folder.join("node_modules/.bin/pm2"))
}

/// Baileys, a second WhatsApp client, in the version that `xtask/npm/baileys` pins; installed when
/// it is not there yet.
pub fn baileys(workspace: &Workspace) -> Result<()> {
    install(workspace, "baileys").map(|_| ())
}

/// Installs what `xtask/npm/<name>` declares, unless exactly that is there. Gives the folder.
fn install(workspace: &Workspace, name: &str) -> Result<PathBuf> {
    let source = workspace.root().join("xtask/npm").join(name);
    let folder = target(workspace).join("tools").join(name);
    require("node", name)?;
    // npm writes its own lock last, when everything is in place.
    let done = folder.join("node_modules/.package-lock.json");
    if done.is_file() && is_same(&source, &folder) {
        return Ok(folder);
    }
    require("npm", name)?;
    say(format_args!("installing {name} from npm into {}", folder.display()));
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for file in DECLARATION {
        std::fs::copy(source.join(file), folder.join(file))
            .with_context(|| format!("cannot copy {file} of {name}"))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]);
    let status =
        npm.current_dir(&folder).stdin(Stdio::null()).status().context("cannot run npm")?;
    if !status.success() {
        // What is half there must not pass for whole.
        let _ = std::fs::remove_dir_all(&folder);
        bail!("npm could not install {name}; its words stand above (does it reach its registry?)");
    }
    Ok(folder)
}

/// Whether the folder holds what is declared now.
fn is_same(source: &Path, folder: &Path) -> bool {
    DECLARATION.iter().all(|file| {
        let read = |folder: &Path| std::fs::read(folder.join(file)).ok();
        read(source).is_some_and(|declared| read(folder) == Some(declared))
    })
}

/// Where Cargo builds, and so where tests look for tools.
pub fn target(workspace: &Workspace) -> PathBuf {
    let set = std::env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty());
    workspace.root().join(set.map_or_else(|| PathBuf::from("target"), PathBuf::from))
}

/// An error when a program is not there; `wanted` is what needs it.
pub fn require(program: &str, wanted: &str) -> Result<()> {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("`{program} --version` ended with {status}, and {wanted} needs it"),
        Err(error) => bail!(
            "`{program}` does not run ({error}), and {wanted} needs it; install Node.js 20.19 or \
             newer with npm"
        ),
    }
}
