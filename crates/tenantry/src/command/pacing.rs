//! `tenantry pacing`: show, set, off, default.

use api::pacing::{Pacing, PacingView};
use clap::{Args, Subcommand};
use serde_json::Value;

use super::rules::document;
use crate::cli::TenantReadArgs;
use crate::connection::{Environment, Reach};
use crate::reactor;
use crate::screen::Screen;
use crate::text::clean;

#[derive(Debug, Subcommand)]
pub enum PacingCommand {
    /// Print how a tenant's bot paces itself as TOML, ready to be changed and set again
    Show(TenantReadArgs),
    /// Replace a tenant's pacing; a running bot uses it at once
    Set(SetArgs),
    /// No pacing but the tenant's answers in a minute: for measurements, and for who knows
    Off(ChangeArgs),
    /// Go back to the defaults
    Default(ChangeArgs),
}

#[derive(Debug, Args)]
pub struct SetArgs {
    /// The tenant's slug or id
    tenant: String,
    /// A file with the pacing, TOML or JSON; - reads it from the standard input. What is left out has
    /// its default
    file: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, Args)]
pub struct ChangeArgs {
    /// The tenant's slug or id
    tenant: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

/// Carries the command out.
///
/// # Errors
/// Whatever the server or the connection says, or a file that cannot be read.
pub fn run(
    command: PacingCommand,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let (args, pacing) = match command {
        PacingCommand::Show(args) => return show(&args, environment, screen),
        PacingCommand::Set(args) => {
            let pacing = document::read(&args.file)?;
            (ChangeArgs { tenant: args.tenant, json: args.json, reach: args.reach }, pacing)
        }
        PacingCommand::Off(args) => (args, serde_json::to_value(Pacing::off())?),
        PacingCommand::Default(args) => (args, serde_json::to_value(Pacing::default())?),
    };
    set(&args, &pacing, environment, screen)
}

fn show(
    args: &TenantReadArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let client = args.read.reach.client(environment)?;
    let view = reactor::block_on(async { Ok(client.pacing(&args.tenant).await?) })?;
    if args.read.json {
        return screen.json(&view);
    }
    Ok(screen.write(&document::toml(&serde_json::to_value(&view.pacing)?)?)?)
}

fn set(
    args: &ChangeArgs,
    pacing: &Value,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let client = args.reach.client(environment)?;
    let view = reactor::block_on(async { Ok(client.set_pacing(&args.tenant, pacing).await?) })?;
    if args.json {
        return screen.json(&view);
    }
    let PacingView { version, pacing } = view;
    let tenant = clean(&args.tenant);
    Ok(screen.line(&format!("pacing of {tenant}: {pacing} (version {version} of its settings)"))?)
}
