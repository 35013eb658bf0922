//! `tenantry session reset`, `tenantry session reconnect`.

use clap::{Args, Subcommand};

use super::tenant::confirm;
use crate::cli::TenantReadArgs;
use crate::connection::{Environment, Reach};
use crate::reactor;
use crate::screen::Screen;
use crate::text::{clean, word};

#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// Delete a tenant's WhatsApp login, so that the next start shows a QR code
    Reset(ResetArgs),
    /// Connect a tenant's session now, however long its worker would wait before its next try
    Reconnect(TenantReadArgs),
}

#[derive(Debug, Args)]
pub struct ResetArgs {
    /// The tenant's slug or id
    tenant: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

/// Carries the command out.
///
/// # Errors
/// Whatever the server or the connection says.
pub fn run(
    command: &SessionCommand,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    match command {
        SessionCommand::Reset(args) => reset(args, environment, screen),
        SessionCommand::Reconnect(args) => {
            let client = args.read.reach.client(environment)?;
            let session = reactor::block_on(async { Ok(client.reconnect(&args.tenant).await?) })?;
            if args.read.json {
                return screen.json(&session);
            }
            Ok(screen
                .line(&format!("told to connect; see `tenantry status {}`", clean(&args.tenant)))?)
        }
    }
}

fn reset(args: &ResetArgs, environment: &Environment, screen: &mut Screen) -> anyhow::Result<()> {
    let client = args.reach.client(environment)?;
    let question = format!(
        "Delete the WhatsApp login of {}? Its owner will have to scan a QR code again.",
        clean(&args.tenant)
    );
    if !args.yes && !confirm(&question)? {
        return Ok(screen.line("nothing was changed")?);
    }
    let status = reactor::block_on(async { Ok(client.reset_session(&args.tenant).await?) })?;
    if args.json {
        return screen.json(&status);
    }
    let name = clean(&status.name);
    let worker = word(&status.worker.status);
    screen.line(&format!("the session of {name} is deleted; the worker is {worker}"))?;
    let hint = if status.worker.pid.is_some() { "qr" } else { "worker start" };
    Ok(screen.line(&format!("next: tenantry {hint} {}", clean(&args.tenant)))?)
}
