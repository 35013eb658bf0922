//! PM2's commands that only its cloud, its modules or Node itself give a meaning to.

use std::process::ExitCode;

use clap::Args;

#[derive(Debug, Args)]
pub struct Anything {
    /// Whatever it is called with
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub words: Vec<String>,
}

/// Says why a command does nothing here.
///
/// # Errors
/// Always: that is what it is for.
pub fn refuse(why: &str) -> anyhow::Result<ExitCode> {
    anyhow::bail!("this command of PM2 is not supported: {why}")
}

/// The service of PM2's makers.
pub const CLOUD: &str = "it needs the pm2.io service, which nothing here speaks to";
/// Programs from npm that PM2 runs inside itself.
pub const MODULES: &str = "there are no PM2 modules here; start the program as any other";
/// What PM2 loads into Node programs.
pub const NODE: &str = "it needs code inside the Node process, and nothing is loaded into it here";
/// What others do better.
pub const SOURCES: &str = "fetching sources is left to git and to your deployment tool; `reload` then takes them into use";
