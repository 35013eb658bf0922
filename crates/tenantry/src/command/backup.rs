//! `tenantry backup`: the whole installation in one file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use control::backup::{Create, Passphrase, Progress, Protection, Recipient, Summary, create};

use super::progress::Bar;
use crate::connection::Environment;
use crate::reactor;
use crate::screen::Screen;
use crate::text::{bytes, clean, time};

#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The file to make, such as tenantry-2026-01-31.tar.gz
    file: PathBuf,
    /// Encrypt it for the owner of this key of age (age1…); may be given several times
    #[arg(long, value_name = "AGE1…", conflicts_with = "passphrase_file")]
    recipient: Vec<Recipient>,
    /// Encrypt it with the passphrase in this file
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Carries the command out.
///
/// # Errors
/// Why there is no backup.
pub fn run(args: BackupArgs, environment: &Environment, screen: &mut Screen) -> anyhow::Result<()> {
    let settings = environment.settings(BTreeMap::new())?.settings;
    let protection = match args.passphrase_file {
        Some(file) => Protection::Passphrase(passphrase(&file)?),
        None if args.recipient.is_empty() => Protection::None,
        None => Protection::Recipients(args.recipient),
    };
    let wanted = Create {
        settings: &settings,
        file: &args.file,
        protection: &protection,
        force: args.force,
    };
    let mut bar = Bar::new();
    let made =
        reactor::block_on(async { Ok(create(&wanted, &mut |it| tell(&mut bar, &it)).await?) })?;
    drop(bar);
    if args.json {
        return screen.json(&made);
    }
    screen.line(&format!(
        "{}: {}, {} rows, {} sessions; written and read back",
        clean(&made.file.display().to_string()),
        bytes(made.size),
        made.rows,
        made.sessions
    ))?;
    warn(&made, screen)?;
    if !made.encrypted {
        screen.line(
            "It holds the logins of all tenants and is not encrypted: whoever can read it has them (see --recipient).",
        )?;
    }
    Ok(())
}

/// Shows how far it has come.
pub fn tell(bar: &mut Bar, progress: &Progress) {
    match progress {
        Progress::Part(what, steps) => bar.part(what, *steps),
        Progress::Done(steps) => bar.done(*steps),
    }
}

/// Says what could not be taken as it should be.
///
/// # Errors
/// When the output is gone.
pub fn warn(summary: &Summary, screen: &mut Screen) -> anyhow::Result<()> {
    for warning in &summary.warnings {
        screen.line(&format!("warning: {}", clean(warning)))?;
    }
    Ok(())
}

/// One sentence about what a backup is.
pub fn described(summary: &Summary) -> String {
    format!(
        "the backup of {} (tenantry {}, {} rows, {} sessions)",
        time(summary.created_at),
        clean(&summary.program),
        summary.rows,
        summary.sessions
    )
}

/// The passphrase in a file.
///
/// # Errors
/// When it cannot be read or is empty.
pub fn passphrase(file: &std::path::Path) -> anyhow::Result<Passphrase> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the passphrase from {}", file.display()))?;
    Ok(Passphrase::new(&text)?)
}
