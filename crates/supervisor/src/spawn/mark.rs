//! The mark in a process's environment by which its tree is recognised.

use crate::spec::PROCESS_VAR;

/// Whose process it is, and of which spawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    instance: String,
    id: u32,
    incarnation: u64,
}

impl Mark {
    pub(crate) fn new(instance: &str, id: u32, incarnation: u64) -> Self {
        Self { instance: instance.to_owned(), id, incarnation }
    }

    pub(crate) fn value(&self) -> String {
        format!("{}-{}:{}", self.instance, self.id, self.incarnation)
    }

    /// The run directory's own name.
    pub(crate) fn instance(&self) -> &str {
        &self.instance
    }

    /// As it stands in `/proc/<pid>/environ`.
    pub(crate) fn entry(&self) -> String {
        format!("{PROCESS_VAR}={}", self.value())
    }

    /// What the entries of all processes of a run directory begin with.
    pub(crate) fn entry_prefix(instance: &str) -> String {
        format!("{PROCESS_VAR}={instance}-")
    }

    /// Id and incarnation, from such an entry without its prefix.
    pub(crate) fn parse_rest(rest: &str) -> Option<(u32, u64)> {
        let (id, incarnation) = rest.split_once(':')?;
        Some((id.parse().ok()?, incarnation.parse().ok()?))
    }
}
