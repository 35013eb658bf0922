//! `start`, `startOrRestart` and `startOrReload`: from scripts, files and names to processes that run.

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use pm2::{App, label};
use supervisor::client::Client;
use supervisor::wire::{Phase, StartBatch, WhenRunning};

use super::apps::{self, Existing, Further, Plan};
use super::batch::{self, Outcome};
use super::call::{Call, Output};
use super::how::How;
use super::list::{self, View};
use super::options::ProcessOptions;
use super::resolve::{Meaning, meaning};
use super::restart::{self, Change};
use super::{foreground, logs};

/// The file that is started when nothing is named.
const DEFAULT_FILE: &str = "ecosystem.config.js";

#[derive(Debug, Args)]
pub struct StartArgs {
    /// Scripts, files of applications, names, ids, namespaces, "a shell command", or - for
    /// applications on standard input [default: ecosystem.config.js]
    #[arg(value_name = "SCRIPT|FILE|NAME|ID|-")]
    words: Vec<String>,
    #[command(flatten)]
    options: ProcessOptions,
    #[command(flatten)]
    pub how: How,
    /// Run the supervisor in this process, and show the logs until Ctrl-C ends everything
    #[arg(long)]
    pub no_daemon: bool,
    /// Answer only once it has come to rest, at the latest after so many milliseconds; it is an error if it ended by then
    #[arg(long, value_name = "MS", default_value_t = 0)]
    settle: u64,
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub view: View,
    /// Arguments of the script
    #[arg(last = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

#[derive(Debug, Args)]
pub struct FileArgs {
    /// A file of applications, or - for standard input
    #[arg(value_name = "FILE|-")]
    file: String,
    #[command(flatten)]
    options: ProcessOptions,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub view: View,
}

/// Starts everything that is named.
///
/// # Errors
/// What cannot be started, and why.
pub async fn run(args: &StartArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    if args.no_daemon {
        return foreground::start(args, call).await;
    }
    let client = call.client()?;
    call.launch(&client).await?;
    let outcome = all(args, &client, call).await?;
    finish(&args.how, &args.view, outcome, "started", call).await
}

/// Starts everything that is named and gives what became of it.
///
/// # Errors
/// As [`run`].
pub async fn all(
    args: &StartArgs,
    client: &Client,
    call: &mut Call<'_>,
) -> anyhow::Result<Outcome> {
    let words = match args.words.as_slice() {
        [] => &[DEFAULT_FILE.to_owned()],
        words => words,
    };
    let flags = apps::flags(&args.options, &args.arguments)?;
    let mut outcome = Outcome::default();
    for word in words {
        let rows = client.rows().await?;
        let found = match meaning(word, &rows, client).await? {
            Meaning::Input => file(None, &flags, &args.options, &args.how, client, call).await?,
            Meaning::File(path) => {
                file(Some(&path), &flags, &args.options, &args.how, client, call).await?
            }
            Meaning::Processes(ids) if !is_script(word, &rows) => {
                let change = Change { flags: &flags, options: &args.options, how: &args.how };
                restart::several(&ids, &rows, &change, client, call).await?
            }
            Meaning::Processes(_) | Meaning::Other => {
                script(word, &flags, args, client, call).await?
            }
        };
        outcome.extend(found);
        if !outcome.failed.is_empty() {
            break;
        }
    }
    Ok(outcome)
}

/// Whether a word is the path of a script rather than the name of what runs.
fn is_script(word: &str, rows: &[supervisor::wire::ListRow]) -> bool {
    let known = super::target::select(word, rows).is_ok_and(|ids| !ids.is_empty());
    !known && Path::new(word).is_file()
}

/// Starts a script, or a shell command.
async fn script(
    word: &str,
    flags: &App,
    args: &StartArgs,
    client: &Client,
    call: &mut Call<'_>,
) -> anyhow::Result<Outcome> {
    let mut app = App::default();
    app.set("script", &word.into())?;
    app.overlay(flags);
    if let Some((field, value)) = args.options.watch() {
        app.set(field, &value)?;
    }
    let context = apps::context(call, &args.options)?;
    let existing = Existing::new(client.specs().await?);
    let first = apps::plan(&[app.clone()], &context, &existing, Further::default())?;
    let mut further = Further { always_new: args.how.force, update_env: args.how.update_env };
    if !args.how.force
        && let Some(spec) = first.start.first().or(first.add.first())
    {
        let same = |other: &str| spec.labels.get(label::SCRIPT).is_some_and(|own| own == other);
        let of_name: Vec<_> = existing.named(&spec.name).collect();
        let of_script: Vec<u32> = of_name
            .iter()
            .filter(|(_, old)| old.labels.get(label::SCRIPT).is_some_and(same))
            .map(|(id, _)| *id)
            .collect();
        refuse_second_copy(&spec.name, &of_script, client).await?;
        // Another script of the same name is no reason to replace the first.
        further.always_new = of_script.is_empty() && !of_name.is_empty();
    }
    let plan = apps::plan(&[app], &context, &existing, further)?;
    carry_out(plan, further.always_new, args.settle, client, call).await
}

/// What runs already is not started once more by mistake.
async fn refuse_second_copy(name: &str, ids: &[u32], client: &Client) -> anyhow::Result<()> {
    for row in client.rows().await?.iter().filter(|row| ids.contains(&row.id)) {
        if !matches!(row.state, Phase::Stopped | Phase::Errored) {
            bail!(
                "script already launched as {name} ({}); `restart {name}` restarts it, -f starts another copy",
                row.id
            );
        }
    }
    Ok(())
}

/// Starts the applications of a file; those that exist are restarted with what the file says now.
///
/// # Errors
/// What is wrong with the file, or with the answer.
pub async fn file(
    path: Option<&Path>,
    flags: &App,
    options: &ProcessOptions,
    how: &How,
    client: &Client,
    call: &mut Call<'_>,
) -> anyhow::Result<Outcome> {
    let plan = plan_of_file(path, flags, options, how, client, call).await?;
    carry_out(plan, how.force, 0, client, call).await
}

async fn plan_of_file(
    path: Option<&Path>,
    flags: &App,
    options: &ProcessOptions,
    how: &How,
    client: &Client,
    call: &mut Call<'_>,
) -> anyhow::Result<Plan> {
    let context = apps::context(call, options)?;
    let mut apps = apps::declared(path, how, &context, call)?;
    for app in &mut apps {
        app.overlay(flags);
        if let Some((field, value)) = options.watch() {
            app.set(field, &value)?;
        }
    }
    let existing = Existing::new(client.specs().await?);
    let further = Further { always_new: how.force, update_env: how.update_env };
    apps::plan(&apps, &context, &existing, further)
}

/// Sends a plan to the supervisor.
///
/// # Errors
/// When it does not answer.
pub async fn carry_out(
    plan: Plan,
    always_new: bool,
    settle_ms: u64,
    client: &Client,
    call: &mut Call<'_>,
) -> anyhow::Result<Outcome> {
    for warning in &plan.warnings {
        call.warn(warning)?;
    }
    let mut outcome = Outcome::default();
    for (mut specs, start) in [(plan.start, true), (plan.add, false)] {
        if specs.is_empty() {
            continue;
        }
        let base_env = apps::common_env(&mut specs);
        let running = WhenRunning::Restart;
        let batch = StartBatch { base_env, specs, running, start, always_new, settle_ms };
        outcome.extend(batch::start(client, batch).await?);
    }
    Ok(outcome)
}

/// Reloads the applications of a file: those that exist one process after the other, the others are started.
///
/// # Errors
/// As [`file()`].
pub async fn reload_file(
    path: Option<&Path>,
    flags: &App,
    options: &ProcessOptions,
    how: &How,
    client: &Client,
    call: &mut Call<'_>,
) -> anyhow::Result<Outcome> {
    let plan = plan_of_file(path, flags, options, how, client, call).await?;
    let mut outcome = Outcome::default();
    for spec in plan.start {
        let one = Plan { start: vec![spec], ..Plan::default() };
        outcome.extend(carry_out(one, false, restart::SETTLE_MS, client, call).await?);
        if !outcome.failed.is_empty() {
            return Ok(outcome);
        }
    }
    let rest = Plan { add: plan.add, warnings: plan.warnings, start: Vec::new() };
    outcome.extend(carry_out(rest, false, 0, client, call).await?);
    Ok(outcome)
}

/// `startOrRestart` and `startOrReload`.
///
/// # Errors
/// As [`file()`].
pub async fn of_file(
    args: &FileArgs,
    reload: bool,
    call: &mut Call<'_>,
) -> anyhow::Result<ExitCode> {
    let client = call.client()?;
    call.launch(&client).await?;
    let flags = apps::flags(&args.options, &[])?;
    let path = (args.file != "-").then(|| Path::new(&args.file));
    let outcome = if reload {
        reload_file(path, &flags, &args.options, &args.how, &client, call).await?
    } else {
        file(path, &flags, &args.options, &args.how, &client, call).await?
    };
    finish(&args.how, &args.view, outcome, "started", call).await
}

/// Tells what became of an action, and shows the list or the logs.
///
/// # Errors
/// What went wrong.
pub async fn finish(
    how: &How,
    view: &View,
    outcome: Outcome,
    verb: &str,
    call: &mut Call<'_>,
) -> anyhow::Result<ExitCode> {
    let told = batch::tell(call, verb, &outcome);
    if call.output.json {
        call.screen.json(&outcome.done)?;
        return told.map(|()| ExitCode::SUCCESS);
    }
    if !call.output.silent {
        list::after_action(view, &outcome, call).await?;
    }
    told?;
    if how.attach {
        let targets: Vec<String> = outcome.done.iter().map(|view| view.id.to_string()).collect();
        let options = logs::LogOptions::beginning_with(15);
        logs::run(&logs::Request { targets: &targets, options: &options, json: false }, call)
            .await?;
    }
    Ok(ExitCode::SUCCESS)
}
