//! Tenantry, by its PM2 verbs.

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::super::stage::{App, Stage};
use super::Contender;
use crate::installation::leftovers::HOME_VARIABLE;

/// The file that names all programs, in PM2's form.
pub const ECOSYSTEM: &str = "ecosystem.json";

pub struct Tenantry {
    program: PathBuf,
    version: String,
}

impl Tenantry {
    /// The `tenantry` in this file.
    pub fn at(program: PathBuf) -> Result<Self> {
        let output = Command::new(&program)
            .arg("--version")
            .output()
            .with_context(|| format!("cannot run {}", program.display()))?;
        ensure!(output.status.success(), "`{} --version` failed", program.display());
        let version = String::from_utf8_lossy(&output.stdout)
            .split_whitespace()
            .next_back()
            .unwrap_or_default()
            .to_owned();
        Ok(Self { program, version })
    }

    fn verb(&self, stage: &Stage, words: &[&str]) -> Command {
        let mut command = stage.command(&self.program);
        command.args(words);
        command
    }
}

impl Contender for Tenantry {
    fn name(&self) -> &'static str {
        "tenantry"
    }

    fn version(&self) -> String {
        self.version.clone()
    }

    fn configure(&self, stage: &Stage) -> Result<()> {
        let mut file = ecosystem(stage);
        for (app, entry) in
            stage.apps().iter().zip(file["apps"].as_array_mut().into_iter().flatten())
        {
            if app.log.is_some() {
                // The others do not rotate then either.
                entry["log_max_size"] = json!(0);
            }
        }
        stage.write(ECOSYSTEM, &file.to_string()).map(|_| ())
    }

    fn start(&self, stage: &Stage) -> Command {
        self.verb(stage, &["start", ECOSYSTEM])
    }

    fn list(&self, stage: &Stage) -> Option<Command> {
        Some(self.verb(stage, &["list"]))
    }

    fn listed(&self, stage: &Stage, listing: &str) -> Result<usize> {
        let names: HashSet<&str> = stage.apps().iter().map(|app| app.name.as_str()).collect();
        Ok(online(listing, &names))
    }

    fn stop(&self, stage: &Stage) -> Option<Command> {
        Some(self.verb(stage, &["stop", "all"]))
    }
}

/// How many lines of a table say that one of these is online.
fn online(listing: &str, names: &HashSet<&str>) -> usize {
    let is_online = |line: &&str| {
        let words = || line.split(|letter: char| letter.is_whitespace() || "│|".contains(letter));
        words().any(|word| word == "online") && words().any(|word| names.contains(word))
    };
    listing.lines().filter(is_online).count()
}

/// All programs of the stage in PM2's form.
pub fn ecosystem(stage: &Stage) -> Value {
    let entry = |app: &App| {
        let mut entry = json!({
            "name": app.name,
            "script": app.program,
            "args": app.arguments,
            "interpreter": "none",
            "exec_mode": "fork",
            // By this the program is found at the end, should anything go wrong.
            "env": {HOME_VARIABLE: stage.path()},
        });
        if let Some(log) = &app.log {
            entry["out_file"] = json!(log);
            entry["error_file"] = json!("/dev/null");
            entry["merge_logs"] = json!(true);
        }
        entry
    };
    json!({"apps": stage.apps().iter().map(entry).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::online;

    #[test]
    fn only_lines_of_programs_that_are_online_count() {
        let names = HashSet::from(["tiny-1", "tiny-2", "tiny-3"]);
        let listing = "id name status\n1 tiny-1 online 12\n│ 2 │tiny-2│online│\n\
                       3 tiny-3 errored\n4 tiny-30 online\n";
        assert_eq!(online(listing, &names), 2);
    }
}
