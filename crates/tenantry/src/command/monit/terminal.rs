//! The terminal: taken for the dashboard, and given back as it was however the dashboard ends.

use std::io::{self, IsTerminal};
use std::ops::{Deref, DerefMut};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use crossterm::event::{self, Event};
use ratatui::DefaultTerminal;
use tokio::sync::mpsc::{self, Receiver};

use crate::failure::Usage;

/// Keys that wait to be taken; somebody who types faster waits.
const QUEUE: usize = 64;
/// How often the thread that reads keys looks whether anybody wants them still.
const LOOK: Duration = Duration::from_millis(250);

/// Makes sure that there is a terminal.
///
/// # Errors
/// [`Usage`] when input or output is none.
pub fn check() -> Result<(), Usage> {
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        return Ok(());
    }
    let text = "the dashboard needs a terminal as input and output; in scripts use `tenantry list` and `tenantry logs`";
    Err(Usage(text.to_owned()))
}

/// The whole screen. Dropping it gives the terminal back; so does a panic, before its message.
pub struct Screen(DefaultTerminal);

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn take() -> anyhow::Result<Self> {
        // This also has a panic give the terminal back.
        ratatui::try_init()
            .map(Self)
            .inspect_err(|_| ratatui::restore())
            .context("cannot prepare the terminal for the dashboard")
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

impl Deref for Screen {
    type Target = DefaultTerminal;

    fn deref(&self) -> &DefaultTerminal {
        &self.0
    }
}

impl DerefMut for Screen {
    fn deref_mut(&mut self) -> &mut DefaultTerminal {
        &mut self.0
    }
}

/// What is typed, and changes of the terminal's size. Reading them blocks, hence the thread; it ends with the receiver.
///
/// # Errors
/// When there can be no thread.
pub fn input() -> anyhow::Result<Receiver<io::Result<Event>>> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let read = move || {
        while !sender.is_closed() {
            let event = match event::poll(LOOK) {
                Ok(false) => continue,
                Ok(true) => event::read(),
                Err(error) => Err(error),
            };
            let failed = event.is_err();
            if sender.blocking_send(event).is_err() || failed {
                return;
            }
        }
    };
    thread::Builder::new()
        .name("keys".to_owned())
        .spawn(read)
        .context("cannot start the thread that reads keys")?;
    Ok(receiver)
}
