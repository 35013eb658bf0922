//! Calls of Cargo.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::workspace::Workspace;

/// Variables that `cargo run` sets for this program. They describe xtask, so they are kept away from
/// what it starts.
const OF_THIS_RUN: [&str; 5] = [
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_PRIMARY_PACKAGE",
];

/// Takes the description of xtask out of the environment of `command`.
pub fn without_own_variables(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if OF_THIS_RUN.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

/// A call of Cargo at the root of the workspace.
pub fn cargo(workspace: &Workspace) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace.root()).stdin(Stdio::null());
    without_own_variables(&mut command);
    command
}

/// Builds the programs of `packages` in the dev profile, which the tests use too, and says where
/// each one is. The whole workspace is built: Cargo then chooses the same features of all
/// dependencies for `run`, `demo`, `check` and `test`, and compiles each of them once.
pub fn build_programs(
    workspace: &Workspace,
    packages: &[&str],
) -> Result<BTreeMap<String, PathBuf>> {
    let programs = build(workspace, &["--workspace", "--bins"])?;
    for package in packages {
        if !programs.contains_key(*package) {
            bail!("the package `{package}` has no program of that name");
        }
    }
    Ok(programs)
}

/// Builds `tenantry` as it is shipped, in the release profile, and says where it is.
pub fn build_release(workspace: &Workspace) -> Result<PathBuf> {
    let mut programs = build(workspace, &["--release", "--package", "tenantry", "--bins"])?;
    programs.remove("tenantry").context("the package `tenantry` has no program of that name")
}

/// Builds what `selection` says and finds the programs among the results.
fn build(workspace: &Workspace, selection: &[&str]) -> Result<BTreeMap<String, PathBuf>> {
    require_c_compiler()?;
    let mut command = cargo(workspace);
    command.arg("build").args(selection).args(["--message-format", "json-render-diagnostics"]);
    let output = command.stderr(Stdio::inherit()).output().context("cannot run cargo")?;
    if !output.status.success() {
        bail!("the build failed; the compiler's words stand above");
    }
    Ok(programs_in(&String::from_utf8_lossy(&output.stdout)))
}

/// The programs that a build made, from Cargo's messages (one JSON object a line).
fn programs_in(messages: &str) -> BTreeMap<String, PathBuf> {
    let mut programs = BTreeMap::new();
    for line in messages.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let name = message["target"]["name"].as_str();
        if let (Some(name), Some(path)) = (name, message["executable"].as_str()) {
            programs.insert(name.to_owned(), PathBuf::from(path));
        }
    }
    programs
}

/// What `cargo metadata` says of the workspace and everything that it is built from on this
/// machine's platform. Other platforms are left out so that an offline machine can answer.
pub fn metadata(workspace: &Workspace) -> Result<Value> {
    let output = cargo(workspace)
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform"])
        .arg(host_platform()?)
        .output()
        .context("cannot run cargo metadata")?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        bail!("cargo metadata failed (is Cargo.lock up to date?): {reason}");
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata did not answer in JSON")
}

/// The compiler's own platform, such as `x86_64-unknown-linux-gnu`.
fn host_platform() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().context("cannot run rustc")?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("host: ").map(str::to_owned))
        .context("`rustc -vV` names no host")
}

/// Whether a Cargo subcommand such as `nextest` is installed.
pub fn has_subcommand(workspace: &Workspace, name: &str) -> bool {
    let mut command = cargo(workspace);
    command.args([name, "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Stops early, with the remedy, where the build would stop late with a long message.
pub fn require_c_compiler() -> Result<()> {
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut command = Command::new(&compiler);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    if command.status().is_err() {
        bail!(
            "no C compiler: `{}` does not run, and the bundled SQLite needs one; install gcc, or \
             name a compiler in CC",
            compiler.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::programs_in;

    #[test]
    fn programs_are_found_among_the_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"serde"},"executable":null}"#,
            "\nnot json\n",
            r#"{"reason":"compiler-artifact","target":{"name":"tenantry"},"executable":"/t/tenantry"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        let programs = programs_in(messages);
        assert_eq!(programs.len(), 1);
        assert_eq!(programs["tenantry"].to_str(), Some("/t/tenantry"));
    }
}
