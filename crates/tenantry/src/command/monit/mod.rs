//! `tenantry monit`: the processes, what they use and what they write, live in the terminal.
//!
//! [`model`] is the state and what keys do to it, [`view`] draws it, [`feed`] speaks to the supervisor, and
//! [`terminal`] has the terminal; the loop here connects them.

mod details;
mod feed;
mod keys;
mod log_pane;
mod model;
mod order;
mod process;
#[cfg(test)]
mod sample;
mod terminal;
mod view;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::Utc;
use clap::Args;
use crossterm::event::Event;
use supervisor::client::{Client, ClientError};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use self::feed::{Feed, Subject};
use self::keys::Reaction;
use self::model::Model;
use self::terminal::Screen;
use crate::{reactor, shutdown};

/// Time from one picture to the next at least.
const FRAME: Duration = Duration::from_millis(40);

#[derive(Debug, Args)]
#[command(after_help = "Press ? in the dashboard for its keys.")]
pub struct MonitArgs {}

/// Shows the dashboard until it is left.
///
/// # Errors
/// [`crate::failure::Usage`] when there is no terminal; when no supervisor answers at the beginning, or the terminal breaks.
pub fn run(_args: &MonitArgs, socket: &Path) -> anyhow::Result<()> {
    terminal::check()?;
    let client = Client::new(socket)?;
    reactor::block_on(async {
        match client.info().await {
            Err(ClientError::Unreachable { socket, .. }) => bail!(
                "nothing runs here: no supervisor answers on {}; start it with `tenantry supervisor`, or name another \
                 home with --home",
                socket.display()
            ),
            other => other?,
        };
        dashboard(client).await
    })
}

async fn dashboard(client: Client) -> anyhow::Result<()> {
    let shutdown = shutdown::on_signal()?;
    let mut screen = Screen::take()?;
    let mut input = terminal::input()?;
    let mut feed = Feed::start(client);
    let mut model = Model::new();
    // Uptimes grow although nothing comes in.
    let mut seconds = interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut next_frame = Instant::now();
    let mut stale = true;
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(()),
            event = input.recv() => {
                let event = event.context("the terminal's input ended")?;
                if react(&event.context("the terminal cannot be read")?, &mut model, &mut feed) {
                    return Ok(());
                }
                stale = true;
            }
            () = sleep_until(next_frame), if stale => {
                draw(&mut screen, &mut model)?;
                next_frame = Instant::now() + FRAME;
                stale = false;
            }
            update = feed.next() => {
                model.apply(update?, now_ms());
                stale = true;
            }
            _ = seconds.tick() => stale = true,
        }
        feed.look_at(model.selected().map(|process| Subject {
            id: process.row.id,
            created_at: process.view.as_ref().map(|view| view.created_at),
        }));
    }
}

/// Takes what the terminal says. Gives back whether that is the end.
fn react(event: &Event, model: &mut Model, feed: &mut Feed) -> bool {
    // A new size only has to be drawn.
    let Event::Key(key) = event else {
        return false;
    };
    match model.press(*key) {
        Reaction::Quit => return true,
        Reaction::None => {}
        Reaction::Do(deed) => {
            let (verb, _) = model::words(deed.action);
            match feed.order(deed) {
                Ok(()) => model.notify(&format!("{verb}: asked"), false, now_ms()),
                Err(error) => model.notify(&format!("cannot {verb}: {error}"), true, now_ms()),
            }
        }
    }
    false
}

fn draw(screen: &mut Screen, model: &mut Model) -> anyhow::Result<()> {
    let now_ms = now_ms();
    screen.draw(|frame| view::draw(frame, model, now_ms)).context("the terminal is gone")?;
    Ok(())
}

fn now_ms() -> i64 {
    Utc::now().timestamp_millis()
}
