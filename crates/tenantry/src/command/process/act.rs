//! Verbs on what exists: `stop`, `restart`, `reload`, `delete`, `reset`, `flush`, `reloadLogs`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use supervisor::client::Client;
use supervisor::wire::{ActBatch, BatchAction, ListRow};

use super::apps;
use super::batch::{self, Outcome};
use super::call::{Call, Output};
use super::how::How;
use super::list::View;
use super::options::ProcessOptions;
use super::resolve::{Meaning, meaning};
use super::restart::{self, Change};
use super::start::{self, finish};

#[derive(Debug, Args)]
pub struct TargetArgs {
    /// Names, ids, namespaces, `/patterns/`, tenants' slugs, scripts, files of applications, `all`, or
    /// - for applications on standard input
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,
    /// Stop watching the files of what is stopped, as is done in any case
    #[arg(long, hide = true)]
    watch: bool,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub view: View,
}

#[derive(Debug, Args)]
pub struct RestartArgs {
    /// Names, ids, namespaces, `/patterns/`, tenants' slugs, scripts, files of applications, `all`, or
    /// - for applications on standard input
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    options: ProcessOptions,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub view: View,
    /// New arguments of the script
    #[arg(last = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

#[derive(Debug, Args)]
pub struct SomeArgs {
    /// Names, ids, namespaces, `/patterns/` or `all` [default: all]
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    pub output: Output,
}

/// Stops or deletes what is named.
///
/// # Errors
/// What is unknown, or does not end.
pub async fn end(
    args: &TargetArgs,
    action: BatchAction,
    call: &mut Call<'_>,
) -> anyhow::Result<ExitCode> {
    let client = call.client()?;
    let rows = call.rows(&client).await?;
    let mut ids = Vec::new();
    let mut unknown = Vec::new();
    for word in &args.targets {
        let found = match meaning(word, &rows, &client).await? {
            Meaning::Processes(ids) => ids,
            Meaning::File(path) => named_in(Some(&path), &args.how, &rows, call)?,
            Meaning::Input => named_in(None, &args.how, &rows, call)?,
            Meaning::Other => Vec::new(),
        };
        if found.is_empty() {
            unknown.push(word.clone());
        }
        ids.extend(found.into_iter().filter(|id| !ids.contains(id)).collect::<Vec<_>>());
    }
    if ids.is_empty() {
        return Err(not_found(&unknown));
    }
    if action == BatchAction::Stop {
        // As in PM2, what was stopped by hand does not come back because a file changed.
        let watching = rows.iter().filter(|row| row.watching && ids.contains(&row.id));
        let watching = watching.map(|row| row.id).collect();
        batch::act_plainly(&client, BatchAction::Unwatch, watching).await?;
    }
    let batch = ActBatch { action, ids, force: args.how.force, settle_ms: 0 };
    let outcome = batch::act(&client, batch).await?;
    let code = finish(&args.how, &args.view, outcome, batch::word(action), call).await?;
    if unknown.is_empty() { Ok(code) } else { Err(not_found(&unknown)) }
}

/// The processes that a file declares, by their names.
fn named_in(
    path: Option<&Path>,
    how: &How,
    rows: &[ListRow],
    call: &mut Call<'_>,
) -> anyhow::Result<Vec<u32>> {
    let context = apps::context(call, &ProcessOptions::default())?;
    let mut ids = Vec::new();
    for app in apps::declared(path, how, &context, call)? {
        let name = app.full_name(None)?;
        let found = rows.iter().filter(|row| row.name == name && !ids.contains(&row.id));
        ids.extend(found.map(|row| row.id).collect::<Vec<_>>());
    }
    Ok(ids)
}

fn not_found(words: &[String]) -> anyhow::Error {
    match words {
        [all] if all == "all" => anyhow::anyhow!("no process found"),
        words => anyhow::anyhow!("process or namespace {} not found", words.join(", ")),
    }
}

/// Restarts what is named, all at once or (`reload`) one after the other.
///
/// # Errors
/// What is unknown, or does not start.
pub async fn restart(
    args: &RestartArgs,
    gently: bool,
    call: &mut Call<'_>,
) -> anyhow::Result<ExitCode> {
    let client = call.client()?;
    let flags = apps::flags(&args.options, &args.arguments)?;
    let change = Change { flags: &flags, options: &args.options, how: &args.how };
    let mut outcome = Outcome::default();
    for word in &args.targets {
        let rows = call.rows(&client).await?;
        let found = match meaning(word, &rows, &client).await? {
            Meaning::Processes(ids) if gently => {
                restart::one_by_one(&ids, &rows, &change, &client, call).await?
            }
            Meaning::Processes(ids) => {
                restart::several(&ids, &rows, &change, &client, call).await?
            }
            Meaning::File(path) => of_file(Some(&path), gently, &change, &client, call).await?,
            Meaning::Input => of_file(None, gently, &change, &client, call).await?,
            Meaning::Other => return Err(not_found(std::slice::from_ref(word))),
        };
        outcome.extend(found);
        if !outcome.failed.is_empty() {
            break;
        }
    }
    finish(&args.how, &args.view, outcome, if gently { "reloaded" } else { "restarted" }, call)
        .await
}

async fn of_file(
    path: Option<&Path>,
    gently: bool,
    change: &Change<'_>,
    client: &Client,
    call: &mut Call<'_>,
) -> anyhow::Result<Outcome> {
    if path.is_some_and(|path| !path.exists()) {
        bail!("there is no file {}", path.unwrap_or(Path::new("")).display());
    }
    call.launch(client).await?;
    if gently {
        start::reload_file(path, change.flags, change.options, change.how, client, call).await
    } else {
        start::file(path, change.flags, change.options, change.how, client, call).await
    }
}

/// Does something to what is named, or to all, that leaves it running.
///
/// # Errors
/// What is unknown, or what went wrong.
pub async fn touch(
    args: &SomeArgs,
    action: BatchAction,
    call: &mut Call<'_>,
) -> anyhow::Result<ExitCode> {
    let client = call.client()?;
    let rows = call.rows(&client).await?;
    let all = ["all".to_owned()];
    let words = if args.targets.is_empty() { &all[..] } else { &args.targets };
    let mut ids = Vec::new();
    for word in words {
        let found = super::target::select(word, &rows)?;
        if found.is_empty() && word != "all" {
            return Err(not_found(std::slice::from_ref(word)));
        }
        ids.extend(found);
    }
    let outcome = batch::act_plainly(&client, action, ids).await?;
    if call.output.json {
        call.screen.json(&outcome.done)?;
    }
    batch::tell(call, batch::word(action), &outcome)?;
    Ok(ExitCode::SUCCESS)
}
