//! PM2 from npm.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::super::stage::Stage;
use super::Contender;
use super::tenantry::{ECOSYSTEM, ecosystem};
use crate::npm;

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
        npm::PM2.trim_start_matches("pm2@").to_owned()
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
        // Other words may stand before the list.
        let list = listing.lines().find(|line| line.starts_with('['));
        let list: Value = serde_json::from_str(list.context("pm2 jlist printed no list")?)?;
        let online = |entry: &&Value| entry["pm2_env"]["status"] == "online";
        Ok(list.as_array().into_iter().flatten().filter(online).count())
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
