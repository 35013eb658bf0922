//! `tenantry db`: the database as such: how it is, bringing it up to date, copying it into another.

use std::collections::BTreeMap;

use anyhow::bail;
use clap::{Args, Subcommand};
use control::config::DatabaseUrl;
use control::database::{self, DatabaseStatus, Schema, Step, Store};
use serde::Serialize;

use super::progress::Bar;
use crate::connection::Environment;
use crate::reactor;
use crate::screen::{Screen, Tone};
use crate::text::{NONE, bytes, clean};

#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Show the database: its schema and how many rows it has
    Status(ShowArgs),
    /// Bring the schema up to date, as `tenantry server` does when it starts
    Migrate(ShowArgs),
    /// Copy everything into another, empty database; the server must not run
    Copy(CopyArgs),
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct CopyArgs {
    /// The empty database to fill: sqlite:FILE or postgres://user:password@host/database
    #[arg(long, value_name = "URL", env = "TENANTRY_COPY_TO", hide_env_values = true)]
    to: String,
    /// The database to copy [default: the one of the settings]
    #[arg(long, value_name = "URL", env = "TENANTRY_COPY_FROM", hide_env_values = true)]
    from: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Carries the command out.
///
/// # Errors
/// What the database says, or that a server runs.
pub fn run(
    command: &DbCommand,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    reactor::block_on(async {
        match command {
            DbCommand::Status(args) => status(args, environment, screen).await,
            DbCommand::Migrate(args) => migrate(args, environment, screen).await,
            DbCommand::Copy(args) => copy(args, environment, screen).await,
        }
    })
}

/// The database that is named, or that of the settings.
fn address(environment: &Environment, named: Option<&str>) -> anyhow::Result<DatabaseUrl> {
    let flags = named.map(|url| ("database_url", url.to_owned()));
    let flags: BTreeMap<_, _> = flags.into_iter().collect();
    Ok(environment.settings(flags)?.settings.database_url)
}

#[derive(Serialize)]
struct Shown {
    /// Without a password.
    database: String,
    #[serde(flatten)]
    status: DatabaseStatus,
}

async fn status(
    args: &ShowArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let url = address(environment, None)?;
    let store = Store::open_with(url.expose(), Schema::AsIs).await?;
    show(args, &Shown { database: url.to_string(), status: store.status().await? }, screen)
}

fn show(args: &ShowArgs, shown: &Shown, screen: &mut Screen) -> anyhow::Result<()> {
    if args.json {
        return screen.json(shown);
    }
    let status = &shown.status;
    let plain = |text: String| (text, Tone::Plain);
    let mut rows = vec![
        vec![plain("database".into()), plain(shown.database.clone())],
        vec![plain("kind".into()), plain(status.backend.into())],
        vec![
            plain("schema".into()),
            plain(status.schema.clone().unwrap_or_else(|| NONE.to_owned())),
        ],
        vec![plain("size".into()), plain(bytes(status.size))],
    ];
    let pending = match status.pending.as_slice() {
        [] => ("none".to_owned(), Tone::Good),
        all => (format!("{}; run `tenantry db migrate`", all.join(", ")), Tone::Doubtful),
    };
    rows.push(vec![plain("to be migrated".into()), pending]);
    screen.table(&[], &rows)?;
    screen.line("")?;
    let rows: Vec<_> = status
        .tables
        .iter()
        .map(|table| vec![plain(table.table.clone()), plain(table.rows.to_string())])
        .collect();
    Ok(screen.table(&["TABLE", "ROWS"], &rows)?)
}

async fn migrate(
    args: &ShowArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let url = address(environment, None)?;
    let _held = control::backup::hold(&environment.home()?)?;
    let store = Store::open(url.expose()).await?;
    show(args, &Shown { database: url.to_string(), status: store.status().await? }, screen)
}

#[derive(Serialize)]
struct CopyAnswer {
    from: String,
    to: String,
    rows: u64,
    tables: Vec<database::Copied>,
}

async fn copy(
    args: &CopyArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let from = address(environment, args.from.as_deref())?;
    let to = address(environment, Some(&args.to))?;
    if from.expose() == to.expose() {
        bail!(
            "{} is the database that is to be copied; name another with --to",
            clean(&to.to_string())
        );
    }
    let _held = control::backup::hold(&environment.home()?)?;
    // One that is not there is not made.
    drop(Store::open_with(from.expose(), Schema::AsIs).await?);
    let source = Store::open(from.expose()).await?;
    let target = Store::open(to.expose()).await?;
    let mut bar = Bar::new();
    let mut tell = |step| match step {
        Step::Begun(rows) => bar.part("rows", Some(rows)),
        Step::Copied(_, rows) => bar.done(rows),
        Step::Verified(_) => {}
    };
    let tables = database::copy(&source, &target, &mut tell).await?;
    target.close().await?;
    drop(bar);
    let rows = tables.iter().map(|table| table.sum.rows).sum();
    let answer = CopyAnswer { from: from.to_string(), to: to.to_string(), rows, tables };
    if args.json {
        return screen.json(&answer);
    }
    Ok(screen.line(&format!(
        "copied and verified {rows} rows of {} tables\n  from {}\n  to   {}\nThe server still uses the first one. To switch, set DATABASE_URL (or database_url in tenantry.toml) to the \
         address of the second before you start it; keep the first until you have seen that all is well.",
        answer.tables.len(),
        clean(&answer.from),
        clean(&answer.to)
    ))?)
}
