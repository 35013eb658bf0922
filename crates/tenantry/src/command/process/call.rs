//! What a command on processes has at hand: its place, the screen, the shell's environment.

use std::io::{self, Write as _};

use clap::Args;
use supervisor::client::{Client, ClientError};
use supervisor::launcher::launch;
use supervisor::wire::{Env, Info, ListRow};

use super::place::Place;
use crate::called::Called;
use crate::connection::Environment;
use crate::screen::Screen;
use crate::text::clean;

/// How to print.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Say nothing but errors and what was asked for
    #[arg(long, short)]
    pub silent: bool,
    /// Print without colours
    #[arg(long = "no-color", alias = "no-colour")]
    pub no_color: bool,
}

/// One call of a command on processes.
pub struct Call<'a> {
    pub place: Place,
    pub screen: &'a mut Screen,
    pub output: Output,
    /// The environment of the shell; what is no text belongs to none of ours.
    pub variables: Env,
}

impl<'a> Call<'a> {
    /// A call of the program by this name.
    ///
    /// # Errors
    /// When the home cannot be told.
    pub fn new(
        called: Called,
        environment: &Environment,
        screen: &'a mut Screen,
        mut output: Output,
    ) -> anyhow::Result<Self> {
        let silenced = environment.variable("PM2_SILENT").is_some_and(|value| value == "true");
        output.silent |= silenced && called != Called::Tenantry;
        if output.no_color {
            screen.without_colours();
        }
        let variables = pm2::caller_env(std::env::vars_os());
        Ok(Self { place: Place::of(called, environment)?, screen, output, variables })
    }

    /// A client of the supervisor, whether one answers or not.
    ///
    /// # Errors
    /// When the home's path is too long for a socket.
    pub fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::new(&self.place.socket())?)
    }

    /// All processes; none when no supervisor answers. One that was killed has left processes behind that run on: another
    /// takes them over first.
    ///
    /// # Errors
    /// When one answers something else.
    pub async fn rows(&self, client: &Client) -> anyhow::Result<Vec<ListRow>> {
        if let Some(rows) = answered(client.rows().await)? {
            return Ok(rows);
        }
        if !self.place.supervisor_was_killed() {
            return Ok(Vec::new());
        }
        launch(&self.place.supervisor_command()?, client).await?;
        if !self.output.silent {
            let told = "the supervisor had been killed; another one has taken its processes over";
            writeln!(io::stderr(), "warning: {told}")?;
        }
        Ok(client.rows().await?)
    }

    /// Who answers; `None` when nobody does.
    ///
    /// # Errors
    /// When something else than a supervisor does.
    pub async fn info(&self, client: &Client) -> anyhow::Result<Option<Info>> {
        Ok(answered(client.info().await)?)
    }

    /// Makes sure that a supervisor answers. Only commands that start processes do this.
    ///
    /// # Errors
    /// Why none does.
    pub async fn launch(&mut self, client: &Client) -> anyhow::Result<()> {
        if self.info(client).await?.is_some() {
            return Ok(());
        }
        self.place.prepare()?;
        launch(&self.place.supervisor_command()?, client).await?;
        let home = self.place.root().display().to_string();
        self.say(&format!("supervisor started for {home}"))
    }

    /// Tells the operator something, unless silence is wanted.
    ///
    /// # Errors
    /// When the output is gone.
    pub fn say(&mut self, text: &str) -> anyhow::Result<()> {
        if self.output.silent || self.output.json {
            return Ok(());
        }
        Ok(self.screen.line(text)?)
    }

    /// Tells the operator what may be wrong, on stderr.
    ///
    /// # Errors
    /// When stderr is gone.
    pub fn warn(&mut self, text: &str) -> anyhow::Result<()> {
        if self.output.silent {
            return Ok(());
        }
        Ok(writeln!(io::stderr(), "warning: {}", clean(text))?)
    }
}

/// The answer, or `None` when nobody answers.
fn answered<T>(answer: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(ClientError::Unreachable { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
