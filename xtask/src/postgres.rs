//! The PostgreSQL server that the tests of a run share.

use anyhow::{Result, bail};
use pgtest::Cluster;

use crate::apt;

/// Starts a server, whose programs are installed before that where we may.
pub fn start() -> Result<Cluster> {
    if !pgtest::is_installed() {
        install()?;
    }
    Ok(Cluster::start())
}

fn install() -> Result<()> {
    let missing = "PostgreSQL's programs are missing (initdb, postgres and psql in /usr/lib/postgresql/*/bin or in PATH)";
    // The package's own server is not wanted, only its programs.
    apt::install(&[pgtest::PACKAGE], missing)?;
    if !pgtest::is_installed() {
        bail!("{missing}, also after {} was installed", pgtest::PACKAGE);
    }
    Ok(())
}
