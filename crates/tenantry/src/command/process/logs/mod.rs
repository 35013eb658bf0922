//! `logs`: what processes write.

mod format;
mod resume;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use chrono::Local;
use clap::Args;
use futures::StreamExt;
use futures::stream::BoxStream;
use supervisor::client::{Client, ClientError};
use supervisor::wire::{ListRow, LogStream, ProcessLine};
use tokio::time::{Instant, timeout};

use self::format::{Form, Owner, Style, TIMESTAMP, chrono_format, shown};
use self::resume::Shown;
use super::call::Call;
use super::target::{select, tenant_slug};

/// Lines that were there before come together; a pause of this length shows that they are all there.
const BACKLOG_PAUSE: Duration = Duration::from_millis(250);
/// A log that knows no pause has told of them by then.
const BACKLOG_TIME: Duration = Duration::from_secs(1);
/// Pause between two attempts to reach a supervisor that went away.
const RETRY: Duration = Duration::from_millis(200);
/// So many lines are asked for again after the supervisor was away.
const CATCH_UP: usize = 1000;

#[derive(Debug, Clone, Default, Args)]
pub struct LogOptions {
    /// Begin with so many of the last lines
    #[arg(long, short = 'n', value_name = "N", default_value_t = 15)]
    pub lines: usize,
    /// Print the lines as they are, as is done in a pipe; they may hold characters that steer the
    /// terminal
    #[arg(long)]
    pub raw: bool,
    /// Print the last lines, and no new ones
    #[arg(long)]
    pub nostream: bool,
    /// Only what was written to standard error
    #[arg(long, conflicts_with = "out")]
    err: bool,
    /// Only what was written to standard output
    #[arg(long)]
    out: bool,
    /// Print `key=value` pairs
    #[arg(long, conflicts_with = "raw")]
    format: bool,
    /// Print a time before each line
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, default_missing_value = "")]
    timestamp: Option<String>,
    /// Make a text stand out
    #[arg(long, value_name = "TEXT")]
    highlight: Option<String>,
}

impl LogOptions {
    /// The last lines and what follows, in the usual form.
    pub fn beginning_with(lines: usize) -> Self {
        Self { lines, ..Self::default() }
    }
}

/// Whose logs, and how.
#[derive(Debug)]
pub struct Request<'a> {
    pub targets: &'a [String],
    pub options: &'a LogOptions,
    pub json: bool,
}

/// Prints the lines; `None` when a target is no process.
///
/// # Errors
/// When the supervisor answers nonsense, or the output is gone.
pub async fn run(request: &Request<'_>, call: &mut Call<'_>) -> anyhow::Result<Option<ExitCode>> {
    let client = call.client()?;
    let rows = call.rows(&client).await?;
    let Some(owners) = owners(request.targets, &rows)? else { return Ok(None) };
    let options = request.options;
    if owners.is_empty() {
        call.say("no processes yet")?;
        return Ok(Some(ExitCode::SUCCESS));
    }
    let style = Style {
        form: form(options, request.json),
        timestamp: options.timestamp.as_deref().map(|format| match format {
            "" => TIMESTAMP.to_owned(),
            format => chrono_format(format),
        }),
        highlight: options.highlight.clone(),
        colours: call.screen.colours() && !options.raw,
        width: owners.values().map(|owner| owner.prefix().chars().count()).max().unwrap_or(0),
    };
    let mut printer = Printer { owners, style, options, shown: BTreeMap::new() };
    if options.nostream {
        printer.print_last(&client, call).await?;
    } else {
        printer.follow(&client, call).await?;
    }
    Ok(Some(ExitCode::SUCCESS))
}

/// The processes that are meant: all of them where none is named.
fn owners(targets: &[String], rows: &[ListRow]) -> anyhow::Result<Option<BTreeMap<u32, Owner>>> {
    let all = ["all".to_owned()];
    let mut owners = BTreeMap::new();
    for target in if targets.is_empty() { &all[..] } else { targets } {
        let ids = select(target, rows)?;
        if targets.len() == 1 && means_a_tenant(target, rows, &ids) {
            return Ok(None);
        }
        if ids.is_empty() && !targets.is_empty() && target != "all" {
            return Ok(None);
        }
        for row in rows.iter().filter(|row| ids.contains(&row.id)) {
            owners.insert(row.id, Owner { id: row.id, name: row.name.clone() });
        }
    }
    Ok(Some(owners))
}

/// Whether a word found its processes as a tenant's slug. A tenant's log is the control plane's affair: it ends unless it is
/// followed.
fn means_a_tenant(word: &str, rows: &[ListRow], ids: &[u32]) -> bool {
    let found = rows.iter().find(|row| ids.contains(&row.id));
    found.is_some_and(|row| {
        tenant_slug(&row.name) == Some(word) && row.name != word && row.namespace != word
    })
}

const fn form(options: &LogOptions, json: bool) -> Form {
    match (json, options.format, options.raw) {
        (true, ..) => Form::Json,
        (_, true, _) => Form::Pairs,
        (.., true) => Form::Raw,
        (false, false, false) => Form::Prefixed,
    }
}

type Lines = BoxStream<'static, Result<ProcessLine, ClientError>>;

struct Printer<'a> {
    owners: BTreeMap<u32, Owner>,
    style: Style,
    options: &'a LogOptions,
    /// What was shown last of each file.
    shown: BTreeMap<(u32, bool), Shown>,
}

impl Printer<'_> {
    async fn print_last(&mut self, client: &Client, call: &mut Call<'_>) -> anyhow::Result<()> {
        let ids: Vec<u32> = self.owners.keys().copied().collect();
        for id in ids {
            for line in client.logs(&id.to_string(), self.options.lines).await? {
                self.print(&ProcessLine { id, line }, call)?;
            }
        }
        Ok(())
    }

    /// Prints line after line, through restarts of the supervisor.
    async fn follow(&mut self, client: &Client, call: &mut Call<'_>) -> anyhow::Result<()> {
        let ids: Vec<u32> = self.owners.keys().copied().collect();
        let mut lines = client.follow_many(&ids, self.options.lines).await?;
        loop {
            while let Some(Ok(line)) = lines.next().await {
                self.print(&line, call)?;
            }
            lines = again(client, &ids).await?;
            self.catch_up(&mut lines, call).await?;
        }
    }

    /// Prints what was written while no supervisor was there to tell.
    async fn catch_up(&mut self, lines: &mut Lines, call: &mut Call<'_>) -> anyhow::Result<()> {
        let mut backlog = Vec::new();
        let end = Instant::now() + BACKLOG_TIME;
        while let Ok(Some(Ok(line))) = timeout(BACKLOG_PAUSE, lines.next()).await {
            backlog.push(line);
            if Instant::now() > end {
                break;
            }
        }
        let mut known = BTreeMap::new();
        for (key, shown) in &self.shown {
            let of_file: Vec<String> = backlog
                .iter()
                .filter(|line| file(line) == *key)
                .map(|line| line.line.line.clone())
                .collect();
            known.insert(*key, shown.count_in(&of_file));
        }
        for line in &backlog {
            match known.get_mut(&file(line)).filter(|count| **count > 0) {
                Some(count) => *count -= 1,
                None => self.print(line, call)?,
            }
        }
        Ok(())
    }

    fn print(&mut self, line: &ProcessLine, call: &mut Call<'_>) -> anyhow::Result<()> {
        self.shown.entry(file(line)).or_default().add(&line.line.line);
        let error = line.line.stream == LogStream::Error;
        if (self.options.err && !error) || (self.options.out && error) {
            return Ok(());
        }
        let Some(owner) = self.owners.get(&line.id) else { return Ok(()) };
        Ok(call.screen.line(&shown(&self.style, owner, &line.line, Local::now()))?)
    }
}

/// Which file a line is from.
fn file(line: &ProcessLine) -> (u32, bool) {
    (line.id, line.line.stream == LogStream::Error)
}

/// Waits until a supervisor answers again. It may have forgotten the processes meanwhile.
async fn again(client: &Client, ids: &[u32]) -> anyhow::Result<Lines> {
    loop {
        match client.follow_many(ids, CATCH_UP).await {
            Ok(lines) => return Ok(lines),
            Err(ClientError::Unreachable { .. }) => tokio::time::sleep(RETRY).await,
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::owners;
    use crate::command::process::target::tests::row;

    #[test]
    fn no_target_means_all_and_an_unknown_one_nothing() {
        let rows = [row(0, "a", "x"), row(1, "b", "x")];
        let ids = |targets: &[&str]| {
            let targets: Vec<String> = targets.iter().map(|&target| target.into()).collect();
            Some(owners(&targets, &rows).unwrap()?.into_keys().collect::<Vec<_>>())
        };
        assert_eq!(ids(&[]), Some(vec![0, 1]));
        assert_eq!(ids(&["b"]), Some(vec![1]));
        assert_eq!(ids(&["x", "0"]), Some(vec![0, 1]));
        assert_eq!(ids(&["nobody"]), None);
        let rows = [row(0, "worker-acme-0123abcd", "default")];
        let owners = |target: &str| owners(&[target.to_owned()], &rows).unwrap();
        assert!(owners("acme").is_none(), "a tenant's log is shown as such");
        assert!(owners("worker-acme-0123abcd").is_some());
    }
}
