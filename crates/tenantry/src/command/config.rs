//! `tenantry config`: the effective settings.

use std::collections::BTreeMap;

use clap::Args;
use control::config::{Explained, Source, reference};
use serde::Serialize;

use crate::connection::Environment;
use crate::screen::{Screen, Tone};
use crate::text::NONE;

#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print what every setting means instead, as a Markdown table
    #[arg(long, conflicts_with = "json")]
    reference: bool,
}

/// One setting in JSON.
#[derive(Serialize)]
struct Setting {
    key: &'static str,
    value: Option<String>,
    source: String,
    environment: &'static str,
}

/// Prints the settings; doubtful ones are told behind them.
///
/// # Errors
/// Mistakes in the settings.
pub fn run(
    args: &ConfigArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    if args.reference {
        return Ok(screen.write(&reference())?);
    }
    let loaded = environment.settings(BTreeMap::new())?;
    let rows = loaded.explain();
    if args.json {
        return screen.json(&rows.into_iter().map(Setting::from).collect::<Vec<_>>());
    }
    screen.table(&["SETTING", "VALUE", "FROM"], &rows.iter().map(row).collect::<Vec<_>>())?;
    for warning in &loaded.warnings {
        screen.line(&format!("warning: {warning}"))?;
    }
    Ok(())
}

impl From<Explained> for Setting {
    fn from(row: Explained) -> Self {
        Self {
            key: row.key,
            value: row.value,
            source: row.source.to_string(),
            environment: row.env,
        }
    }
}

fn row(row: &Explained) -> Vec<(String, Tone)> {
    let tone = if row.source == Source::Default { Tone::Faint } else { Tone::Plain };
    let value = row.value.clone().unwrap_or_else(|| NONE.to_owned());
    vec![(row.key.to_owned(), tone), (value, tone), (row.source.to_string(), tone)]
}
