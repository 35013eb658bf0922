//! `tenantry rules`: show, set, clear, templates, test, secret.

pub(super) mod document;
mod verdict;

use api::rules::{RulesTest, RulesView};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};

use super::tenant::confirm;
use crate::cli::TenantReadArgs;
use crate::connection::{Environment, Reach};
use crate::reactor;
use crate::screen::{Screen, Tone};
use crate::text::clean;

#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Print a tenant's reply rules as TOML, ready to be changed and set again
    Show(TenantReadArgs),
    /// Replace a tenant's reply rules; a running bot uses them at once
    Set(SetArgs),
    /// Take a tenant's reply rules away, so that the greeting answers again
    Clear(ClearArgs),
    /// List the ready-made sets, or print one
    Templates(TemplatesArgs),
    /// Show what the bot would do with a message, and why; nothing is sent
    Test(TestArgs),
    /// Make a new secret for the tenant's webhook, and print it once
    Secret(ClearArgs),
}

#[derive(Debug, Args)]
pub struct SetArgs {
    /// The tenant's slug or id
    tenant: String,
    /// A file with the rules, TOML or JSON; - reads them from the standard input
    #[arg(required_unless_present = "template")]
    file: Option<String>,
    /// A ready-made set in the place of a file; `tenantry rules templates` lists them
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    template: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, Args)]
pub struct ClearArgs {
    /// The tenant's slug or id
    tenant: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, Args)]
pub struct TemplatesArgs {
    /// The set to print, as TOML
    name: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, Args)]
pub struct TestArgs {
    /// The tenant's slug or id
    tenant: String,
    /// What the contact writes
    #[arg(allow_hyphen_values = true, default_value = "")]
    message: String,
    /// Try the rules of this file in the place of the tenant's; - reads the standard input
    #[arg(long, value_name = "FILE")]
    file: Option<String>,
    /// What kind of message it is: text, image, video, audio, voice, document, sticker, location, contact
    #[arg(long, value_name = "KIND")]
    media: Option<String>,
    /// What the contact calls themselves
    #[arg(long)]
    name: Option<String>,
    /// The contact's number
    #[arg(long)]
    number: Option<String>,
    /// When it comes, as in 2026-11-25T21:00:00+03:00; now when it is not said
    #[arg(long, value_name = "TIME")]
    at: Option<DateTime<Utc>>,
    /// It is the contact's first message
    #[arg(long)]
    first_contact: bool,
    /// It is written in a group
    #[arg(long)]
    group: bool,
    /// The contact has opted out
    #[arg(long)]
    opted_out: bool,
    /// The chat is handed over to a person until then
    #[arg(long, value_name = "TIME")]
    handed_over_until: Option<DateTime<Utc>>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

/// Carries the command out.
///
/// # Errors
/// Whatever the server or the connection says, or a file that cannot be read.
pub fn run(
    command: RulesCommand,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    match command {
        RulesCommand::Show(args) => show(&args, environment, screen),
        RulesCommand::Set(args) => set(&args, environment, screen),
        RulesCommand::Clear(args) => clear(&args, environment, screen),
        RulesCommand::Templates(args) => templates(&args, environment, screen),
        RulesCommand::Test(args) => test(args, environment, screen),
        RulesCommand::Secret(args) => secret(&args, environment, screen),
    }
}

fn show(
    args: &TenantReadArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let client = args.read.reach.client(environment)?;
    let view = reactor::block_on(async { Ok(client.rules(&args.tenant).await?) })?;
    match &view.rules {
        _ if args.read.json => screen.json(&view),
        Some(rules) => Ok(screen.write(&document::toml(rules)?)?),
        None => {
            let tenant = clean(&args.tenant);
            Ok(screen.line(&format!(
                "{tenant} has no rules: the greeting answers\nnext: tenantry rules set {tenant} --template booking-en"
            ))?)
        }
    }
}

fn set(args: &SetArgs, environment: &Environment, screen: &mut Screen) -> anyhow::Result<()> {
    let client = args.reach.client(environment)?;
    let view = reactor::block_on(async {
        let rules = match (&args.template, &args.file) {
            (Some(name), _) => client.rules_template(name).await?.rules.unwrap_or_default(),
            (None, file) => document::read(file.as_deref().unwrap_or("-"))?,
        };
        Ok(client.set_rules(&args.tenant, &rules).await?)
    })?;
    if args.json {
        return screen.json(&view);
    }
    let tenant = clean(&args.tenant);
    let version = view.version;
    screen.line(&format!("{tenant} has {} (version {version} of its settings)", counted(&view)))?;
    if let Some(secret) = &view.webhook_secret {
        screen.line(&format!("the webhook's secret, shown only now: {}", secret.0))?;
    }
    Ok(screen.line(&format!("next: tenantry rules test {tenant} \"Hello\" --first-contact"))?)
}

fn counted(view: &RulesView) -> String {
    let rules = view.rules.as_ref().and_then(|rules| rules["rules"].as_array());
    match rules.map_or(0, Vec::len) {
        1 => "1 rule".to_owned(),
        count => format!("{count} rules"),
    }
}

fn clear(args: &ClearArgs, environment: &Environment, screen: &mut Screen) -> anyhow::Result<()> {
    let client = args.reach.client(environment)?;
    let tenant = clean(&args.tenant);
    if !args.yes && !confirm(&format!("Take the reply rules of {tenant} away?"))? {
        return Ok(screen.line("nothing was changed")?);
    }
    let view = reactor::block_on(async { Ok(client.clear_rules(&args.tenant).await?) })?;
    if args.json {
        return screen.json(&view);
    }
    Ok(screen.line(&format!("{tenant} has no rules: the greeting answers"))?)
}

fn templates(
    args: &TemplatesArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let client = args.reach.client(environment)?;
    let Some(name) = &args.name else {
        let all = reactor::block_on(async { Ok(client.rules_templates().await?) })?;
        if args.json {
            return screen.json(&all);
        }
        let cell = |text: String| (text, Tone::Plain);
        let rows: Vec<_> =
            all.into_iter().map(|one| vec![cell(one.name), cell(one.about)]).collect();
        return Ok(screen.table(&["TEMPLATE", "FOR"], &rows)?);
    };
    let one = reactor::block_on(async { Ok(client.rules_template(name).await?) })?;
    if args.json {
        return screen.json(&one);
    }
    Ok(screen.write(one.toml.as_deref().unwrap_or_default())?)
}

fn test(args: TestArgs, environment: &Environment, screen: &mut Screen) -> anyhow::Result<()> {
    let client = args.reach.client(environment)?;
    let test = RulesTest {
        message: args.message,
        media: args.media,
        name: args.name,
        number: args.number,
        at: args.at,
        first_contact: args.first_contact,
        group: args.group,
        opted_out: args.opted_out,
        handed_over_until: args.handed_over_until,
        rules: args.file.as_deref().map(document::read).transpose()?,
    };
    let found = reactor::block_on(async { Ok(client.test_rules(&args.tenant, &test).await?) })?;
    if args.json {
        return screen.json(&found);
    }
    Ok(screen.write(&verdict::text(&found))?)
}

fn secret(args: &ClearArgs, environment: &Environment, screen: &mut Screen) -> anyhow::Result<()> {
    let client = args.reach.client(environment)?;
    let tenant = clean(&args.tenant);
    let question = format!("Make a new webhook secret for {tenant}? The old one will be void.");
    if !args.yes && !confirm(&question)? {
        return Ok(screen.line("nothing was changed")?);
    }
    let made = reactor::block_on(async { Ok(client.new_webhook_secret(&args.tenant).await?) })?;
    if args.json {
        return screen.json(&made);
    }
    Ok(screen.line(&made.webhook_secret.0)?)
}
