//! `import pm2`: takes the processes of PM2's own daemon over.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};
use clap::Args;
use pm2::Homes;
use pm2::dump::{self, Dump, Saved};
use serde_json::Value;
use supervisor::client::Client;
use supervisor::wire::{StartBatch, WhenRunning};

use super::batch;
use super::call::{Call, Output};
use super::place::real_pm2;
use crate::screen::Tone;

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// PM2's home [default: PM2_HOME, else ~/.pm2]
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Show what would be taken over, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    pub output: Output,
}

/// A PM2 that runs.
struct Running {
    home: PathBuf,
    program: PathBuf,
}

/// Shows what would be taken over, asks, and does it: each process is stopped there before it is started here.
///
/// # Errors
/// When there is nothing to take over, or it fails half-way; then it says how to go back.
pub async fn pm2(args: &ImportArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let home = match &args.from {
        Some(home) => std::path::absolute(home)?,
        None => default_home(call)?,
    };
    let running = Running::find(&home, call)?;
    let (found, ids) = match &running {
        Some(running) => running.list()?,
        None => (saved(&home)?, Vec::new()),
    };
    show(&found, running.as_ref(), &home, call)?;
    if found.saved.is_empty() {
        bail!("there is nothing to take over in {}", home.display());
    }
    if args.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    if !args.yes && !agreed(found.saved.len())? {
        bail!("nothing was done; say yes, or give --yes");
    }
    let client = call.client()?;
    call.launch(&client).await?;
    let taken = client.rows().await?;
    let mut count = 0;
    for (index, saved) in found.saved.into_iter().enumerate() {
        let spec = &saved.spec;
        if taken.iter().any(|row| row.name == spec.name && row.instance == spec.instance) {
            call.warn(&format!("{} runs here already and is left alone there", spec.name))?;
            continue;
        }
        let there = running.as_ref().zip(ids.get(index).copied());
        take_over(saved, there, &client).await?;
        count += 1;
    }
    call.say(&format!("{count} processes taken over; `tenantry list` shows them"))?;
    if running.is_some() {
        call.say("PM2's daemon has nothing left of them; `pm2 unstartup` and `pm2 kill` end it")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn default_home(call: &Call<'_>) -> anyhow::Result<PathBuf> {
    let set = |name| call.variables.get(name).filter(|value| !value.is_empty());
    let home = set("PM2_HOME").map(PathBuf::from);
    let home = home.or_else(|| set("HOME").map(|home| Path::new(home).join(".pm2")));
    home.context("neither PM2_HOME nor HOME is set; give --from")
}

/// What PM2 saved, or saved the time before.
fn saved(home: &Path) -> anyhow::Result<Dump> {
    let mut problem = None;
    for name in ["dump.pm2", "dump.pm2.bak"] {
        let path = home.join(name);
        let read = std::fs::read_to_string(&path)
            .map_err(anyhow::Error::from)
            .and_then(|text| Ok(dump::read(&text, &Homes::new(home))?));
        match read {
            Ok(dump) => return Ok(dump),
            Err(error) => problem = problem.or(Some(error.context(path.display().to_string()))),
        }
    }
    Err(problem.unwrap_or_else(|| anyhow::anyhow!("{} has no list", home.display())))
}

/// Stops a process there, then starts it here.
async fn take_over(
    saved: Saved,
    there: Option<(&Running, u64)>,
    client: &Client,
) -> anyhow::Result<()> {
    let name = saved.spec.name.clone();
    if let Some((pm2, id)) = there {
        pm2.run(&["delete", &id.to_string()])
            .with_context(|| format!("{name} could not be stopped in PM2; it goes on there"))?;
    }
    let batch = StartBatch {
        base_env: supervisor::wire::Env::new(),
        specs: vec![saved.spec],
        running: WhenRunning::Refuse,
        start: saved.running,
        always_new: false,
        settle_ms: 0,
    };
    let outcome = batch::start(client, batch).await?;
    batch::failures(&outcome.failed).with_context(|| match there {
        Some((pm2, _)) => format!(
            "{name} does not start here; to go back, `tenantry delete {name}` and `PM2_HOME={} pm2 resurrect`",
            pm2.home.display()
        ),
        None => format!("{name} does not start here"),
    })
}

fn show(
    dump: &Dump,
    running: Option<&Running>,
    home: &Path,
    call: &mut Call<'_>,
) -> anyhow::Result<()> {
    let from = match running {
        Some(_) => "PM2 runs there; its list is",
        None => "PM2 does not run there; it saved",
    };
    call.say(&format!("{}: {from}", home.display()))?;
    let rows: Vec<_> = dump
        .saved
        .iter()
        .map(|saved| {
            let state = if saved.running {
                ("to be started", Tone::Good)
            } else {
                ("stopped", Tone::Faint)
            };
            vec![
                (saved.spec.name.clone(), Tone::Plain),
                (saved.spec.instance.to_string(), Tone::Plain),
                (state.0.to_owned(), state.1),
                (saved.spec.command.join(" "), Tone::Plain),
            ]
        })
        .collect();
    if !rows.is_empty() && !call.output.silent {
        call.screen.table(&["NAME", "INSTANCE", "STATE", "COMMAND"], &rows)?;
    }
    let warnings = dump.saved.iter().flat_map(|saved| &saved.warnings).chain(&dump.failed);
    warnings.cloned().collect::<Vec<_>>().iter().try_for_each(|warning| call.warn(warning))
}

fn agreed(count: usize) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    let mut stderr = std::io::stderr();
    write!(stderr, "Take these {count} processes over? [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

impl Running {
    /// The PM2 that lives in this home, if one does.
    fn find(home: &Path, call: &Call<'_>) -> anyhow::Result<Option<Self>> {
        let Some(pid) = real_pm2(home) else { return Ok(None) };
        let ours = std::env::current_exe()?;
        let path = call.variables.get("PATH").map(String::as_str).unwrap_or_default();
        // A link to this very program is not PM2.
        let program = std::env::split_paths(path)
            .map(|folder| folder.join("pm2"))
            .find(|program| program.canonicalize().is_ok_and(|real| real != ours));
        let program = program.with_context(|| {
            format!(
                "PM2's daemon runs (pid {pid}), but no `pm2` is in PATH to stop its processes with"
            )
        })?;
        Ok(Some(Self { home: home.to_owned(), program }))
    }

    /// What runs in PM2 now, and the ids that it has there.
    fn list(&self) -> anyhow::Result<(Dump, Vec<u64>)> {
        let text = self.run(&["jlist"])?;
        let homes = Homes::new(&self.home);
        let (mut good, mut ids, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for item in items(&text)? {
            let Some(record) = item.get("pm2_env") else { continue };
            let alone = dump::read(&Value::Array(vec![record.clone()]).to_string(), &homes)?;
            if alone.saved.is_empty() {
                failed.extend(alone.failed);
            } else {
                good.push(record.clone());
                ids.push(item.get("pm_id").and_then(Value::as_u64).context("`pm2 jlist`: no id")?);
            }
        }
        // Once more together: their numbers must differ.
        let mut dump = dump::read(&Value::Array(good).to_string(), &homes)?;
        dump.failed.extend(failed);
        Ok((dump, ids))
    }

    fn run(&self, args: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(&self.program);
        command.args(args).env("PM2_HOME", &self.home).env("PM2_SILENT", "true");
        let output =
            command.output().with_context(|| format!("cannot run {}", self.program.display()))?;
        if !output.status.success() {
            bail!(
                "pm2 {} failed: {}",
                args.join(" "),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// The items of PM2's list. PM2 may say something before it.
fn items(text: &str) -> anyhow::Result<Vec<Value>> {
    let list = text.lines().rev().map(str::trim).find(|line| line.starts_with('['));
    serde_json::from_str(list.unwrap_or("[]")).context("`pm2 jlist` printed no list")
}

#[cfg(test)]
mod tests {
    use super::items;

    #[test]
    fn what_pm2_says_before_its_list_does_not_matter() {
        let text =
            "[PM2] Spawning PM2 daemon\n[PM2] PM2 Successfully daemonized\n[{\"pm_id\":3}]\n";
        assert_eq!(items(text).unwrap()[0]["pm_id"], 3);
        assert!(items("").unwrap().is_empty());
        assert!(items("[PM2] nothing\n").is_err());
    }
}
