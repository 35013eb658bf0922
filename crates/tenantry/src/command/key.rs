//! `tenantry key`: keys for programs.

use api::access::{CreateKey, KeyView, Permission};
use chrono::Utc;
use clap::{Args, Subcommand};

use crate::connection::{Environment, Reach};
use crate::reactor;
use crate::screen::{Screen, Tone};
use crate::text::{NONE, line, time};

/// The longest name that the table shows, in characters.
const LONGEST: usize = 40;

#[derive(Debug, Args)]
pub struct KeyArgs {
    #[command(subcommand)]
    command: Option<KeyCommand>,
    #[command(flatten)]
    reach: Reach,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// List all keys, without their secrets
    #[command(visible_alias = "ls")]
    List,
    /// Make a key; its secret is printed once
    Create(CreateArgs),
    /// Delete a key: it is good for nothing from now on
    Delete {
        /// The key's id
        key: String,
    },
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// What it is for
    name: String,
    /// What it may do: read, send, pair, control, settings, admin, separated by commas
    #[arg(long, value_delimiter = ',', required = true)]
    scope: Vec<Permission>,
    /// The tenant (slug or id) that it is good for; all when left out
    #[arg(long)]
    tenant: Option<String>,
    /// For how many days it is good; until it is deleted when left out
    #[arg(long, value_name = "N")]
    days: Option<u32>,
}

/// Carries the command out.
///
/// # Errors
/// Whatever the server or the connection says.
pub fn run(args: KeyArgs, environment: &Environment, screen: &mut Screen) -> anyhow::Result<()> {
    let client = args.reach.client(environment)?;
    let json = args.json;
    reactor::block_on(async {
        match args.command.unwrap_or(KeyCommand::List) {
            KeyCommand::List => list(&client.keys().await?, json, screen),
            KeyCommand::Create(create) => {
                let wish = CreateKey {
                    name: create.name,
                    scopes: create.scope,
                    tenant: create.tenant,
                    expires_in_days: create.days,
                };
                let made = client.create_key(&wish).await?;
                if json {
                    return screen.json(&made);
                }
                screen.line("keep this secret; it is not shown again:")?;
                Ok(screen.line(&made.secret)?)
            }
            KeyCommand::Delete { key } => {
                client.delete_key(&key).await?;
                if json {
                    return screen.json(&serde_json::json!({"success": true}));
                }
                Ok(screen.line(&format!("{} is deleted", line(&key, LONGEST)))?)
            }
        }
    })
}

fn list(keys: &[KeyView], json: bool, screen: &mut Screen) -> anyhow::Result<()> {
    if json {
        return screen.json(&keys);
    }
    if keys.is_empty() {
        return Ok(
            screen.line("no keys yet; make one with `tenantry key create NAME --scope read`")?
        );
    }
    let rows: Vec<_> = keys.iter().map(row).collect();
    let head = ["ID", "NAME", "BEGINS", "SCOPES", "TENANT", "EXPIRES", "LAST USED"];
    Ok(screen.table(&head, &rows)?)
}

fn row(key: &KeyView) -> Vec<(String, Tone)> {
    let plain = |text: String| (text, Tone::Plain);
    let none = || NONE.to_owned();
    let scopes: Vec<_> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    let over = key.expires_at.is_some_and(|end| end <= Utc::now());
    vec![
        (key.id.to_string(), Tone::Faint),
        plain(line(&key.name, LONGEST)),
        plain(format!("{}…", key.prefix)),
        plain(scopes.join(" ")),
        plain(key.tenant_id.map_or_else(|| "all".to_owned(), |tenant| tenant.to_string())),
        (key.expires_at.map_or_else(none, time), if over { Tone::Bad } else { Tone::Plain }),
        (key.last_used_at.map_or_else(none, time), Tone::Faint),
    ]
}
