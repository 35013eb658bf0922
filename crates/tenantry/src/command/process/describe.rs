//! `describe`, `env`, `pid` and `id`: one process in detail.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::Args;
use pm2::label;
use supervisor::wire::{KillSignal, ListRow, LogType, ProcessSpec, ProcessView, Readiness};

use super::call::{Call, Output};
use super::input::several;
use super::list::columns::{memory, phase};
use crate::screen::Tone;
use crate::text::{clean, line, since, span, time};

/// The longest value that is shown, in characters; JSON has all of it.
const LONGEST: usize = 400;

#[derive(Debug, Args)]
pub struct DescribeArgs {
    /// Name, id, namespace or `/pattern/`
    target: String,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct PidArgs {
    /// The name; all processes without it
    name: Option<String>,
    #[command(flatten)]
    pub output: Output,
}

/// Shows everything about a process but its environment.
///
/// # Errors
/// When there is none.
pub async fn describe(args: &DescribeArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let client = call.client()?;
    let mut found: Vec<ProcessView> = Vec::new();
    for id in several(&args.target, call).await? {
        let id = id.to_string();
        let view = client.get(&id, false).await?;
        if !call.output.json {
            let spec = client.spec(&id).await?;
            call.screen.line(&format!("process {id}: {}", clean(&view.name)))?;
            call.screen.table(&[], &rows(&view, &spec, Utc::now()))?;
            call.screen.line("")?;
        }
        found.push(view);
    }
    if call.output.json {
        call.screen.json(&found)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows a process's environment; secrets are masked.
///
/// # Errors
/// When there is none.
pub async fn env(args: &DescribeArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let client = call.client()?;
    for id in several(&args.target, call).await? {
        let spec = client.spec(&id.to_string()).await?;
        if call.output.json {
            let variables: std::collections::BTreeMap<_, _> = spec.environment().collect();
            call.screen.json(&variables)?;
            continue;
        }
        let mut variables: Vec<_> = spec.environment().collect();
        variables.sort_unstable();
        for (name, value) in variables {
            call.screen.line(&format!("{}: {}", clean(name), clean(value)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the pids of a name's processes, or of all.
///
/// # Errors
/// When the output is gone.
pub async fn pid(args: &PidArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let rows = call.rows(&call.client()?).await?;
    let meant = |row: &&ListRow| args.name.as_ref().is_none_or(|name| *name == row.name);
    let pids: Vec<u32> = rows.iter().filter(meant).map(|row| row.pid.unwrap_or(0)).collect();
    if call.output.json {
        call.screen.json(&pids)?;
    } else {
        let lines: Vec<String> = pids.iter().map(u32::to_string).collect();
        call.screen.line(&lines.join("\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the ids of a name's processes.
///
/// # Errors
/// When the output is gone.
pub async fn id(args: &DescribeArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let rows = call.rows(&call.client()?).await?;
    let named = rows.iter().filter(|row| row.name == args.target);
    let ids: Vec<u32> = named.map(|row| row.id).collect();
    if call.output.json {
        call.screen.json(&ids)?;
    } else {
        let words: Vec<String> = ids.iter().map(u32::to_string).collect();
        call.screen.line(&format!("[ {} ]", words.join(", ")).replace("[  ]", "[]"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A field's value; none where there is nothing to say.
type Field = (&'static str, Option<(String, Tone)>);

/// The rows of the description.
fn rows(view: &ProcessView, spec: &ProcessSpec, now: DateTime<Utc>) -> Vec<Vec<(String, Tone)>> {
    let fields = run(view, now).into_iter().chain(program(view, spec)).chain(rules(spec));
    fields.filter_map(|(name, value)| Some(vec![(name.to_owned(), Tone::Faint), value?])).collect()
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "so that it can stand where a function of a value is wanted"
)]
fn plain(text: impl ToString) -> Option<(String, Tone)> {
    Some((line(&text.to_string(), LONGEST), Tone::Plain))
}

/// How it runs now.
fn run(view: &ProcessView, now: DateTime<Utc>) -> Vec<Field> {
    let at = |millis: i64| DateTime::from_timestamp_millis(millis).unwrap_or_default();
    let started = view.pid.and(view.started_at).map(at);
    vec![
        ("status", plain(phase(view.state))),
        ("name", plain(&view.name)),
        ("namespace", plain(&view.namespace)),
        (
            "version",
            view.labels.get(label::VERSION).filter(|text| !text.is_empty()).and_then(plain),
        ),
        ("instance", plain(view.instance)),
        ("pid", view.pid.and_then(plain)),
        ("uptime", started.and_then(|at| plain(span(since(at, now))))),
        ("restarts", plain(view.restarts)),
        ("unstable restarts", plain(view.unstable)),
        ("next start", view.next_start_at.and_then(|millis| plain(time(at(millis))))),
        ("last exit", view.exit.and_then(plain)),
        ("reason", view.reason.as_ref().map(|text| (line(text, LONGEST), Tone::Bad))),
        ("log trouble", view.log_trouble.as_ref().map(|text| (line(text, LONGEST), Tone::Bad))),
        (
            "log bytes lost",
            (view.log_bytes_lost > 0).then_some(view.log_bytes_lost).and_then(plain),
        ),
        ("cpu", plain(format!("{:.1}%", view.cpu_percent))),
        ("memory", plain(memory(view.memory_bytes))),
        ("created at", plain(time(at(view.created_at)))),
    ]
}

/// What runs, and where its output goes.
fn program(view: &ProcessView, spec: &ProcessSpec) -> Vec<Field> {
    let labelled = |name: &str| view.labels.get(name).and_then(plain);
    let error_file = spec.error_file.as_ref().unwrap_or(&spec.out_file);
    vec![
        ("script path", labelled(label::SCRIPT)),
        ("script args", labelled(label::ARGS).filter(|(text, _)| text != "[]")),
        ("interpreter", labelled(label::INTERPRETER)),
        ("interpreter args", labelled(label::INTERPRETER_ARGS).filter(|(text, _)| text != "[]")),
        ("command", plain(spec.command.join(" "))),
        ("declared in", labelled(label::FILE)),
        ("exec mode", plain("fork_mode")),
        ("exec cwd", plain(spec.cwd.display())),
        ("out log path", plain(spec.out_file.display())),
        ("error log path", plain(error_file.display())),
        ("log path", spec.log_file.as_ref().and_then(|path| plain(path.display()))),
        ("log type", (spec.log_type == LogType::Json).then_some("json").and_then(plain)),
    ]
}

/// What it is held to.
fn rules(spec: &ProcessSpec) -> Vec<Field> {
    let milliseconds = |time: u64| plain(format!("{time} ms"));
    let watched = spec.watch.as_ref().map(|watch| {
        let paths: Vec<String> =
            watch.paths.iter().map(|path| path.display().to_string()).collect();
        paths.join(", ")
    });
    vec![
        ("watch", watched.and_then(plain)),
        ("autorestart", plain(spec.restart.autorestart)),
        ("max restarts", plain(spec.restart.max_restarts)),
        ("cron restart", spec.cron_restart.as_ref().and_then(plain)),
        ("max memory", spec.max_memory_bytes.map(memory).and_then(plain)),
        (
            "kill signal",
            (spec.kill_signal != KillSignal::Int).then_some(spec.kill_signal).and_then(plain),
        ),
        ("kill timeout", milliseconds(spec.kill_timeout_ms)),
        (
            "ready",
            (spec.ready != Readiness::Spawned).then(|| format!("{:?}", spec.ready)).and_then(plain),
        ),
        ("user", spec.limits.uid.and_then(plain)),
    ]
}
