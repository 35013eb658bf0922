//! `tenantry messages`: what was written and answered, oldest first.

use api::records::{Direction, MessageView, Page};
use clap::Args;

use crate::cli::{ReadArgs, TenantReadArgs};
use crate::connection::Environment;
use crate::reactor;
use crate::screen::{Screen, Tone};
use crate::text::{line, time};

/// The longest text that a table shows, in characters; JSON has all of it.
const LONGEST: usize = 200;

#[derive(Debug, Args)]
pub struct MessagesArgs {
    #[command(flatten)]
    target: TenantReadArgs,
}

/// Prints the newest messages.
///
/// # Errors
/// Whatever the server or the connection says.
pub fn messages(
    args: &MessagesArgs,
    environment: &Environment,
    screen: &mut Screen,
) -> anyhow::Result<()> {
    let read = &args.target.read;
    let client = read.reach.client(environment)?;
    let page = reactor::block_on(async { Ok(client.messages(&args.target.tenant).await?) })?;
    show(read, screen, &page, &["TIME", "WAY", "CHAT", "TEXT"], message, "no messages yet")
}

/// Shows a page whose newest record comes first, in the order of time.
fn show<T: serde::Serialize>(
    read: &ReadArgs,
    screen: &mut Screen,
    page: &Page<T>,
    head: &[&str],
    row: fn(&T) -> Vec<(String, Tone)>,
    empty: &str,
) -> anyhow::Result<()> {
    if read.json {
        return screen.json(page);
    }
    let rows: Vec<_> = page.items.iter().rev().map(row).collect();
    table(screen, &rows, head, empty)
}

fn table(
    screen: &mut Screen,
    rows: &[Vec<(String, Tone)>],
    head: &[&str],
    empty: &str,
) -> anyhow::Result<()> {
    if rows.is_empty() {
        return Ok(screen.line(empty)?);
    }
    Ok(screen.table(head, rows)?)
}

fn plain(text: String) -> (String, Tone) {
    (text, Tone::Plain)
}

fn message(message: &MessageView) -> Vec<(String, Tone)> {
    let way = match message.direction {
        Direction::In => "in",
        Direction::Out => "out",
    };
    vec![
        (time(message.at), Tone::Faint),
        plain(way.to_owned()),
        plain(line(&message.chat, LONGEST)),
        plain(line(&message.text, LONGEST)),
    ]
}
