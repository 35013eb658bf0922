//! supervisord from the distribution.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::super::stage::Stage;
use super::Contender;
use crate::bench::distribution::{on_path, said, unpack};
use crate::workspace::Workspace;

/// Its configuration on a stage.
const FILE: &str = "supervisord.conf";

pub struct Supervisord {
    daemon: PathBuf,
    control: PathBuf,
    /// Where its Python modules are, where they are not installed.
    modules: Option<PathBuf>,
    version: String,
}

impl Supervisord {
    /// The installed one; else the distribution's, unpacked below `target` but not installed:
    /// installing the package starts a system service.
    pub fn find(workspace: &Workspace) -> Result<Self> {
        let installed = on_path("supervisord").zip(on_path("supervisorctl"));
        let (daemon, control, modules) = match installed {
            Some((daemon, control)) => (daemon, control, None),
            None => {
                let root = workspace.root().join("target").join("tools").join("supervisor");
                let daemon = root.join("usr/bin/supervisord");
                if !daemon.exists() {
                    unpack("supervisor", &root)?;
                }
                let modules = root.join("usr/lib/python3/dist-packages");
                (daemon, root.join("usr/bin/supervisorctl"), Some(modules))
            }
        };
        let mut found = Self { daemon, control, modules, version: String::new() };
        let mut command = Command::new(&found.daemon);
        command.arg("--version");
        found.version = said(found.with_modules(&mut command))?;
        Ok(found)
    }

    fn with_modules<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        match &self.modules {
            Some(modules) => command.env("PYTHONPATH", modules),
            None => command,
        }
    }

    fn call(&self, stage: &Stage, program: &Path, words: &[&str]) -> Command {
        let mut command = stage.command(program);
        self.with_modules(&mut command).args(["-c", FILE]).args(words);
        command
    }
}

impl Contender for Supervisord {
    fn name(&self) -> &'static str {
        "supervisord"
    }

    fn version(&self) -> String {
        self.version.clone()
    }

    fn configure(&self, stage: &Stage) -> Result<()> {
        let here = stage.path().display();
        let mut text = format!(
            "[unix_http_server]\nfile={here}/supervisor.sock\n\
             [supervisord]\nlogfile={here}/supervisord.log\npidfile={here}/supervisord.pid\n\
             childlogdir={here}/output\n\
             [rpcinterface:supervisor]\n\
             supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\
             [supervisorctl]\nserverurl=unix://{here}/supervisor.sock\n"
        );
        for app in stage.apps() {
            let (program, arguments) = (app.program.display(), app.arguments.join(" "));
            let _ = writeln!(text, "[program:{}]\ncommand={program} {arguments}", app.name);
            if let Some(log) = &app.log {
                let log = log.display();
                let _ = writeln!(text, "stdout_logfile={log}\nstdout_logfile_maxbytes=0");
            }
        }
        std::fs::create_dir_all(stage.path().join("output"))?;
        std::fs::create_dir_all(stage.path().join("log"))?;
        stage.write(FILE, &text).map(|_| ())
    }

    fn start(&self, stage: &Stage) -> Command {
        self.call(stage, &self.daemon, &[])
    }

    fn list(&self, stage: &Stage) -> Option<Command> {
        Some(self.call(stage, &self.control, &["status"]))
    }

    fn listed(&self, _: &Stage, listing: &str) -> Result<usize> {
        let running = |line: &&str| line.split_whitespace().nth(1) == Some("RUNNING");
        Ok(listing.lines().filter(running).count())
    }

    fn stop(&self, stage: &Stage) -> Option<Command> {
        Some(self.call(stage, &self.control, &["stop", "all"]))
    }

    fn usual_limit(&self) -> usize {
        1000
    }

    fn log_megabytes(&self) -> u64 {
        100
    }
}
