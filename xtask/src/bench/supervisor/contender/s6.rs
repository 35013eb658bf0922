//! s6 from the distribution: a folder of services, each with a logger as is usual with it, since the
//! other contenders keep every program's output too.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::super::stage::Stage;
use super::Contender;
use crate::bench::distribution::{install, on_path, said};

/// The folder of the services on a stage.
const SERVICES: &str = "services";

/// The largest file that s6-log takes: it cannot do without rotation.
const LOG_BYTES: u64 = 268_435_455;

pub struct S6 {
    scan: PathBuf,
    control: PathBuf,
    version: String,
}

impl S6 {
    /// The installed one; installed if need be, which starts nothing.
    pub fn find() -> Result<Self> {
        if on_path("s6-svscan").is_none() {
            install("s6")?;
        }
        Ok(Self {
            scan: on_path("s6-svscan").context("the package s6 brought no s6-svscan")?,
            control: on_path("s6-svscanctl").context("there is no s6-svscanctl")?,
            version: said(Command::new("dpkg-query").args(["--show", "-f", "${Version}", "s6"]))
                .unwrap_or_default(),
        })
    }
}

impl Contender for S6 {
    fn name(&self) -> &'static str {
        "s6"
    }

    fn version(&self) -> String {
        self.version.clone()
    }

    fn configure(&self, stage: &Stage) -> Result<()> {
        for app in stage.apps() {
            let service = Path::new(SERVICES).join(&app.name);
            let (program, arguments) = (app.program.display(), app.arguments.join(" "));
            let run = format!("#!/bin/sh\nexec {program} {arguments}\n");
            executable(&stage.write(service.join("run"), &run)?)?;
            let log = app.log.as_deref().and_then(Path::parent);
            let folder =
                log.map_or_else(|| stage.path().join("output").join(&app.name), Path::to_path_buf);
            std::fs::create_dir_all(folder.parent().context("a log's folder lies in another")?)?;
            let folder = folder.display();
            let run = format!("#!/bin/sh\nexec s6-log n100 s{LOG_BYTES} {folder}\n");
            executable(&stage.write(service.join("log/run"), &run)?)?;
        }
        Ok(())
    }

    fn start(&self, stage: &Stage) -> Command {
        let mut command = stage.command(&self.scan);
        // Its table is for so many services; the usual 500 do not do.
        command.arg("-c").arg((stage.apps().len() * 2 + 16).to_string()).arg(SERVICES);
        command
    }

    fn stays(&self) -> bool {
        true
    }

    fn list(&self, stage: &Stage) -> Option<Command> {
        let mut command = stage.command(Path::new("/bin/sh"));
        command.args(["-c", r#"for service in "$0"/*; do s6-svstat "$service"; done"#, SERVICES]);
        Some(command)
    }

    fn listed(&self, _: &Stage, listing: &str) -> Result<usize> {
        Ok(listing.lines().filter(|line| line.starts_with("up (pid ")).count())
    }

    fn stop(&self, stage: &Stage) -> Option<Command> {
        let mut command = stage.command(&self.control);
        command.args(["-t", SERVICES]);
        Some(command)
    }

    fn usual_limit(&self) -> usize {
        1000
    }
}

fn executable(file: &Path) -> Result<()> {
    Ok(std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))?)
}
