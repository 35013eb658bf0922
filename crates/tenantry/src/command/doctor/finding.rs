//! What is said of one thing that was looked at.

use serde::Serialize;

/// How well it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Ok,
    /// It works, but something is not enforced, or will become a problem.
    Warning,
    /// Something does not work, or is not safe.
    Problem,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at: a stable name for programs.
    pub check: &'static str,
    pub level: Level,
    /// What was found.
    pub found: String,
    /// What that means for tenants.
    pub meaning: String,
    /// What to do; absent when there is nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(check: &'static str, found: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, found: found.into(), meaning: meaning.into(), remedy: None }
    }

    /// It could be better.
    pub fn warning(
        check: &'static str,
        found: impl Into<String>,
        meaning: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let remedy = Some(remedy.into());
        Self { level: Level::Warning, remedy, ..Self::ok(check, found, meaning) }
    }

    /// It is not well.
    pub fn problem(
        check: &'static str,
        found: impl Into<String>,
        meaning: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { level: Level::Problem, ..Self::warning(check, found, meaning, remedy) }
    }
}
