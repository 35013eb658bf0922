//! The web UI: built with Vite into `web/dist`, checked, and driven in a browser.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::apt;
use crate::npm::{require, target};
use crate::terminal::say;
use crate::workspace::Workspace;

/// What the UI is built from besides what lies in `web`: the API's document, which its types come from.
const API_DOCUMENT: &str = "docs/openapi.json";

/// Parts of `web` that are no part of the program.
const NOT_BUILT: [&str; 2] = ["web/tests/", "web/playwright.config.ts"];

/// Debian's browser.
const CHROMIUM: &str = "/usr/bin/chromium";

/// `cargo xtask web`.
pub fn web(workspace: &Workspace) -> Result<()> {
    build(workspace)?;
    say(format_args!("the web UI is in {}", folder(workspace).join("dist").display()));
    Ok(())
}

/// Builds the UI, unless what it is built from is as it was.
pub fn build(workspace: &Workspace) -> Result<()> {
    let dist = folder(workspace).join("dist");
    let done = target(workspace).join("web-built");
    let sources = fingerprint(workspace)?;
    let is_there = dist.join("index.html").is_file();
    if is_there && std::fs::read_to_string(&done).is_ok_and(|built| built == sources) {
        return Ok(());
    }
    install(workspace)?;
    say("building the web UI");
    if !npm(workspace, &["run", "--silent", "build", "--", "--logLevel", "warn"])?.success() {
        bail!("the web UI could not be built; the words stand above");
    }
    std::fs::create_dir_all(target(workspace))?;
    std::fs::write(&done, sources).with_context(|| format!("cannot write {}", done.display()))
}

/// Formatting, types, lints and the tests of its logic; whether all passed.
pub fn check(workspace: &Workspace) -> Result<bool> {
    install(workspace)?;
    Ok(npm(workspace, &["run", "--silent", "check"])?.success())
}

/// Runs the stories that drive the built program in a browser.
pub fn stories(workspace: &Workspace, tenantry: &Path) -> Result<()> {
    say("running the stories in a browser");
    let mut stories = in_browser(workspace, "story", tenantry)?;
    if !stories.status().context("cannot run npm")?.success() {
        bail!("a story in the browser failed; see above, and web/test-results for its screenshot");
    }
    Ok(())
}

/// Measures the UI of the built program in a browser, its memory over so many minutes.
pub fn figures(workspace: &Workspace, tenantry: &Path, minutes: u32) -> Result<()> {
    let mut figures = in_browser(workspace, "figures", tenantry)?;
    figures.env("FIGURES_MINUTES", minutes.to_string());
    if !figures.status().context("cannot run npm")?.success() {
        bail!("the measuring failed; see above");
    }
    Ok(())
}

/// A script of the UI's that drives a program in a browser.
fn in_browser(workspace: &Workspace, script: &str, tenantry: &Path) -> Result<Command> {
    install(workspace)?;
    let chromium =
        std::env::var_os("CHROMIUM").map_or_else(|| PathBuf::from(CHROMIUM), PathBuf::from);
    if !chromium.is_file() {
        let missing = format!(
            "there is no Chromium at {} (the variable CHROMIUM names another)",
            chromium.display()
        );
        // The pages' words need a font.
        apt::install(&["chromium", "fonts-dejavu-core"], &missing)?;
    }
    let mut command = command(workspace, &["run", "--silent", script]);
    command.env("TENANTRY_PROGRAMS", tenantry.parent().context("the program lies in no folder")?);
    command.env("CHROMIUM", &chromium);
    Ok(command)
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root().join("web")
}

/// Installs what `web/package-lock.json` pins, unless exactly that is there.
fn install(workspace: &Workspace) -> Result<()> {
    let folder = folder(workspace);
    let pinned = std::fs::read(folder.join("package-lock.json"))?;
    // A copy of what was installed, written when it is whole.
    let done = folder.join("node_modules/.installed-lock.json");
    if std::fs::read(&done).is_ok_and(|installed| installed == pinned) {
        return Ok(());
    }
    require("node", "the web UI")?;
    require("npm", "the web UI")?;
    say("installing the web UI's tools from npm");
    let arguments = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
    if !npm(workspace, &arguments)?.success() {
        bail!(
            "npm could not install the web UI's tools; its words stand above (does it reach its registry?)"
        );
    }
    std::fs::write(&done, pinned).with_context(|| format!("cannot write {}", done.display()))
}

fn command(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut npm = Command::new("npm");
    npm.args(arguments).current_dir(folder(workspace)).stdin(Stdio::null());
    npm
}

fn npm(workspace: &Workspace, arguments: &[&str]) -> Result<std::process::ExitStatus> {
    command(workspace, arguments).status().context("cannot run npm")
}

/// A hash over everything that the UI is built from.
fn fingerprint(workspace: &Workspace) -> Result<String> {
    let mut hash = Sha256::new();
    for file in workspace.files()?.iter().filter(|file| is_source(file)) {
        let content = std::fs::read(workspace.root().join(file))
            .with_context(|| format!("cannot read {file}"))?;
        hash.update(file.as_bytes());
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(content);
    }
    Ok(hex::encode(hash.finalize()))
}

/// Whether the UI is built from this file.
fn is_source(file: &str) -> bool {
    let part = file == API_DOCUMENT || file.starts_with("web/");
    part && !NOT_BUILT.iter().any(|path| file.starts_with(path)) && !file.ends_with(".test.ts")
}

#[cfg(test)]
mod tests {
    use super::is_source;

    #[test]
    fn only_what_goes_into_the_program_has_it_built_anew() {
        for file in
            ["web/src/App.svelte", "web/index.html", "web/package-lock.json", "docs/openapi.json"]
        {
            assert!(is_source(file), "{file}");
        }
        for file in
            ["web/tests/story.spec.ts", "web/src/ui/visible.test.ts", "docs/events.md", "README.md"]
        {
            assert!(!is_source(file), "{file}");
        }
    }
}
