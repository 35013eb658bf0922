//! Finds processes by what callers know of them, and log files by who writes to them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::EngineError;
use crate::spec::{InvalidSpec, ProcessSpec};

/// How a caller names one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// By its id.
    Id(u32),
    /// By its name, else by its id.
    Text(String),
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Ids by name and instance, and by log file.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Instance and id of the processes of a name.
    names: HashMap<String, Vec<(u32, u32)>>,
    /// Who writes to a file, and whether it lets others do so.
    writers: HashMap<PathBuf, Vec<(u32, bool)>>,
}

impl Index {
    pub(super) fn insert(&mut self, id: u32, spec: &ProcessSpec) {
        self.names.entry(spec.name.clone()).or_default().push((spec.instance, id));
        self.insert_logs(id, spec);
    }

    pub(super) fn remove(&mut self, id: u32, spec: &ProcessSpec) {
        if let Some(instances) = self.names.get_mut(&spec.name) {
            instances.retain(|(_, other)| *other != id);
            if instances.is_empty() {
                self.names.remove(&spec.name);
            }
        }
        self.remove_logs(id, spec);
    }

    /// Notes that a process has a new description; its name and instance stay.
    pub(super) fn replace(&mut self, id: u32, old: &ProcessSpec, new: &ProcessSpec) {
        self.remove_logs(id, old);
        self.insert_logs(id, new);
    }

    fn insert_logs(&mut self, id: u32, spec: &ProcessSpec) {
        for path in spec.log_files() {
            self.writers.entry(path.to_owned()).or_default().push((id, spec.merge_logs));
        }
    }

    fn remove_logs(&mut self, id: u32, spec: &ProcessSpec) {
        for path in spec.log_files() {
            if let Some(writers) = self.writers.get_mut(path) {
                writers.retain(|(other, _)| *other != id);
                if writers.is_empty() {
                    self.writers.remove(path);
                }
            }
        }
    }

    /// The process with this name and instance.
    pub(super) fn exact(&self, name: &str, instance: u32) -> Option<u32> {
        let instances = self.names.get(name)?;
        instances.iter().find(|(number, _)| *number == instance).map(|(_, id)| *id)
    }

    /// The lowest instance number of this name that nobody has.
    pub(super) fn free_instance(&self, name: &str) -> u32 {
        let taken = self.names.get(name).map_or(&[][..], Vec::as_slice);
        (0..).find(|number| taken.iter().all(|(other, _)| other != number)).unwrap_or(u32::MAX)
    }

    /// The one process that is meant.
    pub(super) fn find(
        &self,
        target: &Target,
        exists: impl Fn(u32) -> bool,
    ) -> Result<u32, EngineError> {
        let unknown = || EngineError::Unknown { target: target.to_string() };
        match target {
            Target::Id(id) => Some(*id).filter(|id| exists(*id)).ok_or_else(unknown),
            Target::Text(text) => match self.names.get(text).map(Vec::as_slice) {
                Some([(_, id)]) => Ok(*id),
                Some(several) => {
                    let ids = several.iter().map(|(_, id)| *id).collect();
                    Err(EngineError::Ambiguous { target: text.clone(), ids })
                }
                None => text.parse().ok().filter(|id| exists(*id)).ok_or_else(unknown),
            },
        }
    }

    /// A file of `spec` that belongs to another process than `id`, and to which.
    pub(super) fn taken(&self, id: Option<u32>, spec: &ProcessSpec) -> Option<(&Path, u32)> {
        spec.log_files().find_map(|path| {
            let (path, writers) = self.writers.get_key_value(path)?;
            let other = writers
                .iter()
                .find(|(other, merges)| Some(*other) != id && !(*merges && spec.merge_logs));
            other.map(|(other, _)| (path.as_path(), *other))
        })
    }
}

pub(super) fn log_taken(path: &Path, owner: &str) -> EngineError {
    InvalidSpec::LogTaken { path: path.to_owned(), owner: owner.to_owned() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(name: &str, instance: u32, log: &str) -> ProcessSpec {
        let log = PathBuf::from(log);
        let mut spec = ProcessSpec::new(name, vec!["true".to_owned()], PathBuf::from("/"), log);
        spec.instance = instance;
        spec
    }

    #[test]
    fn a_name_finds_its_only_process_and_an_id_any() {
        let mut index = Index::default();
        index.insert(0, &spec("web", 0, "/a"));
        index.insert(1, &spec("web", 2, "/b"));
        index.insert(2, &spec("db", 0, "/c"));
        let find = |index: &Index, text: &str| index.find(&Target::Text(text.into()), |id| id < 3);
        assert_eq!(find(&index, "db"), Ok(2));
        assert_eq!(find(&index, "1"), Ok(1));
        assert!(
            matches!(find(&index, "web"), Err(EngineError::Ambiguous { ids, .. }) if ids == [0, 1])
        );
        assert!(matches!(find(&index, "7"), Err(EngineError::Unknown { .. })));
        assert_eq!(index.exact("web", 2), Some(1));
        assert_eq!(index.free_instance("web"), 1);
        assert_eq!(index.free_instance("new"), 0);
        index.remove(0, &spec("web", 0, "/a"));
        assert_eq!(find(&index, "web"), Ok(1));
    }

    #[test]
    fn a_file_has_one_writer_unless_all_agree_to_share_it() {
        let mut index = Index::default();
        index.insert(0, &spec("web", 0, "/a"));
        assert_eq!(index.taken(None, &spec("other", 0, "/a")), Some((Path::new("/a"), 0)));
        assert_eq!(index.taken(Some(0), &spec("web", 0, "/a")), None);
        let merging = ProcessSpec { merge_logs: true, ..spec("x", 0, "/m") };
        index.insert(1, &merging);
        assert_eq!(index.taken(None, &merging), None);
        assert!(index.taken(None, &spec("y", 0, "/m")).is_some());
        assert_eq!(index.taken(None, &spec("y", 0, crate::spec::NO_LOG)), None);
        index.replace(1, &merging, &spec("x", 0, "/elsewhere"));
        assert_eq!(index.taken(None, &spec("y", 0, "/m")), None);
    }
}
