//! The installation that is measured.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::options::Options;
use super::stand_in::{self, Words};
use super::{beats, rows};
use crate::installation::home::Home;
use crate::installation::server::Server;
use crate::installation::wait;

/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often to look whether the server is ready, when that is timed.
const SHORT: Duration = Duration::from_millis(1);

/// An installation whose supervisor is a stand-in.
pub struct Stage {
    program: PathBuf,
    home: Home,
    database_url: Option<String>,
    /// Each tenant's id and its worker's name.
    workers: Vec<(String, String)>,
}

/// A control plane that has become ready.
pub struct Running<'a> {
    server: Server<'a>,
    /// The time from the start of the process until `/ready` was answered with 200.
    pub ready_after: Duration,
}

impl Stage {
    /// Makes the installation: one tenant with one process under a real supervisor, and then many like it.
    pub fn prepare(program: &Path, folder: &Path, options: &Options) -> Result<Self> {
        let home = Home::claim(folder, false)?;
        let mut stage = Self {
            program: program.to_owned(),
            home,
            database_url: options.database_url.clone(),
            workers: Vec::new(),
        };
        let words = {
            let server = Server::start(&stage.program, &stage.home, &stage.variables(&[]))?;
            let admin = server.admin()?;
            let tenant = json!({"name": "tenant 0", "command": ["sleep", "1000000"]});
            let made = admin.demand("POST", "/admin/tenants", Some(&tenant))?;
            let id = made["id"].as_str().context("the new tenant has no id")?;
            let start = format!("/admin/tenants/{id}/worker/start?wait=0");
            admin.demand("POST", &start, None)?;
            wait::until("the process", PATIENCE, || Ok(Words::of(&stage.supervisor()).ok()))?
        };
        let database_url = options.database_url.as_deref();
        rows::multiply(stage.home.path(), database_url, options.tenants)?;
        stage.workers = rows::workers(stage.home.path(), database_url)?;
        if stage.workers.len() != options.tenants {
            bail!("there are {} tenants, not {}", stage.workers.len(), options.tenants);
        }
        stand_in::listen(&stage.supervisor(), &words, &stage.workers)?;
        Ok(stage)
    }

    /// Starts the control plane and waits until it is ready.
    pub fn start(&self, variables: &[(&str, &str)]) -> Result<Running<'_>> {
        let begun = Instant::now();
        let server =
            Server::start_with_pace(&self.program, &self.home, &self.variables(variables), SHORT)?;
        Ok(Running { server, ready_after: begun.elapsed() })
    }

    fn variables<'v>(&'v self, more: &[(&'v str, &'v str)]) -> Vec<(&'v str, &'v str)> {
        let mut variables =
            vec![("PORT", "0"), ("LOG_LEVEL", "info"), ("RATE_LIMIT_PER_CREDENTIAL", "0")];
        variables.extend(self.database_url.as_deref().map(|url| ("DATABASE_URL", url)));
        variables.extend_from_slice(more);
        variables
    }

    fn supervisor(&self) -> PathBuf {
        self.home.path().join("run").join("supervisor.sock")
    }

    /// The socket of the worker link.
    pub fn link(&self) -> PathBuf {
        self.home.path().join("run").join("link.sock")
    }

    /// The ids of all tenants.
    pub fn tenants(&self) -> impl Iterator<Item = &str> {
        self.workers.iter().map(|(tenant, _)| tenant.as_str())
    }

    /// The operator's token.
    pub fn operator(&self) -> Result<String> {
        let token = std::fs::read_to_string(self.home.path().join("admin.token"))?;
        Ok(token.trim().to_owned())
    }

    /// A file of the benchmark's own.
    pub fn file(&self, name: &str) -> PathBuf {
        self.home.own(name)
    }

    /// The tokens of all workers.
    pub fn tokens(&self) -> Result<Vec<String>> {
        let key = std::fs::read_to_string(self.home.path().join("link.key"))?;
        self.tenants().map(|tenant| beats::token(&key, tenant)).collect()
    }

    /// How long so many looks for stale workers took, as the control plane says, when each worker was heard.
    pub fn stale_looks(&self, count: usize) -> Result<Vec<Duration>> {
        let variables =
            [("STALE_CHECK_INTERVAL_MS", "200"), ("LOG_LEVEL", "info,control::stale=debug")];
        let _server = self.start(&variables)?;
        beats::beat(&self.link(), &self.tokens()?, Duration::ZERO)?;
        let log = self.home.path().join("logs").join("server.log");
        let known = looks(&log)?.len();
        wait::until("looks for stale workers", PATIENCE, || {
            let looks = looks(&log)?;
            Ok((looks.len() >= known + count).then(|| looks[known..].to_vec()))
        })
    }
}

/// The times of all looks that a log tells of.
fn looks(log: &Path) -> Result<Vec<Duration>> {
    let text = std::fs::read_to_string(log)?;
    Ok(text.lines().filter_map(look).collect())
}

fn look(line: &str) -> Option<Duration> {
    let entry: Value = serde_json::from_str(line).ok()?;
    Some(Duration::from_micros(entry.get("took_us")?.as_u64()?))
}

impl Running<'_> {
    /// Where it listens.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// The process id of the control plane.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::look;

    #[test]
    fn looks_are_found_in_a_log() {
        let line = r#"{"ts":"…","level":"DEBUG","target":"control::stale::detector","message":"m","took_us":1500}"#;
        assert_eq!(look(line), Some(Duration::from_micros(1500)));
        assert_eq!(look(r#"{"message":"m"}"#), None);
        assert_eq!(look("no JSON"), None);
    }
}
