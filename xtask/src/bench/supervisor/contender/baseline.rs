//! What no supervisor can beat: the same work with nobody supervising.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::super::stage::Stage;
use super::Contender;

/// Starting: a loop of `posix_spawn` in C.
pub struct Spawnloop {
    pub program: PathBuf,
}

impl Contender for Spawnloop {
    fn name(&self) -> &'static str {
        "(C loop)"
    }

    fn version(&self) -> String {
        String::new()
    }

    fn configure(&self, _: &Stage) -> Result<()> {
        Ok(())
    }

    fn start(&self, stage: &Stage) -> Command {
        let mut command = stage.command(&self.program);
        command.arg(stage.apps().len().to_string()).arg(stage.notes());
        command.args(stage.apps().first().map(|app| &app.program));
        command
    }

    fn stays(&self) -> bool {
        true
    }

    fn list(&self, _: &Stage) -> Option<Command> {
        None
    }

    fn listed(&self, _: &Stage, _: &str) -> Result<usize> {
        Ok(0)
    }

    fn stop(&self, _: &Stage) -> Option<Command> {
        None
    }
}

/// Logging: `program | cat > file`.
pub struct Cat {
    /// How much it is given to log, as the contender that it is compared with.
    pub megabytes: u64,
}

impl Contender for Cat {
    fn name(&self) -> &'static str {
        "(cat)"
    }

    fn version(&self) -> String {
        String::new()
    }

    fn configure(&self, stage: &Stage) -> Result<()> {
        stage.write("log/current", "").map(|_| ())
    }

    fn start(&self, stage: &Stage) -> Command {
        let mut command = stage.command(Path::new("/bin/sh"));
        command.args(["-c", r#""$0" "$1" "$2" | cat > log/current"#]);
        for app in stage.apps() {
            command.arg(&app.program).args(&app.arguments);
        }
        command
    }

    fn stays(&self) -> bool {
        true
    }

    fn list(&self, _: &Stage) -> Option<Command> {
        None
    }

    fn listed(&self, _: &Stage, _: &str) -> Result<usize> {
        Ok(0)
    }

    fn log_megabytes(&self) -> u64 {
        self.megabytes
    }

    fn stop(&self, _: &Stage) -> Option<Command> {
        None
    }
}
