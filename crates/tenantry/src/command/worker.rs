//! `tenantry worker`: a tenant's bot itself (`run`), and the operator's verbs on it.

use std::process::ExitCode;
use std::time::Duration;

use api::worker::{LifecycleAction, LifecycleAnswer};
use clap::{Args, Subcommand};

use crate::connection::{Environment, Reach};
use crate::screen::Screen;
use crate::text::{clean, word};
use crate::{reactor, shutdown};

#[derive(Debug, Subcommand)]
pub enum WorkerCommand {
    /// Run one tenant's bot; the environment says which (docs/worker-contract.md)
    Run,
    /// Start a tenant's worker
    Start(ActionArgs),
    /// Stop a tenant's worker
    Stop(ActionArgs),
    /// Stop a tenant's worker, then start it
    Restart(ActionArgs),
    /// Kill a tenant's worker if need be, then start it afresh
    ForceRestart(ActionArgs),
}

#[derive(Debug, Args)]
pub struct ActionArgs {
    /// The tenant's slug or id
    tenant: String,
    /// Wait so many seconds at most for the effect [default: what the server is set to]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    wait: Option<f64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

/// A number of seconds, decimals allowed.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=600.0).contains(&seconds) => Ok(seconds),
        Ok(_) | Err(_) => Err("give a number of seconds from 0 to 600".to_owned()),
    }
}

/// Carries the command out. The exit code is 1 when the wait ended before the effect was there.
///
/// # Errors
/// Whatever went wrong.
pub fn run(
    command: WorkerCommand,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    match command {
        WorkerCommand::Run => run_bot(environment),
        WorkerCommand::Start(args) => act(&args, LifecycleAction::Start, environment, screen),
        WorkerCommand::Stop(args) => act(&args, LifecycleAction::Stop, environment, screen),
        WorkerCommand::Restart(args) => act(&args, LifecycleAction::Restart, environment, screen),
        WorkerCommand::ForceRestart(args) => {
            act(&args, LifecycleAction::ForceRestart, environment, screen)
        }
    }
}

fn act(
    args: &ActionArgs,
    action: LifecycleAction,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    let client = args.reach.client(environment)?;
    let answer =
        reactor::block_on(async { Ok(client.lifecycle(&args.tenant, action, args.wait).await?) })?;
    if args.json {
        screen.json(&answer)?;
    } else {
        screen.line(&sentence(&args.tenant, &answer))?;
    }
    Ok(if answer.success { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What became of the action.
fn sentence(tenant: &str, answer: &LifecycleAnswer) -> String {
    let worker = &answer.worker;
    let mut text = format!("{} is {}", worker.name, word(&worker.status));
    if let Some(pid) = worker.pid {
        text.push_str(&format!(" (pid {pid})"));
    }
    if let Some(error) = worker.last_error.as_ref().filter(|_| !answer.success) {
        text.push_str(&format!(": {}", clean(error)));
    }
    if !answer.success {
        text.push_str(&format!(
            "\nthe wait is over and it goes on; look with `tenantry status {}`",
            clean(tenant)
        ));
    }
    text
}

/// How long a blocking call of a worker that has ended may go on: a worker ends within a second, of which it
/// needs most for its goodbye.
const LAST_CALLS: Duration = Duration::from_millis(50);

/// The worker proper. Its log goes to stderr, where the supervisor takes it from.
fn run_bot(environment: &Environment) -> anyhow::Result<ExitCode> {
    let level = environment.variable("LOG_LEVEL").filter(|level| !level.trim().is_empty());
    logging::init(logging::Config {
        level: level.as_deref().unwrap_or("info"),
        output: logging::Output::stderr(),
    })?;
    // A variable that is not text belongs to none of the contract's.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    reactor::block_on_for(LAST_CALLS, async {
        let contract = worker::Contract::from_env(&variables).map_err(worker::WorkerError::from)?;
        let shutdown = shutdown::on_signal()?;
        match worker::run(contract, shutdown).await? {
            worker::Ended::Stopped => Ok(ExitCode::SUCCESS),
        }
    })
}
