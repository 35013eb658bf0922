//! A PM2 of an installation's own: the daemon and the `pm2` program, from npm.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::proc;
use crate::program::program;

/// A PM2 daemon. Dropping it ends the daemon and whatever it has started.
pub struct Pm2 {
    home: PathBuf,
}

impl Pm2 {
    /// Starts a daemon whose folder is `home`.
    ///
    /// # Panics
    /// When PM2 is not installed or its daemon does not start.
    #[must_use]
    pub fn start(home: PathBuf) -> Self {
        let pm2 = Self { home };
        pm2.call(&["ping"]);
        pm2
    }

    /// The program that `cargo xtask test` has installed.
    ///
    /// # Panics
    /// When it is not there.
    #[must_use]
    pub fn program() -> PathBuf {
        // target/<profile>/tenantry → target/tools
        let target = program().ancestors().nth(2).expect("a target folder").to_owned();
        let pm2 = target.join("tools/pm2/node_modules/.bin/pm2");
        assert!(pm2.is_file(), "{} is missing: run `cargo xtask test`", pm2.display());
        pm2
    }

    /// The daemon's folder.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// What a server needs to run new tenants' workers here.
    #[must_use]
    pub fn settings(&self) -> Vec<(String, String)> {
        [
            ("TENANTRY_RUNTIME", "pm2".to_owned()),
            ("TENANTRY_PM2_PROGRAM", Self::program().display().to_string()),
            ("PM2_HOME", self.home.display().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Calls PM2 as an operator does, and gives what it prints.
    ///
    /// # Panics
    /// When it fails.
    pub fn call(&self, args: &[&str]) -> String {
        let mut command = Command::new(Self::program());
        command.args(args).env("PM2_HOME", &self.home).stdin(Stdio::null());
        let output = command.output().expect("pm2 runs");
        assert!(output.status.success(), "pm2 {args:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The names in its list.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let printed = self.call(&["jlist"]);
        let list = printed.lines().rfind(|line| line.starts_with('[')).expect("a list");
        let items: Vec<serde_json::Value> =
            serde_json::from_str(list).expect("a list of processes");
        items.iter().filter_map(|item| item["name"].as_str().map(str::to_owned)).collect()
    }
}

impl Drop for Pm2 {
    fn drop(&mut self) {
        // The daemon goes first, or it would start its processes again.
        let pid = std::fs::read_to_string(self.home.join("pm2.pid")).unwrap_or_default();
        if let Ok(pid) = pid.trim().parse() {
            proc::kill(pid);
        }
        for pid in proc::of_home(&self.home) {
            proc::kill(pid);
        }
    }
}
