//! `cargo xtask test`: every test of the workspace.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::cargo::{build_programs, cargo, has_subcommand};
use crate::npm;
use crate::pip;
use crate::postgres;
use crate::terminal::say;
use crate::web;
use crate::workspace::Workspace;

/// Builds the programs that the tests drive and installs those that are not ours, starts a database server, then runs the tests: with cargo-nextest where it is
/// installed, else with `cargo test`. `arguments` are handed on: words filter by name.
pub fn test(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    web::build(workspace)?;
    let programs = build_programs(workspace, &["tenantry", "whatsim"])?;
    npm::pm2(workspace)?;
    npm::baileys(workspace)?;
    pip::schemathesis(workspace)?;
    let nextest = has_subcommand(workspace, "nextest");
    if !nextest {
        say("cargo-nextest is not installed: using `cargo test` (slower, same tests)");
    }
    let mut command = cargo(workspace);
    command.args(test_arguments(nextest, arguments));
    // One server for the whole run; it ends when this does.
    let server = postgres::start()?;
    carry_out(command.env(pgtest::VARIABLE, server.url("postgres")))?;
    if arguments.is_empty() && nextest && has_doc_tests(workspace)? {
        // nextest leaves the examples in doc comments out.
        carry_out(cargo(workspace).args(["test", "--doc", "--workspace"]))?;
    }
    if arguments.is_empty() {
        web::stories(workspace, &programs["tenantry"])?;
    }
    Ok(())
}

fn carry_out(command: &mut Command) -> Result<()> {
    let status = command.status().context("cannot run cargo")?;
    if !status.success() {
        bail!("tests failed; see above");
    }
    Ok(())
}

/// The arguments for Cargo. A package named by the caller replaces the whole workspace.
fn test_arguments(nextest: bool, arguments: &[String]) -> Vec<String> {
    let names_package = arguments.iter().any(|argument| {
        argument.starts_with("-p") || argument == "--package" || argument.starts_with("--package=")
    });
    let mut all: Vec<String> = if nextest {
        vec!["nextest".to_owned(), "run".to_owned()]
    } else {
        vec!["test".to_owned()]
    };
    if !names_package {
        all.push("--workspace".to_owned());
    }
    if nextest || names_package {
        all.extend(arguments.iter().cloned());
    } else if !arguments.is_empty() {
        // `cargo test` itself takes one word; the test programs take many.
        all.push("--".to_owned());
        all.extend(arguments.iter().cloned());
    }
    all
}

/// Whether any library holds an example that `cargo test --doc` would run.
fn has_doc_tests(workspace: &Workspace) -> Result<bool> {
    for file in workspace.files()?.iter().filter(|file| file.ends_with(".rs")) {
        let text = std::fs::read_to_string(workspace.root().join(file))?;
        if holds_doc_test(&text) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a source file has a Rust code block in a doc comment.
fn holds_doc_test(source: &str) -> bool {
    let mut inside = false;
    for line in source.lines().map(str::trim_start) {
        let comment = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        let Some(comment) = comment.map(str::trim) else {
            inside = false;
            continue;
        };
        if let Some(language) = comment.strip_prefix("```") {
            inside = !inside;
            let runs = ["", "rust", "no_run", "should_panic", "compile_fail"];
            if inside && language.split(',').any(|word| runs.contains(&word.trim())) {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{holds_doc_test, test_arguments};

    fn arguments(nextest: bool, words: &[&str]) -> String {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        test_arguments(nextest, &words).join(" ")
    }

    #[test]
    fn filters_reach_the_test_programs() {
        assert_eq!(arguments(true, &[]), "nextest run --workspace");
        assert_eq!(arguments(true, &["adopt", "stop"]), "nextest run --workspace adopt stop");
        assert_eq!(arguments(false, &["adopt", "stop"]), "test --workspace -- adopt stop");
        assert_eq!(arguments(true, &["-p", "worker"]), "nextest run -p worker");
        assert_eq!(arguments(false, &["--package=worker"]), "test --package=worker");
    }

    #[test]
    fn only_rust_examples_count_as_doc_tests() {
        assert!(holds_doc_test("/// Text\n/// ```\n/// f();\n/// ```\nfn f() {}"));
        assert!(holds_doc_test("//! ```rust,no_run\n//! f();\n//! ```"));
        assert!(!holds_doc_test("/// ```text\n/// a diagram\n/// ```\nfn f() {}"));
        assert!(!holds_doc_test("let fence = \"```\";"));
    }
}
