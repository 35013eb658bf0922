//! `tenantry tenant`: add, show, list, set, link, delete.

mod fields;
mod link;

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::Context;
use api::tenant::TenantView;
use clap::{Args, Subcommand};

use super::{status, tenants};
use crate::cli::{ReadArgs, TenantReadArgs};
use crate::connection::{Environment, Reach};
use crate::failure::Usage;
use crate::reactor;
use crate::screen::{Screen, Tone};
use crate::text::{clean, line, time, word};

pub use fields::{AddArgs, SetArgs};
pub use link::LinkArgs;

#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Add a tenant
    Add(AddArgs),
    /// Show a tenant with its settings
    Show(TenantReadArgs),
    /// List all tenants
    List(ReadArgs),
    /// Change a tenant; what is not given stays as it is
    Set(SetArgs),
    /// Make a link with which somebody without an account connects a tenant's WhatsApp
    Link(LinkArgs),
    /// Stop a tenant's worker, and delete the tenant with its session and records
    Delete(DeleteArgs),
}

#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// The tenant's slug or id
    tenant: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    reach: Reach,
}

/// Carries the command out.
///
/// # Errors
/// Whatever the server or the connection says.
pub fn run(
    command: TenantCommand,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    match command {
        TenantCommand::Add(args) => add(args, environment, screen),
        TenantCommand::Show(args) => {
            let client = args.read.reach.client(environment)?;
            let tenant = reactor::block_on(async { Ok(client.tenant(&args.tenant).await?) })?;
            show(&tenant, args.read.json, screen)
        }
        TenantCommand::List(args) => tenants::run(&args, environment, screen),
        TenantCommand::Set(args) => {
            let client = args.reach.client(environment)?;
            let (target, json) = (args.tenant.clone(), args.json);
            let change = args.change(environment)?;
            let tenant =
                reactor::block_on(async { Ok(client.update_tenant(&target, &change).await?) })?;
            show(&tenant, json, screen)
        }
        TenantCommand::Link(args) => link::run(&args, environment, screen),
        TenantCommand::Delete(args) => delete(&args, environment, screen),
    }
}

fn add(args: AddArgs, environment: &Environment, screen: &mut Screen) -> anyhow::Result<()> {
    let client = args.reach.client(environment)?;
    let json = args.json;
    let wish = args.wish(environment)?;
    let tenant = reactor::block_on(async { Ok(client.create_tenant(&wish).await?) })?;
    if json {
        return screen.json(&tenant);
    }
    screen.line(&format!("added {} as {} ({})", clean(&tenant.name), tenant.slug, tenant.id))?;
    Ok(screen.line(&format!(
        "next: tenantry worker start {0} && tenantry qr {0}",
        clean(&tenant.slug)
    ))?)
}

fn delete(args: &DeleteArgs, environment: &Environment, screen: &mut Screen) -> anyhow::Result<()> {
    let client = args.reach.client(environment)?;
    reactor::block_on(async {
        // Shows whom it is about before anything is deleted.
        let tenant = client.tenant(&args.tenant).await?;
        let name = format!("{} ({})", clean(&tenant.name), clean(&tenant.slug));
        let question = format!("Delete {name} with its session and records?");
        if !args.yes && !confirm(&question)? {
            return Ok(screen.line("nothing was changed")?);
        }
        client.delete_tenant(&tenant.id.to_string()).await?;
        Ok(screen.line(&format!("deleted {name}"))?)
    })
}

/// Asks a person on the terminal; anything but a yes is a no.
///
/// # Errors
/// When there is nobody to ask.
pub fn confirm(question: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        return Err(Usage("this cannot be undone and nobody can be asked; add --yes".into()).into());
    }
    let mut stderr = io::stderr();
    write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush()).context("cannot ask")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).context("cannot read the answer")?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// The longest text that is shown, in characters.
const LONGEST: usize = 400;

fn show(tenant: &TenantView, json: bool, screen: &mut Screen) -> anyhow::Result<()> {
    if json {
        return screen.json(tenant);
    }
    let mut rows = settings(tenant);
    let status = api::records::StatusView {
        tenant_id: tenant.id,
        name: tenant.name.clone(),
        status: tenant.status,
        worker: tenant.worker.clone(),
        session: tenant.session.clone(),
    };
    // The first two rows, name and status, stand in ours already.
    rows.extend(status::rows(&status, chrono::Utc::now()).into_iter().skip(2));
    Ok(screen.table(&[], &rows)?)
}

fn settings(tenant: &TenantView) -> Vec<Vec<(String, Tone)>> {
    let config = &tenant.config;
    let names = config.env.keys().cloned().collect::<Vec<_>>().join(" ");
    let rows = [
        ("tenant", Some(tenant.slug.clone())),
        ("name", Some(line(&tenant.name, LONGEST))),
        ("id", Some(tenant.id.to_string())),
        ("phone", tenant.phone.as_ref().map(ToString::to_string)),
        ("status", Some(word(&tenant.status))),
        ("added", Some(time(tenant.created_at))),
        ("greeting", Some(line(&config.greeting, LONGEST)).filter(|text| !text.is_empty())),
        ("rate limit", Some(format!("{} a minute", config.rate_limit_max_per_minute))),
        ("program", config.command.as_ref().map(|argv| line(&shown(argv), LONGEST))),
        ("folder", config.cwd.clone()),
        ("environment", Some(names).filter(|names| !names.is_empty())),
        ("heartbeat", Some(word(&config.heartbeat))),
    ];
    rows.into_iter()
        .filter_map(|(name, value)| {
            Some(vec![(name.to_owned(), Tone::Faint), (value?, Tone::Plain)])
        })
        .collect()
}

/// An argument vector so that one sees where each argument ends.
fn shown(argv: &[String]) -> String {
    let quoted = |argument: &String| {
        let bare = !argument.is_empty()
            && argument.chars().all(|c| c.is_alphanumeric() || "-_./:=@%+,".contains(c));
        if bare { argument.clone() } else { format!("{argument:?}") }
    };
    argv.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
