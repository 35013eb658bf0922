//! A tenant's fields as arguments.

use std::collections::BTreeMap;

use api::tenant::{CreateTenant, UpdateTenant};
use api::worker::HeartbeatMode;
use clap::{Args, ValueEnum};

use crate::connection::{Environment, Reach};
use crate::failure::Usage;

#[derive(Debug, Args)]
pub struct AddArgs {
    /// The display name
    name: String,
    #[command(flatten)]
    fields: Fields,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reach: Reach,
}

#[derive(Debug, Args)]
pub struct SetArgs {
    /// The tenant's slug or id
    pub tenant: String,
    /// The new display name
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    fields: Fields,
    /// Go back to Tenantry's own bot
    #[arg(long, conflicts_with_all = ["command", "program"])]
    no_command: bool,
    /// Remove all environment variables
    #[arg(long, conflicts_with = "env")]
    no_env: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reach: Reach,
}

/// What `add` and `set` have in common.
#[derive(Debug, Args)]
struct Fields {
    /// The WhatsApp number with its country code, as in +254700000001; an empty text removes it
    #[arg(long, allow_hyphen_values = true)]
    phone: Option<String>,
    /// What the bot answers; with an empty text it does not answer
    #[arg(long, allow_hyphen_values = true)]
    greeting: Option<String>,
    /// At most so many answers in a minute, 1 to 600
    #[arg(long, value_name = "N")]
    rate_limit: Option<u32>,
    /// The tenant's own program with its arguments, up to the next option; no shell is involved
    #[arg(long, num_args = 1.., value_names = ["PROGRAM", "ARGS"], conflicts_with = "program")]
    command: Option<Vec<String>>,
    /// The folder that the tenant's own program runs in
    #[arg(long, value_name = "DIR")]
    cwd: Option<String>,
    /// An environment variable for the tenant's own program; repeat it for more. NAME alone takes the
    /// value from here, which keeps secrets out of the process list
    #[arg(long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// What counts as a sign of life: heartbeats over the link, or the life of the process
    #[arg(long, value_enum)]
    heartbeat: Option<Heartbeat>,
    /// The tenant's own program with its arguments, whatever they look like
    #[arg(last = true, value_names = ["PROGRAM", "ARGS"])]
    program: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Heartbeat {
    Link,
    Process,
}

impl From<Heartbeat> for HeartbeatMode {
    fn from(heartbeat: Heartbeat) -> Self {
        match heartbeat {
            Heartbeat::Link => Self::Link,
            Heartbeat::Process => Self::Process,
        }
    }
}

impl AddArgs {
    /// What to ask the server for.
    ///
    /// # Errors
    /// [`Usage`] when an environment variable cannot be used.
    pub fn wish(self, environment: &Environment) -> Result<CreateTenant, Usage> {
        let fields = self.fields;
        Ok(CreateTenant {
            name: self.name,
            env: variables(&fields.env, environment)?,
            phone: fields.phone,
            greeting: fields.greeting,
            rate_limit_max_per_minute: fields.rate_limit,
            command: fields.command.or(fields.program),
            cwd: fields.cwd,
            heartbeat: fields.heartbeat.map(Into::into),
        })
    }
}

impl SetArgs {
    /// What to ask the server for.
    ///
    /// # Errors
    /// [`Usage`] when nothing would change, or an environment variable cannot be used.
    pub fn change(self, environment: &Environment) -> Result<UpdateTenant, Usage> {
        let fields = self.fields;
        let env = variables(&fields.env, environment)?;
        let change = UpdateTenant {
            name: self.name,
            phone: fields.phone,
            greeting: fields.greeting,
            rate_limit_max_per_minute: fields.rate_limit,
            command: if self.no_command {
                Some(Vec::new())
            } else {
                fields.command.or(fields.program)
            },
            cwd: fields.cwd,
            env: (self.no_env || !env.is_empty()).then_some(env),
            heartbeat: fields.heartbeat.map(Into::into),
        };
        if change == UpdateTenant::default() {
            return Err(Usage("nothing to change; see `tenantry tenant set --help`".into()));
        }
        Ok(change)
    }
}

/// `NAME=VALUE` pairs, and names whose value is taken from the environment.
fn variables(
    given: &[String],
    environment: &Environment,
) -> Result<BTreeMap<String, String>, Usage> {
    let mut variables = BTreeMap::new();
    for text in given {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => match environment.variable(text) {
                Some(value) => (text.as_str(), value),
                None => {
                    let message =
                        format!("--env {text}: {text} is not set here; write {text}=VALUE");
                    return Err(Usage(message));
                }
            },
        };
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(Usage(format!("--env: {name:?} is no name; write NAME=VALUE")));
        }
        if variables.insert(name.to_owned(), value).is_some() {
            return Err(Usage(format!("--env {name} is given twice")));
        }
    }
    Ok(variables)
}
