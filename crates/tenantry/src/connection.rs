//! Finding the control plane and the operator's token.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use api::client::AdminClient;
use clap::Args;
use control::config::{Home, locate_home};
use serde::Deserialize;

/// Where the control plane listens when nothing else is said.
const DEFAULT_URL: &str = "http://127.0.0.1:7700";

/// How to reach the control plane.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Server")]
pub struct Reach {
    /// Where the server listens [env: TENANTRY_URL] [default: what run/server.json in the home says]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// A file with the operator's token [env: TENANTRY_TOKEN, the token itself] [default: admin.token
    /// in the home]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// Looks an environment variable up.
type Lookup = dyn Fn(&str) -> Option<String>;

/// What the command line is surrounded by: the environment, and the home where a flag names it.
pub struct Environment {
    /// The value of `--home`.
    pub home: Option<String>,
    variable: Box<Lookup>,
}

/// What the server says of itself in `run/server.json`.
#[derive(Deserialize)]
struct ServerFile {
    url: String,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process(home: Option<String>) -> Self {
        Self { home, variable: Box::new(|name| std::env::var(name).ok()) }
    }

    #[cfg(test)]
    pub fn of(home: &Path, variables: &[(&'static str, &str)]) -> Self {
        let variables: std::collections::HashMap<&str, String> =
            variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self {
            home: Some(home.display().to_string()),
            variable: Box::new(move |name| variables.get(name).cloned()),
        }
    }

    /// A variable's value.
    pub fn variable(&self, name: &str) -> Option<String> {
        (self.variable)(name)
    }

    /// The home.
    ///
    /// # Errors
    /// When it cannot be told.
    pub fn home(&self) -> anyhow::Result<Home> {
        Ok(locate_home(self.home.clone(), &*self.variable)?)
    }

    /// All settings, with `flags` by the setting's name.
    ///
    /// # Errors
    /// All mistakes in the settings.
    pub fn settings(
        &self,
        mut flags: std::collections::BTreeMap<&str, String>,
    ) -> Result<control::config::Loaded, control::config::Mistakes> {
        if let Some(home) = &self.home {
            flags.insert("home", home.clone());
        }
        control::config::load(flags, &*self.variable)
    }

    fn set(&self, name: &str) -> Option<String> {
        self.variable(name).filter(|value| !value.trim().is_empty())
    }
}

impl Reach {
    /// A client with the operator's token.
    ///
    /// # Errors
    /// When the address is none, or there is no token.
    pub fn client(&self, environment: &Environment) -> anyhow::Result<AdminClient> {
        let token = self.token(environment)?;
        Ok(AdminClient::new(&self.url(environment)?, &token)?)
    }

    /// A client for what needs no token; it gives one if there is one.
    ///
    /// # Errors
    /// When the address is none.
    pub fn anonymous_client(&self, environment: &Environment) -> anyhow::Result<AdminClient> {
        let token = self.token(environment).unwrap_or_default();
        Ok(AdminClient::new(&self.url(environment)?, &token)?)
    }

    /// Where the server listens.
    ///
    /// # Errors
    /// When the home's file that says so is damaged.
    pub fn url(&self, environment: &Environment) -> anyhow::Result<String> {
        if let Some(url) = self.url.clone().or_else(|| environment.set("TENANTRY_URL")) {
            return Ok(url);
        }
        // A home that cannot be told only matters to those who need something of it.
        let Ok(home) = environment.home() else {
            return Ok(DEFAULT_URL.to_owned());
        };
        let path = home.server_file();
        match fs::read(&path) {
            Ok(text) => {
                let file: ServerFile = serde_json::from_slice(&text).with_context(|| {
                    format!("{} is damaged; restart the server or give --url", path.display())
                })?;
                Ok(file.url)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(DEFAULT_URL.to_owned()),
            Err(error) => {
                Err(error).with_context(|| format!("{} cannot be read; give --url", path.display()))
            }
        }
    }

    fn token(&self, environment: &Environment) -> anyhow::Result<String> {
        if let Some(path) = &self.token_file {
            return read_token(path).with_context(|| {
                format!("cannot read the token from {} (--token-file)", path.display())
            });
        }
        if let Some(token) = environment.set("TENANTRY_TOKEN") {
            return sound(&token).context("TENANTRY_TOKEN holds no token");
        }
        let path = environment.home()?.admin_token();
        read_token(&path).with_context(|| {
            format!(
                "no operator's token in {}; start `tenantry server` once, which makes it, or set \
                 TENANTRY_HOME, TENANTRY_TOKEN or --token-file",
                path.display()
            )
        })
    }
}

fn read_token(path: &Path) -> anyhow::Result<String> {
    sound(&fs::read_to_string(path)?)
}

/// The token without the line break behind it.
fn sound(text: &str) -> anyhow::Result<String> {
    let token = text.trim();
    if token.is_empty() {
        bail!("it is empty");
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!("it holds characters that no token has");
    }
    Ok(token.to_owned())
}

#[cfg(test)]
mod tests;
