//! Programs from PyPI that tests need, installed below `target`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::apt;
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
    let missing = "Python 3 with its module venv is missing";
    apt::install(&PACKAGES, missing)?;
    if !make() {
        bail!("{missing}, also after {} were installed", PACKAGES.join(" and "));
    }
    Ok(())
}

fn succeeds(command: &mut Command) -> Result<bool> {
    let status = command.stdin(Stdio::null()).status();
    Ok(status.with_context(|| format!("cannot run {command:?}"))?.success())
}
