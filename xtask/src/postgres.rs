//! The PostgreSQL server that the tests of a run share.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use pgtest::Cluster;

use crate::terminal::say;

/// Starts a server, whose programs are installed before that where we may.
pub fn start() -> Result<Cluster> {
    if !pgtest::is_installed() {
        install()?;
    }
    Ok(Cluster::start())
}

fn install() -> Result<()> {
    let package = pgtest::PACKAGE;
    let missing = format!(
        "PostgreSQL's programs are missing (initdb, postgres and psql in /usr/lib/postgresql/*/bin or in PATH): install the package {package}"
    );
    if !rustix::process::geteuid().is_root() {
        bail!("{missing}");
    }
    say(format_args!("installing {package} with apt-get"));
    // The package's own server is not wanted, only its programs.
    let installed = Command::new("apt-get")
        .args(["install", "--yes", "--no-install-recommends", package])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .status()
        .context(missing.clone())?;
    if !installed.success() || !pgtest::is_installed() {
        bail!("{missing}");
    }
    Ok(())
}
