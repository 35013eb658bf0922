//! Programs from Debian's packages, installed where we may.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::terminal::say;

/// Installs packages with apt-get when we are root. `missing` is told, with the packages, where that is not so
/// or fails.
pub fn install(packages: &[&str], missing: &str) -> Result<()> {
    let names = packages.join(" ");
    let missing = format!("{missing}: install {names}");
    if !rustix::process::geteuid().is_root() {
        bail!("{missing}");
    }
    say(format_args!("installing {names} with apt-get"));
    let wanted = ["install", "--yes", "--no-install-recommends"];
    let arguments: Vec<&str> = wanted.iter().chain(packages).copied().collect();
    // A fresh machine has no lists yet, or old ones.
    if apt_get(&arguments)? || (apt_get(&["update"])? && apt_get(&arguments)?) {
        return Ok(());
    }
    bail!("{missing}")
}

fn apt_get(arguments: &[&str]) -> Result<bool> {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    Ok(command.status().context("cannot run apt-get")?.success())
}
