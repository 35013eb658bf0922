//! `tenantry logs`: what a tenant's worker wrote.

use api::records::LogView;
use clap::Args;
use futures::StreamExt;

use crate::cli::TenantReadArgs;
use crate::connection::Environment;
use crate::screen::Screen;
use crate::{log_line, reactor};

#[derive(Debug, Args)]
pub struct LogsArgs {
    #[command(flatten)]
    target: TenantReadArgs,
    /// Go on with every new line until Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// Begin with so many of the last lines
    #[arg(long, short = 'n', value_name = "N", default_value_t = 15)]
    lines: usize,
    /// Print the lines as they are, as is done in a pipe; they may hold characters that steer the
    /// terminal
    #[arg(long)]
    raw: bool,
}

/// Prints the lines.
///
/// # Errors
/// Whatever the server or the connection says; also when a followed log ends.
pub fn run(args: &LogsArgs, environment: &Environment, screen: &mut Screen) -> anyhow::Result<()> {
    let tenant = args.target.tenant.as_str();
    let client = args.target.read.reach.client(environment)?;
    let json = args.target.read.json;
    reactor::block_on(async {
        if !args.follow {
            let lines = client.logs(tenant, args.lines).await?;
            if json {
                return screen.json(&LogView { lines });
            }
            return Ok(lines.iter().try_for_each(|line| print(line, args.raw, screen))?);
        }
        let mut lines = client.follow_logs(tenant, args.lines).await?;
        while let Some(line) = lines.next().await {
            if json {
                screen.line(&serde_json::json!({ "line": line }).to_string())?;
            } else {
                print(&line, args.raw, screen)?;
            }
        }
        anyhow::bail!("the server ended the log; call the command again to go on")
    })
}

fn print(line: &str, raw: bool, screen: &mut Screen) -> std::io::Result<()> {
    if raw || screen.size().is_none() {
        return screen.line(line);
    }
    let shown = log_line::pretty(line, screen.colours());
    screen.line(&shown)
}
