//! `tenantry logs`: what processes or a tenant's worker wrote.

use std::process::ExitCode;

use anyhow::bail;
use api::records::LogView;
use clap::Args;
use futures::StreamExt;

use super::process::call::{Call, Output};
use super::process::{self, logs::LogOptions};
use crate::called::Called;
use crate::cli::ReadArgs;
use crate::connection::Environment;
use crate::screen::Screen;
use crate::{log_line, reactor};

#[derive(Debug, Args)]
pub struct LogsArgs {
    /// A tenant's slug or id; or names, ids, namespaces and `/patterns/` of processes [default: all
    /// processes]
    targets: Vec<String>,
    #[command(flatten)]
    options: LogOptions,
    /// Go on with every new line until Ctrl-C, as is done for processes in any case
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    read: ReadArgs,
}

/// Prints the lines: of processes of the supervisor, else of a tenant's worker.
///
/// # Errors
/// Whatever the server, the supervisor or the connection says; also when a followed log ends.
pub fn run(
    args: &LogsArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    let request = process::logs::Request {
        targets: &args.targets,
        options: &args.options,
        json: args.read.json,
    };
    let mut call = Call::new(Called::Tenantry, environment, screen, Output::default())?;
    if let Some(code) = reactor::block_on(process::logs::run(&request, &mut call))? {
        return Ok(code);
    }
    match args.targets.as_slice() {
        [tenant] => of_tenant(tenant, args, environment, screen).map(|()| ExitCode::SUCCESS),
        targets => bail!("one of {} is no process", targets.join(", ")),
    }
}

fn of_tenant(
    tenant: &str,
    args: &LogsArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let client = args.read.reach.client(environment)?;
    let json = args.read.json;
    reactor::block_on(async {
        if !args.follow {
            let lines = client.logs(tenant, args.options.lines).await?;
            if json {
                return screen.json(&LogView { lines });
            }
            return Ok(lines.iter().try_for_each(|line| print(line, args.options.raw, screen))?);
        }
        let mut lines = client.follow_logs(tenant, args.options.lines).await?;
        while let Some(line) = lines.next().await {
            if json {
                screen.line(&serde_json::json!({ "line": line }).to_string())?;
            } else {
                print(&line, args.options.raw, screen)?;
            }
        }
        bail!("the server ended the log; call the command again to go on")
    })
}

fn print(line: &str, raw: bool, screen: &mut Screen) -> std::io::Result<()> {
    if raw || screen.size().is_none() {
        return screen.line(line);
    }
    let shown = log_line::pretty(line, screen.colours());
    screen.line(&shown)
}
