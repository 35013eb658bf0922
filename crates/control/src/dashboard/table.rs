//! The rows of the fleet, each with the number of its last change: so that whoever has seen all up to a number is told
//! what changed after it, and nothing else.
//!
//! A [`Cursor`] names such a number. It is good within one life of the server, and as long as the table reaches back:
//! of tenants that are no more a bounded number of traces is kept, and the table is thrown away when nobody looks.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::str::FromStr;

use api::TenantId;
use api::fleet::{FleetChanges, FleetRow};
use uuid::Uuid;

/// How many traces of tenants that are no more are kept.
const TRACES: usize = 1000;

/// A place in the history of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Another one for each life of the server.
    pub epoch: Uuid,
    /// The number of the last change that was seen.
    pub seq: u64,
}

/// A text that is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give the cursor as the answer of /admin/fleet/tenants or the stream's id: lines say it")]
pub struct NoCursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch.simple(), self.seq)
    }
}

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let (epoch, seq) = text.trim().split_once('.').ok_or(NoCursor)?;
        let epoch = Uuid::try_parse(epoch).map_err(|_| NoCursor)?;
        Ok(Self { epoch, seq: seq.parse().map_err(|_| NoCursor)? })
    }
}

/// The rows.
#[derive(Debug)]
pub struct Table {
    epoch: Uuid,
    rows: BTreeMap<TenantId, Entry>,
    /// Tenants that are no more, with the number of that change.
    removed: VecDeque<(u64, TenantId)>,
    /// The number of the last change.
    seq: u64,
    /// Before this number not every change is known.
    known_from: u64,
}

#[derive(Debug)]
struct Entry {
    row: FleetRow,
    /// The number of its last change.
    seq: u64,
    /// The pass that last saw it.
    pass: u64,
}

impl Table {
    /// Without any row, of a new life.
    #[must_use]
    pub fn new(epoch: Uuid) -> Self {
        Self { epoch, rows: BTreeMap::new(), removed: VecDeque::new(), seq: 1, known_from: 1 }
    }

    /// Takes in all the rows that there are now. All that changed since the last time gets one number.
    pub fn update(&mut self, rows: impl IntoIterator<Item = FleetRow>) {
        let next = self.seq + 1;
        let mut changed = false;
        let mut seen = 0;
        // A pass has a number of its own, or what did not change would look like what was not seen.
        let pass = self.rows.values().next().map_or(0, |entry| entry.pass) + 1;
        for row in rows {
            seen += 1;
            match self.rows.get_mut(&row.id) {
                Some(entry) => {
                    entry.pass = pass;
                    if entry.row != row {
                        (entry.row, entry.seq, changed) = (row, next, true);
                    }
                }
                None => {
                    self.rows.insert(row.id, Entry { row, seq: next, pass });
                    changed = true;
                }
            }
        }
        if seen < self.rows.len() {
            let gone: Vec<_> = self
                .rows
                .iter()
                .filter(|(_, entry)| entry.pass != pass)
                .map(|(tenant, _)| *tenant)
                .collect();
            for tenant in gone {
                self.rows.remove(&tenant);
                self.removed.push_back((next, tenant));
                changed = true;
            }
            while self.removed.len() > TRACES {
                if let Some((seq, _)) = self.removed.pop_front() {
                    self.known_from = seq;
                }
            }
        }
        if changed {
            self.seq = next;
        }
    }

    /// Forgets the rows; what changes until they are taken in again is not known.
    pub fn clear(&mut self) {
        self.rows = BTreeMap::new();
        self.removed = VecDeque::new();
        self.seq += 1;
        self.known_from = self.seq;
    }

    /// Where the history is now.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor { epoch: self.epoch, seq: self.seq }
    }

    /// All rows, oldest tenant first.
    pub fn rows(&self) -> impl Iterator<Item = &FleetRow> {
        self.rows.values().map(|entry| &entry.row)
    }

    /// What changed after a place; none when that is not known.
    #[must_use]
    pub fn since(&self, cursor: Cursor) -> Option<FleetChanges> {
        let after = cursor.seq;
        if cursor.epoch != self.epoch || after < self.known_from || after > self.seq {
            return None;
        }
        if after == self.seq {
            return Some(FleetChanges::default());
        }
        let changed = self.rows.values().filter(|entry| entry.seq > after);
        let removed = self.removed.iter().filter(|(seq, _)| *seq > after);
        Some(FleetChanges {
            changed: changed.map(|entry| entry.row.clone()).collect(),
            removed: removed.map(|(_, tenant)| *tenant).collect(),
        })
    }
}

#[cfg(test)]
pub(super) mod tests;
