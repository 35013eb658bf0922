//! `scale`: more or fewer processes of a name.

use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Context as _, bail};
use clap::Args;
use supervisor::client::Client;
use supervisor::wire::{BatchAction, ListRow, StartBatch, WhenRunning};

use super::batch::{self, Outcome};
use super::call::{Call, Output};
use super::how::How;
use super::list::View;
use super::start::finish;

/// More processes than anybody means to have.
const MOST: usize = 10_000;

#[derive(Debug, Args)]
pub struct ScaleArgs {
    /// The name
    name: String,
    /// How many: N, +N more or -N fewer
    #[arg(allow_hyphen_values = true, value_name = "N|+N|-N")]
    count: Count,
    #[command(flatten)]
    pub output: Output,
}

/// How many are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    Exactly(usize),
    More(usize),
    Fewer(usize),
}

impl FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| match text.parse() {
            Ok(number) if number <= MOST => Ok(number),
            Ok(_) | Err(_) => Err(format!("give a number up to {MOST}, +N or -N")),
        };
        match text.split_at_checked(1) {
            Some(("+", more)) => number(more).map(Self::More),
            Some(("-", fewer)) => number(fewer).map(Self::Fewer),
            Some(_) | None => number(text).map(Self::Exactly),
        }
    }
}

impl Count {
    /// How many there are to be, given how many there are.
    const fn of(self, now: usize) -> usize {
        match self {
            Self::Exactly(count) => count,
            Self::More(more) => now.saturating_add(more),
            Self::Fewer(fewer) => now.saturating_sub(fewer),
        }
    }
}

/// Starts copies of the first process, or deletes those with the lowest ids, as PM2 does.
///
/// # Errors
/// When there is no such process, or none would be left.
pub async fn run(args: &ScaleArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let client = call.client()?;
    let rows = call.rows(&client).await?;
    let mut named: Vec<&ListRow> = rows.iter().filter(|row| row.name == args.name).collect();
    named.sort_by_key(|row| row.id);
    let Some(first) = named.first() else { bail!("process {} not found", args.name) };
    let wanted = args.count.of(named.len());
    if wanted == 0 {
        bail!("that would leave no {0}; `delete {0}` does so", args.name);
    }
    let outcome = if wanted > named.len() {
        more(first.id, wanted - named.len(), &client).await?
    } else {
        let surplus = named.len() - wanted;
        let ids = named[..surplus].iter().map(|row| row.id).collect();
        batch::act_plainly(&client, BatchAction::Delete, ids).await?
    };
    call.say(&format!("{} has {wanted} processes", args.name))?;
    finish(&How::default(), &View::default(), outcome, "scaled", call).await
}

/// Starts copies of a process, each with a number and log files of its own.
async fn more(id: u32, count: usize, client: &Client) -> anyhow::Result<Outcome> {
    let mut specs = Vec::new();
    let template = client.spec(&id.to_string()).await?;
    let taken = client.specs().await?;
    let mut next_id = taken.iter().map(|(id, _)| id + 1).max().unwrap_or(0);
    let mut instance = 0;
    while specs.len() < count {
        let is_free =
            !taken.iter().any(|(_, spec)| spec.name == template.name && spec.instance == instance);
        if is_free {
            specs.push(copy(&template, instance, next_id)?);
            next_id += 1;
        }
        instance += 1;
    }
    let batch = StartBatch {
        base_env: supervisor::wire::Env::new(),
        specs,
        running: WhenRunning::Refuse,
        start: true,
        always_new: false,
        settle_ms: 0,
    };
    batch::start(client, batch).await
}

fn copy(
    template: &supervisor::wire::ProcessSpec,
    instance: u32,
    id: u32,
) -> anyhow::Result<supervisor::wire::ProcessSpec> {
    let mut spec = template.clone();
    spec.instance = instance;
    let variable = pm2::App::from_spec(template).instance_var;
    let variable = variable.unwrap_or_else(|| "NODE_APP_INSTANCE".to_owned());
    spec.env.insert(variable, instance.to_string());
    if !spec.merge_logs {
        spec.out_file = numbered(&template.out_file, id).context("its log file has no name")?;
        let other = |path: &std::path::PathBuf| numbered(path, id);
        spec.error_file = template.error_file.as_ref().and_then(other);
        spec.log_file = template.log_file.as_ref().and_then(other);
    }
    Ok(spec)
}

/// `web-out-3.log` or `web-out.log` becomes `web-out-7.log`.
fn numbered(path: &std::path::Path, id: u32) -> Option<std::path::PathBuf> {
    if path == std::path::Path::new(supervisor::wire::NO_LOG) {
        return Some(path.to_owned());
    }
    let stem = path.file_stem()?.to_str()?;
    let bare = match stem.rsplit_once('-') {
        Some((bare, number)) if number.parse::<u32>().is_ok() => bare,
        Some(_) | None => stem,
    };
    let extension = path.extension().and_then(|extension| extension.to_str());
    let name = match extension {
        Some(extension) => format!("{bare}-{id}.{extension}"),
        None => format!("{bare}-{id}"),
    };
    Some(path.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Count, numbered};

    #[test]
    fn a_count_is_exact_or_relative() {
        let count = |text: &str| text.parse::<Count>().map(|count| count.of(5));
        assert_eq!(count("3"), Ok(3));
        assert_eq!(count("+2"), Ok(7));
        assert_eq!(count("-1"), Ok(4));
        assert_eq!(count("-9"), Ok(0));
        for wrong in ["", "x", "+", "--1", "99999999999", "é"] {
            assert!(count(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_copy_has_log_files_of_its_own() {
        let name = |path| numbered(Path::new(path), 7).unwrap();
        assert_eq!(name("/l/web-out.log"), Path::new("/l/web-out-7.log"));
        assert_eq!(name("/l/web-out-3.log"), Path::new("/l/web-out-7.log"));
        assert_eq!(name("/l/plain"), Path::new("/l/plain-7"));
        assert_eq!(name("/dev/null"), Path::new("/dev/null"));
    }
}
