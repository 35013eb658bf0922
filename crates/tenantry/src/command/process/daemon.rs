//! `kill`, `ping` and `update`: the supervisor itself.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use supervisor::client::Client;
use supervisor::wire::{BatchAction, ShutdownRequest};

use super::batch;
use super::call::{Call, Output};
use crate::called::Called;
use crate::command::supervisor::become_program;

#[derive(Debug, Args)]
pub struct KillArgs {
    /// Keep the list: the next supervisor starts the processes again (the default of `tenantry`)
    #[arg(long, conflicts_with = "forget")]
    keep: bool,
    /// Forget the processes (the default of `pm2`)
    #[arg(long)]
    forget: bool,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct DaemonArgs {
    #[command(flatten)]
    pub output: Output,
}

/// Ends all processes and the supervisor.
///
/// # Errors
/// When it does not.
pub async fn kill(args: &KillArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let client = call.client()?;
    // Also takes over what a killed supervisor has left behind.
    let rows = call.rows(&client).await?;
    if call.info(&client).await?.is_none() {
        call.say("no supervisor runs")?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.forget || (!args.keep && call.place.called() != Called::Tenantry) {
        let ids = rows.iter().map(|row| row.id).collect();
        let outcome = batch::act_plainly(&client, BatchAction::Delete, ids).await?;
        batch::tell(call, "deleted", &outcome)?;
    }
    client.shutdown(&ShutdownRequest { stop_processes: true }).await?;
    gone(&client, call).await?;
    call.say("supervisor ended")?;
    Ok(ExitCode::SUCCESS)
}

/// Waits until nobody answers any more: the next command must not meet the supervisor that is leaving.
async fn gone(client: &Client, call: &Call<'_>) -> anyhow::Result<()> {
    const PAUSE: std::time::Duration = std::time::Duration::from_millis(10);
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
    let wait = async {
        while call.info(client).await.is_ok_and(|info| info.is_some())
            || call.place.run_dir().join("supervisor.pid").exists()
        {
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.context("the supervisor does not leave")
}

/// Says whether a supervisor answers.
///
/// # Errors
/// When something else does.
pub async fn ping(_: &DaemonArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let Some(info) = call.info(&call.client()?).await? else {
        call.say("no supervisor runs")?;
        return Ok(ExitCode::FAILURE);
    };
    if call.output.json {
        call.screen.json(&info)?;
    } else {
        call.say(&format!(
            "pong: supervisor {} (pid {}), {} processes",
            info.version, info.pid, info.processes
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Has the supervisor become the program on the disk; no process notices.
///
/// # Errors
/// When it cannot; the old one goes on then.
pub async fn update(_: &DaemonArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let client = call.client()?;
    if call.info(&client).await?.is_none() {
        call.launch(&client).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let now = become_program(&client, program).await?;
    call.say(&format!(
        "the supervisor (pid {}) is now version {}; it kept {} running processes",
        now.pid, now.version, now.adopted
    ))?;
    Ok(ExitCode::SUCCESS)
}
