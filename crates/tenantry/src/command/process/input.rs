//! `sendSignal`, `send` and `attach`: what reaches a running process.

use std::io::{self, BufRead as _};
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use supervisor::wire::KillSignal;
use tokio::sync::mpsc;

use super::call::{Call, Output};
use super::logs::{self, LogOptions};
use super::target::select;

/// Lines typed ahead of a process that is slow to read.
const TYPED_AHEAD: usize = 64;

#[derive(Debug, Args)]
pub struct SignalArgs {
    /// The signal, by name or number
    signal: KillSignal,
    /// Name, id, namespace, `/pattern/` or `all`
    target: String,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct SendArgs {
    /// Name or id
    pub target: String,
    /// The line; a line break is added
    pub line: String,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct AttachArgs {
    /// Name or id
    target: String,
    /// A line with this alone ends the session
    #[arg(value_name = "END")]
    end: Option<String>,
    #[command(flatten)]
    pub output: Output,
}

/// Sends a signal to the main process of each.
///
/// # Errors
/// When there is none, or it does not run.
pub async fn signal(args: &SignalArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let client = call.client()?;
    for id in several(&args.target, call).await? {
        client.signal(&id.to_string(), args.signal).await?;
        call.say(&format!("{} sent to {id}", args.signal))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a line to a process's standard input.
///
/// # Errors
/// When there is none, it does not run, or its standard input is no pipe.
pub async fn send(args: &SendArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let id = one(&args.target, call).await?;
    let line = format!("{}\n", args.line);
    call.client()?.send(&id.to_string(), line.into_bytes()).await?;
    call.say(&format!("sent to {id}"))?;
    Ok(ExitCode::SUCCESS)
}

/// Shows what a process writes, and gives it what is typed.
///
/// # Errors
/// When there is none, it does not run, or its standard input is no pipe.
pub async fn attach(args: &AttachArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let id = one(&args.target, call).await?.to_string();
    let client = call.client()?;
    let targets = [id.clone()];
    let options = LogOptions::beginning_with(15);
    let request = logs::Request { targets: &targets, options: &options, json: false };
    let mut typed = typed()?;
    let input = async {
        while let Some(line) = typed.recv().await {
            if args.end.as_deref() == Some(line.trim_end()) {
                break;
            }
            client.send(&id, line.into_bytes()).await?;
        }
        Ok(ExitCode::SUCCESS)
    };
    tokio::select! {
        ended = input => ended,
        shown = logs::run(&request, call) => shown.map(|code| code.unwrap_or(ExitCode::FAILURE)),
    }
}

/// The lines of standard input, read by a thread of their own: nothing else can wait for a terminal.
fn typed() -> anyhow::Result<mpsc::Receiver<String>> {
    let (sender, receiver) = mpsc::channel(TYPED_AHEAD);
    std::thread::Builder::new().name("input".to_owned()).spawn(move || {
        let mut input = io::stdin().lock();
        let mut line = String::new();
        while input.read_line(&mut line).is_ok_and(|read| read > 0) {
            if sender.blocking_send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}

/// The processes that a word means.
///
/// # Errors
/// When it means none.
pub async fn several(target: &str, call: &Call<'_>) -> anyhow::Result<Vec<u32>> {
    let rows = call.rows(&call.client()?).await?;
    let ids = select(target, &rows)?;
    if ids.is_empty() {
        bail!("process or namespace {target} not found");
    }
    Ok(ids)
}

/// The one process that a word means.
///
/// # Errors
/// When it means none or several.
pub async fn one(target: &str, call: &Call<'_>) -> anyhow::Result<u32> {
    match several(target, call).await?.as_slice() {
        [id] => Ok(*id),
        ids => bail!(
            "{target} means {} processes; name one by its id: {}",
            ids.len(),
            ids.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
        ),
    }
}
