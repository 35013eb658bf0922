//! How a failure is told, and the exit code it has: 2 when the command or the settings are wrong,
//! else 1. A worker has codes of its own.

use std::fmt;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use api::Problem;
use api::client::ClientError;
use control::config::Mistakes;

use crate::text::clean;

/// The exit code for a command or settings that cannot be used; clap's own.
pub const USAGE: u8 = 2;

/// The command cannot be used as it was given.
#[derive(Debug)]
pub struct Usage(pub String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Tells a failure on stderr and gives its exit code.
pub fn report(error: &anyhow::Error) -> ExitCode {
    // Whoever read the output has gone, as `head` does: that is no failure of ours. An error of the
    // network may have such a cause too; it is wrapped and does not count here.
    let output = error.downcast_ref::<io::Error>();
    if output.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    // Nobody can be told that stderr is gone.
    let _ = io::stderr().write_all(text(error).as_bytes());
    ExitCode::from(code(error))
}

/// The exit code of a failure.
pub fn code(error: &anyhow::Error) -> u8 {
    if let Some(error) = error.downcast_ref::<worker::WorkerError>() {
        return error.exit_code();
    }
    let usage = error.is::<Usage>()
        || error.is::<Mistakes>()
        || matches!(error.downcast_ref(), Some(logging::InitError::Level(_)))
        || matches!(error.downcast_ref(), Some(ClientError::Address(_)));
    if usage { USAGE } else { 1 }
}

/// The failure in words, with a line break at its end.
pub fn text(error: &anyhow::Error) -> String {
    match error.downcast_ref::<ClientError>() {
        Some(ClientError::Problem(found)) => problem(found),
        Some(unreachable @ ClientError::Unreachable { .. }) => format!(
            "error: {}\n  start it with `tenantry server`, or say where it listens with --url or \
             TENANTRY_URL\n",
            causes(unreachable)
        ),
        Some(address @ ClientError::Address(_)) => {
            format!("error: {address}\n  correct --url or TENANTRY_URL\n")
        }
        Some(foreign @ ClientError::Foreign { .. }) => format!(
            "error: {}\n  check with --url or TENANTRY_URL that this is Tenantry's address\n",
            clean(&foreign.to_string())
        ),
        None => format!("error: {}\n", causes(error.as_ref())),
    }
}

/// An error with everything that caused it, each said once.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            let _ = write!(text, ": {message}");
        }
        cause = error.source();
    }
    text
}

/// What the server said: the detail, the fields, the end of the log, the code.
fn problem(problem: &Problem) -> String {
    let mut text = format!("error: {}\n", clean(&problem.detail));
    for error in problem.errors.iter().filter(|error| !problem.detail.contains(&error.message)) {
        let _ = writeln!(text, "  {}: {}", clean(&error.field), clean(&error.message));
    }
    if !problem.log_tail.is_empty() {
        text.push_str("  the end of the log:\n");
        for line in &problem.log_tail {
            let _ = writeln!(text, "    {}", clean(line));
        }
    }
    let _ = writeln!(text, "  ({})", clean(&problem.code));
    text
}

#[cfg(test)]
mod tests {
    use api::{FieldError, Problem};

    use super::{ClientError, Usage, code, text};

    #[test]
    fn a_problem_is_told_with_its_fields_log_and_code() {
        let problem = Problem {
            kind: "/problems/worker_start_failed".into(),
            title: String::new(),
            status: 502,
            detail: "the worker ended at once".into(),
            code: "worker_start_failed".into(),
            errors: vec![FieldError { field: "cwd".into(), message: "is no folder".into() }],
            log_tail: vec!["first".into(), "\u{1b}[31msecond".into()],
        };
        let error = ClientError::Problem(Box::new(problem)).into();
        assert_eq!(
            text(&error),
            "error: the worker ended at once\n  cwd: is no folder\n  the end of the log:\n    first\n    \
             \u{fffd}[31msecond\n  (worker_start_failed)\n"
        );
        assert_eq!(code(&error), 1);
    }

    #[test]
    fn a_wrong_command_has_a_code_of_its_own() {
        assert_eq!(code(&Usage("say --yes".into()).into()), 2);
        let level = logging::Config { level: "loud", output: logging::Output::stderr() };
        assert_eq!(code(&logging::init(level).unwrap_err().into()), 2);
        let error = ClientError::Address("ftp://x".into()).into();
        assert_eq!(code(&error), 2);
        assert!(text(&error).contains("TENANTRY_URL"));
    }

    #[test]
    fn every_cause_is_told_once() {
        let error = anyhow::anyhow!("disk is full").context("cannot write: disk is full");
        assert_eq!(text(&error), "error: cannot write: disk is full\n");
        let error = anyhow::anyhow!("disk is full").context("cannot write");
        assert_eq!(text(&error), "error: cannot write: disk is full\n");
    }
}
