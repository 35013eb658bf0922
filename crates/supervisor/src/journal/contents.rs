//! What the journal says, and how each change is written.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::spec::{Env, ProcessSpec};

/// Whether a process is meant to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Desired {
    /// It is; a supervisor that starts runs it.
    Running,
    /// It is not.
    Stopped,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entry {
    /// What belongs to the run directory as a whole.
    Meta {
        /// Tells this run directory's processes from all others on the machine.
        instance: String,
        /// The next free process id.
        next_id: u32,
        /// No incarnation up to this one is given to a process with an id that another one had.
        #[serde(default)]
        used_incarnations: u64,
    },
    /// An environment that many processes have under their own.
    Base { number: u32, variables: Arc<Env> },
    /// A process is new, or has a new description, whose `base_env` is the numbered one.
    Put {
        id: u32,
        spec: Arc<ProcessSpec>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        base: Option<u32>,
        desired: Desired,
        incarnation: u64,
    },
    /// A process is meant to run or not. The incarnation is a lower bound for a time when the record is lost.
    Desire { id: u32, desired: Desired, incarnation: u64 },
    /// A process is forgotten.
    Remove {
        id: u32,
        #[serde(default)]
        incarnation: u64,
    },
}

/// A process as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) spec: Arc<ProcessSpec>,
    pub(crate) desired: Desired,
    pub(crate) incarnation: u64,
}

/// Everything the journal says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) instance: String,
    pub(crate) next_id: u32,
    /// No incarnation up to this one is given to a process with an id that another one had.
    pub(crate) used_incarnations: u64,
    pub(crate) processes: BTreeMap<u32, Kept>,
    pub(super) bases: BTreeMap<u32, Arc<Env>>,
}

impl Contents {
    /// Takes note of a change; `false` when it names an environment that is not there.
    pub(super) fn apply(&mut self, entry: Entry) -> bool {
        match entry {
            Entry::Meta { instance, next_id, used_incarnations } => {
                self.instance = instance;
                self.next_id = self.next_id.max(next_id);
                self.used_incarnations = self.used_incarnations.max(used_incarnations);
            }
            Entry::Base { number, variables } => {
                self.bases.insert(number, variables);
            }
            Entry::Put { id, mut spec, base, desired, incarnation } => {
                self.next_id = self.next_id.max(id.saturating_add(1));
                if let Some(base) = base {
                    let Some(variables) = self.bases.get(&base) else { return false };
                    if !Arc::ptr_eq(&spec.base_env, variables) {
                        Arc::make_mut(&mut spec).base_env = Arc::clone(variables);
                    }
                }
                self.processes.insert(id, Kept { spec, desired, incarnation });
            }
            Entry::Desire { id, desired, incarnation } => {
                if let Some(kept) = self.processes.get_mut(&id) {
                    kept.desired = desired;
                    kept.incarnation = kept.incarnation.max(incarnation);
                }
            }
            Entry::Remove { id, incarnation } => {
                self.used_incarnations = self.used_incarnations.max(incarnation);
                self.processes.remove(&id);
                if self.processes.is_empty() {
                    // PM2's users expect a list that was emptied to begin at 0 again.
                    self.next_id = 0;
                }
            }
        }
        true
    }

    /// The number of an environment that the journal has.
    pub(super) fn base_number(&self, variables: &Arc<Env>) -> Option<u32> {
        let same = |(number, known): (&u32, &Arc<Env>)| {
            (Arc::ptr_eq(known, variables) || known == variables).then_some(*number)
        };
        self.bases.iter().find_map(same)
    }

    /// As few entries as say everything that is still true.
    pub(super) fn snapshot(&mut self) -> Vec<Entry> {
        let used: Vec<&Arc<Env>> =
            self.processes.values().map(|kept| &kept.spec.base_env).collect();
        self.bases.retain(|_, variables| used.iter().any(|used| Arc::ptr_eq(used, variables)));
        let meta = Entry::Meta {
            instance: self.instance.clone(),
            next_id: self.next_id,
            used_incarnations: self.used_incarnations,
        };
        let bases = self.bases.iter().map(|(number, variables)| Entry::Base {
            number: *number,
            variables: Arc::clone(variables),
        });
        let puts = self.processes.iter().map(|(id, kept)| Entry::Put {
            id: *id,
            spec: Arc::clone(&kept.spec),
            base: self.base_number(&kept.spec.base_env),
            desired: kept.desired,
            incarnation: kept.incarnation,
        });
        std::iter::once(meta).chain(bases).chain(puts).collect()
    }
}

/// One line of the journal: `<crc32> <json>`.
pub(super) fn encode(entry: &Entry) -> io::Result<Vec<u8>> {
    let json = match entry {
        Entry::Put { id, spec, base: base @ Some(_), desired, incarnation } => {
            let mut spec = ProcessSpec::clone(spec);
            spec.base_env = Arc::default();
            let (id, base, desired, incarnation) = (*id, *base, *desired, *incarnation);
            let spec = Arc::new(spec);
            serde_json::to_vec(&Entry::Put { id, spec, base, desired, incarnation })?
        }
        _ => serde_json::to_vec(entry)?,
    };
    let mut line = format!("{:08x} ", crc32fast::hash(&json)).into_bytes();
    line.extend(json);
    line.push(b'\n');
    Ok(line)
}

/// Reads one line; `None` when it is torn or damaged.
pub(super) fn decode(line: &[u8]) -> Option<Entry> {
    let line = line.strip_suffix(b"\n")?;
    let (sum, json) = (line.get(..8)?, line.get(9..)?);
    let sum = u32::from_str_radix(std::str::from_utf8(sum).ok()?, 16).ok()?;
    (sum == crc32fast::hash(json)).then(|| serde_json::from_slice(json).ok())?
}
