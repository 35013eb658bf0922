//! `tenantry migrate runtime`: moves tenants' workers from one runtime to another, one by one.

use std::process::ExitCode;

use anyhow::bail;
use api::client::AdminClient;
use api::tenant::TenantView;
use api::worker::{LifecycleAnswer, RuntimeKind};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::connection::{Environment, Reach};
use crate::reactor;
use crate::screen::Screen;
use crate::text::{clean, word};

#[derive(Debug, Subcommand)]
pub enum MigrateCommand {
    /// Move workers to another runtime, one by one, without a second one ever running
    Runtime(RuntimeArgs),
}

#[derive(Debug, Args)]
pub struct RuntimeArgs {
    /// Where the workers shall run: `local` (Tenantry's supervisor) or `pm2`
    #[arg(long, value_name = "RUNTIME")]
    to: RuntimeKind,
    /// A tenant's slug or id; may be given several times [default: all tenants]
    #[arg(long = "tenant", value_name = "TENANT")]
    tenants: Vec<String>,
    /// Show what would be moved, and move nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

/// What became of one tenant.
#[derive(Debug, Serialize)]
struct Outcome {
    tenant: String,
    from: RuntimeKind,
    to: RuntimeKind,
    /// Absent in a dry run and when it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<LifecycleAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Carries the command out. The exit code is 1 when a worker could not be moved, or does not yet run.
///
/// # Errors
/// Whatever the server or the connection says before the first worker is moved.
pub fn run(
    command: &MigrateCommand,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    let MigrateCommand::Runtime(args) = command;
    let client = args.reach.client(environment)?;
    reactor::block_on(async {
        let chosen = choose(client.tenants().await?, &args.tenants)?;
        let (there, moving): (Vec<_>, Vec<_>) =
            chosen.iter().partition(|tenant| tenant.worker.runtime == args.to);
        let mut outcomes = Vec::new();
        for (number, tenant) in moving.iter().enumerate() {
            let outcome = if args.dry_run {
                planned(tenant, args.to)
            } else {
                migrate(&client, tenant, args.to).await
            };
            if !args.json {
                screen.line(&format!("{}/{} {}", number + 1, moving.len(), sentence(&outcome)))?;
            }
            outcomes.push(outcome);
        }
        if args.json {
            screen.json(&outcomes)?;
        } else {
            screen.line(&summary(args, &outcomes, there.len()))?;
        }
        let well = |outcome: &Outcome| {
            args.dry_run || outcome.answer.as_ref().is_some_and(|answer| answer.success)
        };
        Ok(if outcomes.iter().all(well) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// The tenants that were named, or all.
fn choose(all: Vec<TenantView>, named: &[String]) -> anyhow::Result<Vec<TenantView>> {
    let is = |tenant: &TenantView, name: &str| tenant.slug == name || tenant.id.to_string() == name;
    let unknown: Vec<_> = named
        .iter()
        .filter(|name| !all.iter().any(|tenant| is(tenant, name)))
        .map(|name| clean(name))
        .collect();
    if !unknown.is_empty() {
        bail!("there is no tenant {}; see `tenantry tenants`", unknown.join(", "));
    }
    let wanted =
        |tenant: &TenantView| named.is_empty() || named.iter().any(|name| is(tenant, name));
    Ok(all.into_iter().filter(wanted).collect())
}

fn planned(tenant: &TenantView, to: RuntimeKind) -> Outcome {
    let (tenant, from) = (tenant.slug.clone(), tenant.worker.runtime);
    Outcome { tenant, from, to, answer: None, error: None }
}

async fn migrate(client: &AdminClient, tenant: &TenantView, to: RuntimeKind) -> Outcome {
    let plan = planned(tenant, to);
    match client.migrate(&tenant.id.to_string(), to, None).await {
        Ok(answer) => Outcome { answer: Some(answer), ..plan },
        Err(error) => Outcome { error: Some(error.to_string()), ..plan },
    }
}

fn sentence(outcome: &Outcome) -> String {
    let Outcome { tenant, from, to, .. } = outcome;
    let how = match (&outcome.answer, &outcome.error) {
        (Some(answer), _) if answer.success => format!("moved, {}", word(&answer.worker.status)),
        (Some(answer), _) => {
            format!("moved, still {}; look again soon", word(&answer.worker.status))
        }
        (None, Some(error)) => format!("failed: {}", clean(error)),
        (None, None) => "would be moved".to_owned(),
    };
    format!("{tenant} ({from} -> {to}): {how}")
}

fn summary(args: &RuntimeArgs, outcomes: &[Outcome], there: usize) -> String {
    let to = args.to;
    if args.dry_run {
        return format!("{} to move to {to}, {there} there already", outcomes.len());
    }
    let failed = outcomes.iter().filter(|outcome| outcome.error.is_some()).count();
    let mut text = format!(
        "{} moved to {to}, {failed} failed, {there} there already",
        outcomes.len() - failed
    );
    if outcomes.iter().any(|outcome| outcome.from == RuntimeKind::Pm2 && outcome.answer.is_some()) {
        text.push_str(
            "\nrun `pm2 save --force`, so that PM2 does not bring them up again after a reboot",
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use api::worker::RuntimeKind;

    use super::{Outcome, sentence};

    #[test]
    fn each_outcome_is_a_sentence() {
        let outcome = |error: Option<&str>| Outcome {
            tenant: "salon".to_owned(),
            from: RuntimeKind::Pm2,
            to: RuntimeKind::Local,
            answer: None,
            error: error.map(str::to_owned),
        };
        assert_eq!(sentence(&outcome(None)), "salon (pm2 -> local): would be moved");
        assert_eq!(sentence(&outcome(Some("no"))), "salon (pm2 -> local): failed: no");
    }
}
