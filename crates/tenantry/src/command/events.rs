//! `tenantry events`: what happened, oldest first, and what happens.

use std::time::Duration;

use anyhow::bail;
use api::client::{AdminClient, ClientError, EventQuery};
use api::events::{EventView, KindFilter};
use api::records::Page;
use clap::Args;
use futures::StreamExt as _;

use crate::cli::ReadArgs;
use crate::connection::Environment;
use crate::reactor;
use crate::screen::{Screen, Tone};
use crate::text::{NONE, line, time};

/// The longest text that a table shows, in characters; JSON has all of it.
const LONGEST: usize = 200;
/// The most events on a page.
const PAGE: u64 = 1000;
/// How long to wait before a stream that ended is taken up again.
const PAUSE: Duration = Duration::from_secs(1);
/// How often that is tried in vain.
const TRIES: u32 = 30;

#[derive(Debug, Args)]
pub struct EventsArgs {
    /// The tenant's slug or id [default: all tenants, and the installation]
    tenant: Option<String>,
    /// Go on with each event as it happens, until Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// The most events to show, the newest ones
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=PAGE))]
    lines: u64,
    /// All events after the one with this number, in place of the newest
    #[arg(long, value_name = "SEQ")]
    after: Option<i64>,
    /// Only events of these kinds: `worker.stale`, or `message.*` for a group; commas between several
    #[arg(long, value_name = "KIND")]
    kind: Option<KindFilter>,
    #[command(flatten)]
    read: ReadArgs,
}

/// Prints events.
///
/// # Errors
/// Whatever the server or the connection says.
pub fn run(
    args: &EventsArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let client = args.read.reach.client(environment)?;
    let query = EventQuery {
        tenant: args.tenant.clone(),
        after: args.after,
        last: args.after.is_none().then_some(args.lines),
        kinds: args.kind.clone().unwrap_or_default(),
        limit: args.after.is_some().then_some(PAGE),
    };
    if args.follow {
        return reactor::block_on(follow(&client, query, args, screen));
    }
    let events = reactor::block_on(pages(&client, query))?;
    if args.read.json {
        return screen.json(&Page { next: events.last().map(|event| event.seq), items: events });
    }
    if events.is_empty() {
        return Ok(screen.line("no events yet")?);
    }
    let all = args.tenant.is_none();
    let rows: Vec<_> = events.iter().map(|event| row(event, all)).collect();
    let head = ["SEQ", "TIME", "TENANT", "EVENT", "DETAIL"];
    let head: Vec<_> = head.into_iter().filter(|name| all || *name != "TENANT").collect();
    Ok(screen.table(&head, &rows)?)
}

/// All that is asked for, page after page.
async fn pages(client: &AdminClient, mut query: EventQuery) -> anyhow::Result<Vec<EventView>> {
    let mut events = Vec::new();
    loop {
        let page = client.event_page(&query).await?;
        events.extend(page.items);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(events),
        }
    }
}

/// Prints events as they come, over restarts of the server: the number of the last one says where to go on.
async fn follow(
    client: &AdminClient,
    mut query: EventQuery,
    args: &EventsArgs,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let mut in_vain = 0;
    loop {
        match client.follow_events(&query).await {
            Ok(mut events) => {
                while let Some(event) = events.next().await {
                    in_vain = 0;
                    (query.after, query.last) = (Some(event.seq), None);
                    show(&event, args, screen)?;
                }
            }
            // The first call says what is wrong; later ones are about a server that is being started again.
            Err(error) if query.after.is_none() || !is_passing(&error) => return Err(error.into()),
            Err(_) => {}
        }
        in_vain += 1;
        if in_vain > TRIES {
            bail!("the server does not answer; call the command again with --after to go on");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn is_passing(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } => true,
        ClientError::Problem(_) | ClientError::Foreign { .. } => {
            error.status().is_some_and(|status| status == 429 || status >= 500)
        }
        ClientError::Address(_) => false,
    }
}

fn show(event: &EventView, args: &EventsArgs, screen: &mut Screen) -> anyhow::Result<()> {
    if args.read.json {
        return Ok(screen.line(&serde_json::to_string(event)?)?);
    }
    let shown: Vec<_> =
        row(event, args.tenant.is_none()).into_iter().map(|(text, _)| text).collect();
    Ok(screen.line(shown.join("  ").trim_end())?)
}

fn row(event: &EventView, all: bool) -> Vec<(String, Tone)> {
    let tenant = event.tenant_id.map_or_else(|| NONE.to_owned(), |id| id.to_string());
    let mut row = vec![
        (event.seq.to_string(), Tone::Faint),
        (time(event.at), Tone::Faint),
        (tenant, Tone::Faint),
        (line(&event.kind, LONGEST), Tone::Plain),
        (line(&event.detail, LONGEST), Tone::Plain),
    ];
    if !all {
        row.remove(2);
    }
    row
}
