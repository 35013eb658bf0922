//! Running the program under test.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run of the program gave.
#[derive(Debug)]
pub struct Run {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// The program under test: `cargo xtask test` builds it before the tests.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn program() -> PathBuf {
    let mut path = std::env::current_exe().expect("the test's own path");
    // target/<profile>/deps/<test> → target/<profile>/tenantry
    path.pop();
    path.pop();
    path.push("tenantry");
    assert!(
        path.is_file(),
        "{} is missing: run the tests with `cargo xtask test`, or `cargo build -p tenantry` first",
        path.display()
    );
    path
}

/// A command of the program with an environment that names the home and nothing of the machine's.
#[must_use]
pub fn command(home: &Path) -> Command {
    let mut command = Command::new(program());
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("TENANTRY_HOME", home)
        .stdin(Stdio::null());
    command
}

/// Runs the program to its end.
///
/// # Panics
/// When it cannot be run.
#[must_use]
pub fn tenantry(home: &Path, env: &[(&str, &str)], args: &[&str]) -> Run {
    let output =
        command(home).envs(env.iter().copied()).args(args).output().expect("the program runs");
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
