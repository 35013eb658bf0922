//! Requests by `wrk`.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::options::Options;
use super::stage::{Running, Stage};
use crate::bench::distribution;

/// Asks for one tenant after the other, each thread beginning elsewhere, and reports as JSON.
const SCRIPT: &str = r#"
local paths, token, number, threads = {}, "@TOKEN@", 0, 0
for id in io.lines("@IDS@") do paths[#paths + 1] = "/admin/tenants/" .. id .. "/status" end
local headers = { Authorization = "Bearer " .. token }
function setup(thread)
  thread:set("first", threads * 3571)
  threads = threads + 1
end
function init()
  number = first
  requests = {}
  for index, path in ipairs(paths) do requests[index] = wrk.format("GET", path, headers) end
end
function request()
  number = number + 7919
  return requests[number % #requests + 1]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\n@{"requests":%d,"us":%d,"errors":%d,"p50":%d,"p95":%d,"p99":%d,"max":%d}\n',
    summary.requests, summary.duration, e.status + e.connect + e.read + e.write + e.timeout,
    latency:percentile(50), latency:percentile(95), latency:percentile(99), latency.max))
end
"#;

/// What `wrk` measured; times in microseconds.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Answers {
    pub requests: u64,
    pub us: u64,
    pub errors: u64,
    pub p50: u64,
    pub p95: u64,
    pub p99: u64,
    pub max: u64,
}

impl Answers {
    /// Requests in a second.
    pub fn rate(&self) -> f64 {
        self.requests as f64 / (self.us as f64 / 1e6)
    }
}

/// Installs it where it is not there.
pub fn make_sure() -> Result<()> {
    if distribution::on_path("wrk").is_some() { Ok(()) } else { distribution::install("wrk") }
}

/// Asks for the states of all tenants.
pub fn statuses(server: &Running<'_>, stage: &Stage, options: &Options) -> Result<Answers> {
    let (ids, script) = (stage.file("ids"), stage.file("status.lua"));
    std::fs::write(&ids, stage.tenants().collect::<Vec<_>>().join("\n"))?;
    let text =
        SCRIPT.replace("@TOKEN@", &stage.operator()?).replace("@IDS@", &ids.display().to_string());
    std::fs::write(&script, text)?;
    let mut command = Command::new("wrk");
    command.args(["--threads", "1", "--connections", &options.connections.to_string()]);
    command.args(["--duration", &format!("{}s", options.seconds), "--script"]).arg(&script);
    let output = command.arg(server.url()).output().context("cannot run wrk")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().find_map(|line| line.strip_prefix('@'));
    let line = line.with_context(|| format!("wrk reported nothing: {said}"))?;
    let answers: Answers = serde_json::from_str(line)?;
    if answers.errors > 0 {
        bail!("{} of {} requests failed", answers.errors, answers.requests);
    }
    Ok(answers)
}
