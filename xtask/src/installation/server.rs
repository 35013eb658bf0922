//! A control plane of a task's own: `tenantry server`.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::home::Home;
use super::http::Service;
use super::program::{Program, command};
use super::{leftovers, wait};
use crate::terminal::complain;

/// How long the control plane may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// The running control plane. Dropped, it ends with its supervisor and with every worker that still
/// runs.
pub struct Server<'home> {
    process: Program,
    home: &'home Home,
    url: String,
}

impl<'home> Server<'home> {
    /// Starts the control plane with these variables in its environment and waits until it is ready.
    pub fn start(tenantry: &Path, home: &'home Home, variables: &[(&str, &str)]) -> Result<Self> {
        Self::start_with_pace(tenantry, home, variables, wait::PACE)
    }

    /// The same with another time between two looks whether it is ready.
    pub fn start_with_pace(
        tenantry: &Path,
        home: &'home Home,
        variables: &[(&str, &str)],
        pace: Duration,
    ) -> Result<Self> {
        let address_file = home.path().join("run").join("server.json");
        if address_file.exists() {
            // Of an earlier run in a kept home; the address in it is not ours.
            std::fs::remove_file(&address_file)?;
        }
        let mut call = command(tenantry, home);
        call.arg("server").envs(variables.iter().copied());
        let (out, log) = (home.own("server.out"), home.own("server.log"));
        let process = Program::start("tenantry server", &mut call, &out, &log)?;
        // From here on dropping it also ends what the server itself starts.
        let mut server = Self { process, home, url: String::new() };
        server.url =
            wait::until_with_pace("the control plane to be ready", PATIENCE, pace, || {
                server.process.check()?;
                Ok(ready_address(&address_file))
            })?;
        Ok(server)
    }

    /// Where the control plane listens, `http://address:port`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it has said on its console so far.
    pub fn console(&self) -> Result<String> {
        std::fs::read_to_string(self.home.own("server.log")).context("cannot read the console")
    }

    /// The HTTP interface, with the operator's token.
    pub fn admin(&self) -> Result<Service> {
        let token = std::fs::read_to_string(self.home.path().join("admin.token"))
            .context("cannot read the operator's token")?;
        Ok(Service::at(&self.url)?.with_bearer(token.trim()))
    }

    /// The process id of the control plane.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The process id of the supervisor that the control plane has started.
    pub fn supervisor_pid(&self) -> Result<u32> {
        let file = self.home.path().join("run").join("supervisor.pid");
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        text.trim().parse().with_context(|| format!("no process id in {}", file.display()))
    }

    /// An error with the end of its log when the server has ended.
    pub fn check(&mut self) -> Result<()> {
        self.process.check()
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        self.process.end();
        // The supervisor, and any worker that has not been told to stop.
        if let Err(error) = leftovers::end(self.home.path()) {
            complain(format_args!("cannot look for processes left behind: {error:#}"));
        }
    }
}

/// The address in the server's own file, once the server says that it is ready.
fn ready_address(file: &Path) -> Option<String> {
    let address: Value = serde_json::from_str(&std::fs::read_to_string(file).ok()?).ok()?;
    let url = address["url"].as_str()?;
    let ready = Service::at(url).ok()?.request("GET", "/ready", None).ok()?;
    (ready.status == 200).then(|| url.to_owned())
}
