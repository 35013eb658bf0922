//! How long the database takes, told to whoever counts.

use std::time::Duration;

use crate::Store;

/// The kinds of statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// It reads.
    Select,
    /// It adds rows.
    Insert,
    /// It changes rows.
    Update,
    /// It deletes rows.
    Delete,
    /// Anything else.
    Other,
}

impl StatementKind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Select, Self::Insert, Self::Update, Self::Delete, Self::Other];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Other => "other",
        }
    }

    fn of(sql: &str) -> Self {
        let verb = sql.split_ascii_whitespace().next().unwrap_or_default();
        let is = |kind: &Self| verb.eq_ignore_ascii_case(kind.as_str());
        Self::ALL.into_iter().find(is).unwrap_or(Self::Other)
    }
}

impl Store {
    /// Tells `observer` of each statement: its kind, how long it took and whether it failed. Clones of this store that
    /// were made before are not observed.
    pub fn observe_statements(
        &mut self,
        observer: impl Fn(StatementKind, Duration, bool) + Send + Sync + 'static,
    ) {
        self.db.observe(move |info| {
            observer(StatementKind::of(&info.statement.sql), info.elapsed, info.failed);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::StatementKind;

    #[test]
    fn a_statement_is_known_by_its_verb() {
        assert_eq!(StatementKind::of("SELECT 1"), StatementKind::Select);
        assert_eq!(StatementKind::of("insert into x"), StatementKind::Insert);
        assert_eq!(StatementKind::of("PRAGMA x"), StatementKind::Other);
        assert_eq!(StatementKind::of("other"), StatementKind::Other);
        assert_eq!(StatementKind::of(""), StatementKind::Other);
    }
}
