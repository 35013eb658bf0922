//! Files and functions stay short enough to be read in one go.

use anyhow::{Context as _, Result};

use super::Findings;
use super::source::functions;
use crate::workspace::Workspace;

/// A Rust file has at most so many lines.
const FILE_LINES: usize = 400;

/// A function has at most so many lines, its signature counted.
const FUNCTION_LINES: usize = 80;

/// A file that may be longer, or hold longer functions, with the reason.
struct Exception {
    file: &'static str,
    /// The function that may be longer; the file itself where absent.
    function: Option<&'static str>,
    /// Why no cut would make it easier to read.
    reason: &'static str,
}

/// The list is meant to stay short. An entry that is no longer needed is a finding too.
const EXCEPTIONS: &[Exception] = &[];

pub fn check(workspace: &Workspace) -> Result<Findings> {
    let mut findings = Findings::new();
    let mut used = vec![false; EXCEPTIONS.len()];
    for file in workspace.files()?.iter().filter(|file| file.ends_with(".rs")) {
        let text = std::fs::read_to_string(workspace.root().join(file))
            .with_context(|| format!("cannot read {file}"))?;
        for (function, finding) in excesses(file, &text) {
            let known = EXCEPTIONS.iter().position(|exception| {
                exception.file == file && exception.function == function.as_deref()
            });
            match known.and_then(|index| used.get_mut(index)) {
                Some(used) => *used = true,
                None => findings.push(finding),
            }
        }
    }
    for (exception, _) in EXCEPTIONS.iter().zip(used).filter(|(_, used)| !used) {
        findings.push(format!(
            "{} {}: this exception ({}) is no longer needed; take it out of the list",
            exception.file,
            exception.function.unwrap_or_default(),
            exception.reason
        ));
    }
    Ok(findings)
}

/// What is too long in one file: the function's name, absent for the file itself, and the words.
fn excesses(file: &str, text: &str) -> Vec<(Option<String>, String)> {
    let mut excesses = Vec::new();
    let lines = text.lines().count();
    if lines > FILE_LINES {
        excesses.push((None, format!("{file}: {lines} lines, at most {FILE_LINES}")));
    }
    for function in functions(text).into_iter().filter(|function| function.lines > FUNCTION_LINES) {
        let words = format!(
            "{file}:{}: `{}` has {} lines, at most {FUNCTION_LINES}",
            function.line, function.name, function.lines
        );
        excesses.push((Some(function.name), words));
    }
    excesses
}

#[cfg(test)]
mod tests {
    use super::{FILE_LINES, FUNCTION_LINES, excesses};

    #[test]
    fn the_limits_are_inclusive() {
        let exact = format!("fn a() {{\n{}}}\n", "    f();\n".repeat(FUNCTION_LINES - 2));
        assert_eq!(excesses("a.rs", &exact), []);
        assert_eq!(excesses("a.rs", &"\n".repeat(FILE_LINES)), []);
    }

    #[test]
    fn what_is_longer_is_named() {
        let long = format!("fn a() {{\n{}}}\n", "    f();\n".repeat(FUNCTION_LINES));
        let found = excesses("a.rs", &long);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].1, "a.rs:1: `a` has 82 lines, at most 80");
        assert_eq!(excesses("a.rs", &"\n".repeat(FILE_LINES + 1))[0].0, None);
    }
}
