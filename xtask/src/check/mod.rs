//! `cargo xtask check`: what must hold before a change goes in. Every check runs; all failures are
//! told together.

mod directions;
mod features;
mod paths;
mod rules;
mod sizes;
mod source;

use anyhow::{Result, bail};

use crate::cargo::{cargo, has_subcommand, metadata, require_c_compiler};
use crate::openapi;
use crate::terminal::say;
use crate::workspace::Workspace;

/// What one check found wrong, a line each.
type Findings = Vec<String>;

/// One check.
struct Check {
    /// What the caller names to run this check alone.
    name: &'static str,
    /// What the check asks for.
    asks: &'static str,
    run: fn(&Workspace) -> Result<Findings>,
}

/// The checks; those that need no compiler first, for they answer at once.
const CHECKS: [Check; 12] = [
    Check { name: "fmt", asks: "the formatting is rustfmt's", run: fmt },
    Check { name: "sizes", asks: "files and functions stay short", run: sizes::check },
    Check { name: "paths", asks: "paths named in text exist", run: paths::check },
    Check { name: "machine", asks: "no file names one machine's folders", run: rules::machine },
    Check { name: "sleeps", asks: "no test sleeps to synchronise", run: rules::sleeps },
    Check { name: "directions", asks: "crates depend on each other as planned", run: directions },
    Check { name: "features", asks: "no dangerous or nightly feature is on", run: features },
    Check { name: "deny", asks: "licences, sources and bans hold", run: deny },
    Check { name: "openapi", asks: "docs/openapi.json is the program's", run: openapi::drift },
    Check {
        name: "web",
        asks: "the web UI is formatted, typed, linted and its logic tested",
        run: web,
    },
    Check { name: "clippy", asks: "no lint complains", run: clippy },
    Check { name: "doc", asks: "the documentation builds without a warning", run: doc },
];

/// Runs the checks named in `names`, or all of them.
pub fn check(workspace: &Workspace, names: &[String]) -> Result<()> {
    for name in names {
        if !CHECKS.iter().any(|check| check.name == name) {
            let known: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
            bail!("there is no check `{name}`; there are: {}", known.join(", "));
        }
    }
    let chosen = CHECKS
        .iter()
        .filter(|check| names.is_empty() || names.iter().any(|name| name == check.name));
    let mut failed = Vec::new();
    for check in chosen {
        say(format_args!("check {}: {}", check.name, check.asks));
        // A check that cannot be carried out counts as failed; the others still run.
        let findings = (check.run)(workspace).unwrap_or_else(|error| vec![format!("{error:#}")]);
        for finding in &findings {
            say(format_args!("  {finding}"));
        }
        if !findings.is_empty() {
            failed.push(check.name);
        }
    }
    if failed.is_empty() {
        say("all checks passed");
        return Ok(());
    }
    bail!("failed: {}; again with `cargo xtask check {}`", failed.join(", "), failed.join(" "))
}

fn fmt(workspace: &Workspace) -> Result<Findings> {
    // The names of the files will do; whole differences would bury the other checks' words.
    let arguments = ["fmt", "--all", "--", "--check", "--files-with-diff"];
    pass(workspace, &arguments, &[], "run `cargo fmt --all`")
}

fn web(workspace: &Workspace) -> Result<Findings> {
    let passed = crate::web::check(workspace)?;
    Ok(if passed { Vec::new() } else { vec!["`npm run check` failed in web".to_owned()] })
}

fn clippy(workspace: &Workspace) -> Result<Findings> {
    require_c_compiler()?;
    let arguments = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    pass(workspace, &arguments, &[], "the lints stand above")
}

fn doc(workspace: &Workspace) -> Result<Findings> {
    require_c_compiler()?;
    let arguments = ["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"];
    pass(
        workspace,
        &arguments,
        &[("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links")],
        "the warnings stand above",
    )
}

fn deny(workspace: &Workspace) -> Result<Findings> {
    if !has_subcommand(workspace, "deny") {
        say("  skipped: cargo-deny is not installed");
        return Ok(Vec::new());
    }
    // Advisories are left out: their database needs the network.
    let arguments = ["deny", "check", "bans", "licenses", "sources"];
    pass(workspace, &arguments, &[], "see deny.toml")
}

fn directions(workspace: &Workspace) -> Result<Findings> {
    Ok(directions::violations(&directions::edges(&metadata(workspace)?)))
}

fn features(workspace: &Workspace) -> Result<Findings> {
    Ok(features::violations(&metadata(workspace)?))
}

/// Runs Cargo with its output on the terminal. A failure is one finding that ends in `remedy`.
fn pass(
    workspace: &Workspace,
    arguments: &[&str],
    environment: &[(&str, &str)],
    remedy: &str,
) -> Result<Findings> {
    let mut command = cargo(workspace);
    let status = command.args(arguments).envs(environment.iter().copied()).status()?;
    if status.success() {
        return Ok(Vec::new());
    }
    Ok(vec![format!("cargo {} failed: {remedy}", arguments.join(" "))])
}
