//! `tenantry tenant link`: links with which somebody without an account connects a tenant's WhatsApp.

use api::pair_link::{CreatePairLink, MAX_MINUTES, MIN_MINUTES};
use clap::Args;

use crate::connection::{Environment, Reach};
use crate::reactor;
use crate::screen::Screen;
use crate::text::{clean, time};

#[derive(Debug, Args)]
pub struct LinkArgs {
    /// The tenant's slug or id
    tenant: String,
    /// For how many minutes it is good, 5 to 10080 (a week) [default: 60]
    #[arg(
        long,
        value_parser = clap::value_parser!(u32).range(i64::from(MIN_MINUTES)..=i64::from(MAX_MINUTES))
    )]
    minutes: Option<u32>,
    /// Take back all links of the tenant that were made before, in place of making one
    #[arg(long, conflicts_with = "minutes")]
    revoke: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "revoke")]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

/// Carries the command out.
///
/// # Errors
/// Whatever the server or the connection says.
pub fn run(args: &LinkArgs, environment: &Environment, screen: &mut Screen) -> anyhow::Result<()> {
    let client = args.reach.client(environment)?;
    let tenant = &args.tenant;
    if args.revoke {
        reactor::block_on(async { Ok(client.take_pair_links_back(tenant).await?) })?;
        let said = format!("no link of {} that was made before is good any more", clean(tenant));
        return Ok(screen.line(&said)?);
    }
    let wish = CreatePairLink { expires_in_minutes: args.minutes };
    let link = reactor::block_on(async { Ok(client.create_pair_link(tenant, &wish).await?) })?;
    if args.json {
        return screen.json(&link);
    }
    screen.line(&link.url)?;
    Ok(screen.line(&format!(
        "Whoever has it can connect the tenant's WhatsApp until {}; it is not shown again. Take it back: tenantry tenant link {} --revoke",
        time(link.expires_at),
        clean(tenant)
    ))?)
}
