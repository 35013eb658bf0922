//! What changed of the rows, as it is told: written once for all who follow from the same place.

use std::collections::HashMap;
use std::sync::Arc;

use super::Cursor;
use super::table::Table;

/// From how many places it is kept. Nearly all who follow are at the last change.
const PLACES: usize = 8;

/// What changed after a place.
#[derive(Clone, Debug)]
pub enum Changes {
    /// That is not known: all rows have to be fetched anew.
    Unknown,
    /// Nothing.
    None,
    /// This, `FleetChanges` as JSON.
    Rows(Arc<str>),
}

/// What was told of the newest change.
#[derive(Debug, Default)]
pub struct Told {
    /// The number of that change.
    seq: u64,
    /// By the number that it was told after.
    after: HashMap<u64, Arc<str>>,
}

impl Told {
    /// What changed after a place.
    pub fn since(&mut self, table: &Table, cursor: Cursor) -> Changes {
        let now = table.cursor();
        if cursor == now {
            return Changes::None;
        }
        if self.seq != now.seq {
            *self = Self { seq: now.seq, after: HashMap::new() };
        }
        if cursor.epoch == now.epoch
            && let Some(told) = self.after.get(&cursor.seq)
        {
            return Changes::Rows(Arc::clone(told));
        }
        let Some(changes) = table.since(cursor) else { return Changes::Unknown };
        if changes.changed.is_empty() && changes.removed.is_empty() {
            return Changes::None;
        }
        let Ok(text) = serde_json::to_string(&changes) else { return Changes::Unknown };
        let text: Arc<str> = text.into();
        if self.after.len() < PLACES {
            self.after.insert(cursor.seq, Arc::clone(&text));
        }
        Changes::Rows(text)
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use api::fleet::FleetChanges;
    use uuid::Uuid;

    use super::super::table::tests::row;
    use super::*;

    fn rows(changes: Changes) -> Arc<str> {
        match changes {
            Changes::Rows(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_change_is_written_once_for_all_who_are_at_the_same_place() {
        let mut table = Table::new(Uuid::from_u128(7));
        let mut told = Told::default();
        table.update([row(1, 0), row(2, 0)]);
        let cursor = table.cursor();
        assert!(matches!(told.since(&table, cursor), Changes::None));
        table.update([row(1, 1), row(2, 0)]);
        let (one, two) = (rows(told.since(&table, cursor)), rows(told.since(&table, cursor)));
        assert!(Arc::ptr_eq(&one, &two));
        let read = |text: &str| serde_json::from_str::<FleetChanges>(text).unwrap();
        assert_eq!(read(&one).changed, [row(1, 1)]);
        let life = Cursor { epoch: Uuid::from_u128(8), ..cursor };
        assert!(matches!(told.since(&table, life), Changes::Unknown), "another life");
        // Another change is another text, after the same place as well.
        table.update([row(1, 1), row(2, 5)]);
        assert_eq!(read(&rows(told.since(&table, cursor))).changed, [row(1, 1), row(2, 5)]);
        table.clear();
        assert!(matches!(told.since(&table, cursor), Changes::Unknown));
    }
}
