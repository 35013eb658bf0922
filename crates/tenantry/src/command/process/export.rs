//! `jlist`, `prettylist`, `save`, `resurrect` and `cleardump`: the list in PM2's own formats.

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use pm2::dump::{self, Dump};
use pm2::jlist;
use serde_json::Value;
use supervisor::client::Client;
use supervisor::wire::{ProcessSpec, ProcessView, StartBatch, WhenRunning};

use super::batch::{self, Outcome};
use super::call::{Call, Output};
use super::durable;
use super::how::How;
use super::list::View;
use super::start::finish;

#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct SaveArgs {
    /// Write the list even if it is empty
    #[arg(long, short)]
    force: bool,
    #[command(flatten)]
    pub output: Output,
}

/// Prints the list in PM2's JSON, or as the JavaScript that its `prettylist` prints.
///
/// # Errors
/// When the supervisor answers nonsense, or the output is gone.
pub async fn jlist(pretty: bool, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let client = call.client()?;
    let homes = call.place.homes();
    let items = processes(&client, call).await?;
    let items = items.iter().map(|(view, spec)| jlist::item(view, spec, &homes)).collect();
    let list = Value::Array(items);
    let text = if pretty { jlist::pretty(&list) } else { list.to_string() };
    call.screen.line(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// All processes with their descriptions, in the order of their ids.
async fn processes(
    client: &Client,
    call: &Call<'_>,
) -> anyhow::Result<Vec<(ProcessView, ProcessSpec)>> {
    if call.info(client).await?.is_none() {
        return Ok(Vec::new());
    }
    let mut views = client.list(&[]).await?;
    views.sort_by_key(|view| view.id);
    let mut specs: std::collections::BTreeMap<_, _> = client.specs().await?.into_iter().collect();
    // One that came or went between the two questions is left out.
    Ok(views
        .into_iter()
        .filter_map(|view| Some((specs.remove(&view.id)?, view)))
        .map(|(spec, view)| (view, spec))
        .collect())
}

/// Writes the list to `dump.pm2`, the one before to `dump.pm2.bak`.
///
/// # Errors
/// When the list is empty, or the disk refuses.
pub async fn save(args: &SaveArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let client = call.client()?;
    let processes = processes(&client, call).await?;
    if processes.is_empty() && !args.force {
        bail!("there is no process to save; --force writes an empty list all the same");
    }
    let pairs = processes.iter().map(|(view, spec)| (view, spec));
    let text = dump::write(pairs, &call.place.homes());
    let path = call.place.dump();
    match fs::read(&path) {
        Ok(before) => durable::write(&call.place.dump_backup(), &before)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
    durable::write(&path, text.as_bytes())?;
    call.say(&format!("{} processes saved to {}", processes.len(), path.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Starts what was saved and is not there. A damaged list is removed, and the one before taken.
///
/// # Errors
/// When nothing was saved, or it cannot be started.
pub async fn resurrect(args: &SaveArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let saved = saved(call)?;
    let client = call.client()?;
    call.launch(&client).await?;
    let outcome = restore(saved, &client, call).await?;
    let how = How { force: args.force, ..How::default() };
    finish(&how, &View::default(), outcome, "restored", call).await
}

/// The saved list.
fn saved(call: &mut Call<'_>) -> anyhow::Result<Dump> {
    let (path, backup) = (call.place.dump(), call.place.dump_backup());
    match read(&path, call) {
        Ok(Some(dump)) => return Ok(dump),
        Ok(None) => {}
        Err(error) => {
            call.warn(&format!("{error:#}; it is removed, and {} taken", backup.display()))?;
            fs::remove_file(&path)?;
        }
    }
    let dump = read(&backup, call)?;
    dump.with_context(|| {
        format!("nothing was saved: there is neither {} nor {}", path.display(), backup.display())
    })
}

/// The list in a file; `None` where there is none.
///
/// # Errors
/// When the file is damaged or cannot be read.
pub fn read(path: &Path, call: &Call<'_>) -> anyhow::Result<Option<Dump>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let dump = dump::read(&text, &call.place.homes());
    Ok(Some(dump.with_context(|| path.display().to_string())?))
}

/// Starts the processes of a list whose names are not there.
///
/// # Errors
/// When the supervisor does not answer.
pub async fn restore(dump: Dump, client: &Client, call: &mut Call<'_>) -> anyhow::Result<Outcome> {
    for failed in &dump.failed {
        call.warn(failed)?;
    }
    let rows = client.rows().await?;
    let (mut start, mut add) = (Vec::new(), Vec::new());
    for saved in dump.saved {
        if rows.iter().any(|row| row.name == saved.spec.name) {
            continue;
        }
        for warning in &saved.warnings {
            call.warn(warning)?;
        }
        if saved.running { &mut start } else { &mut add }.push(saved.spec);
    }
    let mut outcome = Outcome::default();
    for (specs, start) in [(start, true), (add, false)] {
        if specs.is_empty() {
            continue;
        }
        let batch = StartBatch {
            base_env: supervisor::wire::Env::new(),
            specs,
            running: WhenRunning::Keep,
            start,
            always_new: false,
            settle_ms: 0,
        };
        outcome.extend(batch::start(client, batch).await?);
    }
    Ok(outcome)
}

/// Removes what was saved.
///
/// # Errors
/// When the disk refuses.
pub fn clear(call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    for path in [call.place.dump(), call.place.dump_backup()] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", path.display()));
            }
            Ok(()) | Err(_) => {}
        }
    }
    call.say("the saved list is removed")?;
    Ok(ExitCode::SUCCESS)
}
