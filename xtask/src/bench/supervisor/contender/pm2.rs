//! PM2 from npm.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::super::stage::Stage;
use super::Contender;
use super::tenantry::{ECOSYSTEM, ecosystem};

pub struct Pm2 {
    pub program: PathBuf,
}

impl Pm2 {
    fn verb(&self, stage: &Stage, words: &[&str]) -> Command {
        let mut command = stage.command(&self.program);
        command.args(words).env("PM2_HOME", stage.path().join("pm2")).env("HOME", stage.path());
        command
    }
}

impl Contender for Pm2 {
    fn name(&self) -> &'static str {
        "pm2"
    }

    fn version(&self) -> String {
        // Asking the program would start a daemon.
        version(&self.program).unwrap_or_default()
    }

    fn configure(&self, stage: &Stage) -> Result<()> {
        stage.write(ECOSYSTEM, &ecosystem(stage).to_string()).map(|_| ())
    }

    fn start(&self, stage: &Stage) -> Command {
        self.verb(stage, &["start", ECOSYSTEM])
    }

    fn list(&self, stage: &Stage) -> Option<Command> {
        Some(self.verb(stage, &["jlist"]))
    }

    fn listed(&self, _: &Stage, listing: &str) -> Result<usize> {
        online(listing)
    }

    fn stop(&self, stage: &Stage) -> Option<Command> {
        Some(self.verb(stage, &["stop", "all"]))
    }

    fn usual_limit(&self) -> usize {
        1000
    }

    fn stops_slowly(&self) -> bool {
        true
    }

    fn log_megabytes(&self) -> u64 {
        300
    }
}

/// What the program's package says of itself. The program is a link into its folder `bin`.
fn version(program: &Path) -> Option<String> {
    let program = program.canonicalize().ok()?;
    let manifest = program.parent()?.parent()?.join("package.json");
    let manifest: Value = serde_json::from_slice(&std::fs::read(manifest).ok()?).ok()?;
    Some(manifest["version"].as_str()?.to_owned())
}

/// How many processes of a `jlist` are online.
fn online(listing: &str) -> Result<usize> {
    // Other words may stand before the list.
    let list = listing.lines().find(|line| line.starts_with("[{") || *line == "[]");
    let list: Value = serde_json::from_str(list.context("pm2 jlist printed no list")?)?;
    let online = |entry: &&Value| entry["pm2_env"]["status"] == "online";
    Ok(list.as_array().into_iter().flatten().filter(online).count())
}

#[cfg(test)]
mod tests {
    use super::online;

    #[test]
    fn the_list_is_found_after_other_words() {
        let listing = "[PM2] Spawning PM2 daemon\n\
                       [{\"pm2_env\":{\"status\":\"online\"}},{\"pm2_env\":{\"status\":\"stopped\"}}]\n";
        assert_eq!(online(listing).unwrap(), 1);
        assert_eq!(online("[]\n").unwrap(), 0);
        assert!(online("[PM2] no daemon\n").is_err());
        assert!(online("[{\"torn\":").is_err());
    }
}
