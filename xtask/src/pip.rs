//! Programs from PyPI that tests need, installed below `target`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::npm::target;
use crate::terminal::say;
use crate::workspace::Workspace;

/// Python's own way to a folder of packages; Debian has it apart.
const PACKAGES: [&str; 2] = ["python3", "python3-venv"];

/// Schemathesis, which calls the API with whatever its document allows, in the version that
/// `xtask/pip/schemathesis.txt` pins; installed when it is not there yet.
pub fn schemathesis(workspace: &Workspace) -> Result<PathBuf> {
    let source = workspace.root().join("xtask/pip/schemathesis.txt");
    let folder = target(workspace).join("tools/schemathesis");
    let program = folder.join("bin/schemathesis");
    let done = folder.join("installed.txt");
    let wanted =
        std::fs::read(&source).with_context(|| format!("cannot read {}", source.display()))?;
    if program.is_file() && std::fs::read(&done).is_ok_and(|there| there == wanted) {
        return Ok(program);
    }
    say(format_args!("installing schemathesis from PyPI into {}", folder.display()));
    make_environment(&folder)?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&source);
    if !succeeds(&mut pip)? {
        // What is half there must not pass for whole.
        let _ = std::fs::remove_dir_all(&folder);
        bail!("pip could not install schemathesis; its words stand above (does it reach PyPI?)");
    }
    std::fs::write(&done, wanted)?;
    Ok(program)
}

fn make_environment(folder: &Path) -> Result<()> {
    let make = || {
        let mut python = Command::new("python3");
        python.args(["-m", "venv", "--clear"]).arg(folder);
        succeeds(&mut python).unwrap_or(false)
    };
    if make() {
        return Ok(());
    }
    let missing =
        format!("Python 3 with its module venv is missing: install {}", PACKAGES.join(" and "));
    if !rustix::process::geteuid().is_root() {
        bail!("{missing}");
    }
    say(format_args!("installing {} with apt-get", PACKAGES.join(" and ")));
    let mut apt = Command::new("apt-get");
    apt.args(["install", "--yes", "--no-install-recommends"]).args(PACKAGES);
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    if !succeeds(&mut apt)? || !make() {
        bail!("{missing}");
    }
    Ok(())
}

fn succeeds(command: &mut Command) -> Result<bool> {
    let status = command.stdin(Stdio::null()).status();
    Ok(status.with_context(|| format!("cannot run {command:?}"))?.success())
}
