//! `tenantry audit`: who did what; exported, and verified.

use std::io::Write as _;
use std::process::ExitCode;

use api::audit::{AuditVerification, AuditView};
use api::client::AuditQuery;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};

use crate::cli::ReadArgs;
use crate::connection::{Environment, Reach};
use crate::reactor;
use crate::screen::{Screen, Tone};
use crate::text::{NONE, line, time};

/// The longest text that a table shows, in characters; JSON has all of it.
const LONGEST: usize = 200;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AuditArgs {
    #[command(subcommand)]
    command: Option<AuditCommand>,
    #[command(flatten)]
    filter: Filter,
    /// The most entries to show, the newest ones
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1000))]
    lines: u64,
    /// Only entries before this number
    #[arg(long, value_name = "SEQ")]
    before: Option<i64>,
    #[command(flatten)]
    read: ReadArgs,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Print entries as lines of JSON, oldest first
    Export(ExportArgs),
    /// Compute the chain anew: was an entry changed, or is one missing?
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
struct ExportArgs {
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// A head that an earlier verification gave; it must be in the chain
    #[arg(long, value_name = "HASH")]
    head: Option<String>,
    #[command(flatten)]
    read: ReadArgs,
}

/// Which entries.
#[derive(Debug, Args)]
struct Filter {
    /// Only about this tenant: its id, also of one that is deleted
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// Only by this actor
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Only these actions: `worker.start`, or `tenant.*` for a group; commas between several
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// Only with this result: `ok`, or a problem's code
    #[arg(long, value_name = "RESULT")]
    result: Option<String>,
    /// Only from this time on: 2026-01-31T08:00:00Z, or how long ago, as in 2h or 7days
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<DateTime<Utc>>,
    /// Only before this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<DateTime<Utc>>,
}

impl Filter {
    fn query(&self) -> AuditQuery {
        AuditQuery {
            tenant: self.tenant.clone(),
            actor: self.actor.clone(),
            action: self.action.clone(),
            result: self.result.clone(),
            since: self.since,
            until: self.until,
            before: None,
            limit: None,
        }
    }
}

fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(ago) = humantime::parse_duration(text) {
        let ago = chrono::Duration::from_std(ago).map_err(|error| error.to_string())?;
        return Utc::now().checked_sub_signed(ago).ok_or_else(|| "that is too long ago".to_owned());
    }
    let at = DateTime::parse_from_rfc3339(text);
    at.map(Into::into).map_err(|_| "write 2026-01-31T08:00:00Z, or 2h for two hours ago".to_owned())
}

/// Prints, exports or verifies the audit log.
///
/// # Errors
/// Whatever the server or the connection says.
pub fn run(
    args: &AuditArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    match &args.command {
        None => list(args, environment, screen).map(|()| ExitCode::SUCCESS),
        Some(AuditCommand::Export(args)) => export(args, environment).map(|()| ExitCode::SUCCESS),
        Some(AuditCommand::Verify(args)) => verify(args, environment, screen),
    }
}

fn list(args: &AuditArgs, environment: &Environment, screen: &mut Screen) -> anyhow::Result<()> {
    let client = args.read.reach.client(environment)?;
    let query = AuditQuery { before: args.before, limit: Some(args.lines), ..args.filter.query() };
    let page = reactor::block_on(async { Ok(client.audit_page(&query).await?) })?;
    if args.read.json {
        return screen.json(&page);
    }
    if page.items.is_empty() {
        return Ok(screen.line("nothing of this kind was done yet")?);
    }
    let rows: Vec<_> = page.items.iter().rev().map(entry).collect();
    Ok(screen.table(&["SEQ", "TIME", "WHO", "DID", "TENANT", "RESULT", "DETAIL"], &rows)?)
}

fn export(args: &ExportArgs, environment: &Environment) -> anyhow::Result<()> {
    let client = args.reach.client(environment)?;
    let mut out = std::io::stdout().lock();
    let query = args.filter.query();
    let written = reactor::block_on(async {
        Ok(client.export_audit(&query, |piece| out.write_all(piece)).await?)
    })?;
    written?;
    Ok(out.flush()?)
}

/// The exit code is 1 when the chain is broken, or the head is not in it.
fn verify(
    args: &VerifyArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    let client = args.read.reach.client(environment)?;
    let head = args.head.as_deref();
    let found = reactor::block_on(async { Ok(client.verify_audit(head).await?) })?;
    if args.read.json {
        screen.json(&found)?;
    } else {
        for told in told(&found, head) {
            screen.line(&told)?;
        }
    }
    Ok(if found.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn told(found: &AuditVerification, head: Option<&str>) -> Vec<String> {
    let mut lines = Vec::new();
    match &found.broken {
        Some(broken) => {
            lines.push(format!("entry {} is wrong: {}", broken.seq, broken.reason));
            lines.push(format!(
                "the {} entries before it, up to {}, are as they were written",
                found.entries, found.head_seq
            ));
        }
        None => {
            lines.push(format!("{} entries are as they were written", found.entries));
            lines.push(format!("head: {} (entry {})", found.head, found.head_seq));
        }
    }
    match (head, found.known_seq) {
        (Some(_), Some(seq)) => lines.push(format!("the head that was given is entry {seq}")),
        (Some(head), None) => {
            lines.push(format!("no entry up to {} has the hash {head}", found.head_seq));
        }
        (None, _) => {}
    }
    lines
}

fn entry(entry: &AuditView) -> Vec<(String, Tone)> {
    let tenant = entry.tenant_id.map_or_else(|| NONE.to_owned(), |id| id.to_string());
    let tone = if entry.result == "ok" { Tone::Good } else { Tone::Bad };
    let plain = |text: &str| (line(text, LONGEST), Tone::Plain);
    vec![
        (entry.seq.to_string(), Tone::Faint),
        (time(entry.at), Tone::Faint),
        plain(&entry.actor),
        plain(&entry.action),
        (tenant, Tone::Faint),
        (entry.result.clone(), tone),
        plain(&entry.detail),
    ]
}

#[cfg(test)]
mod tests {
    use api::audit::{AuditVerification, BrokenEntry};
    use chrono::Utc;

    use super::{moment, told};

    #[test]
    fn a_moment_is_a_time_or_how_long_ago() {
        let at = moment("2026-01-31T08:00:00+03:00").unwrap();
        assert_eq!(at.to_rfc3339(), "2026-01-31T05:00:00+00:00");
        let before = Utc::now();
        let at = moment("2h").unwrap();
        let ago = |now| now - at;
        let two_hours = chrono::TimeDelta::hours(2);
        assert!(ago(before) <= two_hours && two_hours <= ago(Utc::now()));
        assert!(moment("yesterday").is_err());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let mut found = AuditVerification {
            ok: false,
            entries: 2,
            head_seq: 2,
            head: "ab".to_owned(),
            broken: Some(BrokenEntry { seq: 3, reason: "it was changed".to_owned() }),
            known_seq: None,
        };
        assert!(told(&found, None)[0].contains("entry 3 is wrong: it was changed"));
        found.broken = None;
        let lines = told(&found, Some("cd"));
        assert!(
            lines[1].contains("head: ab (entry 2)") && lines[2].contains("no entry"),
            "{lines:?}"
        );
    }
}
