//! Rules on the text of the repository's files.

use std::path::Path;

use anyhow::Result;

use super::Findings;
use super::source::code_only;
use crate::workspace::Workspace;

/// Folders at the root of a file system that differ from machine to machine.
const OF_ONE_MACHINE: [&str; 3] = ["work", "root", "home"];

/// Files that may name such a folder, with the reason.
const MACHINE_EXCEPTIONS: &[(&str, &str)] = &[];

/// The one file in a test folder that may wait for time to pass: the helper that polls a condition
/// until a deadline.
const POLL_FILE: &str = "poll.rs";

/// No file names a folder of the machine that it was written on.
pub fn machine(workspace: &Workspace) -> Result<Findings> {
    let mut findings = Findings::new();
    for file in workspace.files()? {
        if MACHINE_EXCEPTIONS.iter().any(|(excepted, _)| *excepted == file) {
            continue;
        }
        // What is not text (pictures, fonts) names no folders that a reader would see.
        let Ok(text) = std::fs::read_to_string(workspace.root().join(&file)) else {
            continue;
        };
        for (index, line) in text.lines().enumerate() {
            if let Some(folder) = machine_folder(line) {
                findings.push(format!("{file}:{}: names `/{folder}/`", index + 1));
            }
        }
    }
    Ok(findings)
}

/// The folder of one machine that a line names as the beginning of an absolute path.
fn machine_folder(line: &str) -> Option<&'static str> {
    OF_ONE_MACHINE.into_iter().find(|folder| {
        line.match_indices(&format!("/{folder}/")).any(|(at, _)| {
            // After such a character the slash goes on with a longer path or an address.
            let before = line.get(..at).and_then(|before| before.chars().next_back());
            !before.is_some_and(|before| before.is_alphanumeric() || "._-~}>)]*".contains(before))
        })
    })
}

/// Tests wait for a condition with a deadline, not for time to pass.
pub fn sleeps(workspace: &Workspace) -> Result<Findings> {
    let mut findings = Findings::new();
    for file in workspace.files()?.iter().filter(|file| is_test_source(file)) {
        let text = std::fs::read_to_string(workspace.root().join(file))?;
        for (index, line) in code_only(&text).lines().enumerate() {
            if line.contains("sleep(") {
                let place = format!("{file}:{}", index + 1);
                findings
                    .push(format!("{place}: sleeps; poll for a condition, as {POLL_FILE} does"));
            }
        }
    }
    Ok(findings)
}

/// Whether a file is a Rust source below a `tests` folder other than the polling helper.
fn is_test_source(file: &str) -> bool {
    let path = Path::new(file);
    let below_tests = path.parent().is_some_and(|folder| folder.iter().any(|part| part == "tests"));
    below_tests
        && path.extension().is_some_and(|extension| extension == "rs")
        && path.file_name().is_some_and(|name| name != POLL_FILE)
}

#[cfg(test)]
mod tests {
    use super::{is_test_source, machine_folder};

    #[test]
    fn an_absolute_path_of_one_machine_is_found() {
        let path = |folder: &str| format!("sqlite:/{folder}/tenantry.db");
        assert_eq!(machine_folder(&path("home")), Some("home"));
        assert_eq!(machine_folder(&format!("`/{}/x`", "root")), Some("root"));
        assert_eq!(machine_folder(&format!("/{}/x", "work")), Some("work"));
    }

    #[test]
    fn longer_paths_and_addresses_are_not() {
        for line in
            ["var/home/x", "https://example.org/home/x", "~/work/x", "<base>/root/x", "/var/"]
        {
            assert_eq!(machine_folder(line), None, "{line}");
        }
    }

    #[test]
    fn test_sources_are_those_below_a_tests_folder() {
        assert!(is_test_source("tests/e2e/src/story.rs"));
        assert!(is_test_source("crates/worker/tests/pairing.rs"));
        assert!(!is_test_source("crates/worker/tests/poll.rs"));
        assert!(!is_test_source("crates/worker/src/tests.rs"));
        assert!(!is_test_source("tests/e2e/README.md"));
    }
}
