//! `tenantry restore`: an installation from a backup.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use control::backup::{Restore, Restored, Unlock, restore};
use control::config::{Mistakes, Settings, Sources, resolve};

use super::backup::{described, passphrase, tell, warn};
use super::progress::Bar;
use crate::connection::Environment;
use crate::reactor;
use crate::screen::Screen;
use crate::text::clean;

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup
    file: PathBuf,
    /// A file with the passphrase that it was encrypted with
    #[arg(long, value_name = "FILE", conflicts_with = "identity")]
    passphrase_file: Option<PathBuf>,
    /// A file with the secret key that it was encrypted for, as age-keygen writes it
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// The database to fill, which has to be empty [default: that of the backup's settings]
    #[arg(long, value_name = "URL", env = "TENANTRY_RESTORE_TO", hide_env_values = true)]
    database_url: Option<String>,
    /// Move what is in the home aside, into a folder with the date in its name
    #[arg(long)]
    force: bool,
    /// Have the workers run that ran when the backup was made. Only when they run nowhere else: two clients of one
    /// session get the number banned
    #[arg(long)]
    start: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Carries the command out.
///
/// # Errors
/// Why nothing was restored.
pub fn run(
    args: &RestoreArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let home = environment.home()?;
    let unlock = match (&args.passphrase_file, &args.identity) {
        (Some(file), _) => Unlock::Passphrase(passphrase(file)?),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read the key from {}", file.display()))?;
            Unlock::identities(&text)?
        }
        (None, None) => Unlock::None,
    };
    let cwd = std::env::current_dir().context("the current folder cannot be told")?;
    let settings = |file: Option<String>| -> Result<Settings, Mistakes> {
        let mut flags = BTreeMap::from([("home", home.root().display().to_string())]);
        flags.extend(args.database_url.clone().map(|url| ("database_url", url)));
        let file = file.map(|text| (home.config_file(), text));
        let env = |name: &str| environment.variable(name);
        Ok(resolve(&Sources { flags, env: &env, file, cwd: cwd.clone() })?.settings)
    };
    let wanted = Restore {
        home: &home,
        file: &args.file,
        unlock: &unlock,
        settings: &settings,
        force: args.force,
        start: args.start,
    };
    let mut bar = Bar::new();
    let done =
        reactor::block_on(async { Ok(restore(&wanted, &mut |it| tell(&mut bar, &it)).await?) })?;
    drop(bar);
    if args.json {
        return screen.json(&done);
    }
    told(args, &done, screen)
}

fn told(args: &RestoreArgs, done: &Restored, screen: &mut Screen) -> anyhow::Result<()> {
    screen.line(&format!("restored {}", described(&done.backup)))?;
    let home = clean(&done.home.display().to_string());
    screen.line(&format!("  home {home}\n  database {}", clean(&done.database)))?;
    for moved in &done.moved_aside {
        screen.line(&format!("  moved aside: {}", clean(&moved.display().to_string())))?;
    }
    warn(&done.backup, screen)?;
    if args.database_url.is_some() {
        screen.line(
            "Set DATABASE_URL (or database_url in tenantry.toml) to this database before you start the server.",
        )?;
    }
    if done.stopped > 0 {
        screen.line(&format!(
            "{} workers are stopped. Start them when it is certain that they run nowhere else (`tenantry worker start`): two clients of one session get the number banned.",
            done.stopped
        ))?;
    }
    Ok(())
}
