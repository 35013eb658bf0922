//! What the kernel holds a process to. `tenantry doctor` says which of these a machine can enforce.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Limits of one process and its tree. All are optional. One that the machine cannot enforce makes the start fail
/// rather than be left out silently.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Resource limits, as `ulimit` sets them.
    pub rlimits: BTreeMap<Resource, ResourceLimit>,
    /// Scheduling priority, -20 to 19.
    pub nice: Option<i32>,
    /// The user that it runs as; needs root.
    pub uid: Option<u32>,
    /// The group that it runs as; needs root.
    pub gid: Option<u32>,
    /// Its supplementary groups, when `uid` or `gid` is given.
    pub groups: Vec<u32>,
    /// Most memory of the tree in bytes; above it the kernel kills (`memory.max` of its cgroup).
    pub memory_max: Option<u64>,
    /// Most processor use of the tree in percent of one core (`cpu.max` of its cgroup).
    pub cpu_max_percent: Option<u32>,
    /// Whether it and its children can never gain privileges (set-uid programs do not work then).
    pub no_new_privs: bool,
    /// Which files it can reach at all (Landlock).
    pub confinement: Option<Confinement>,
}

/// The files and folders that a process can reach; nothing else. Implies `no_new_privs`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Confinement {
    /// May be read and executed, with all below them.
    pub read: Vec<PathBuf>,
    /// May be read, executed and changed, with all below them.
    pub write: Vec<PathBuf>,
}

/// A resource of `setrlimit(2)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Address space in bytes.
    As,
    /// Size of a core dump in bytes.
    Core,
    /// Processor time in seconds.
    Cpu,
    /// Data segment in bytes.
    Data,
    /// Size of a file in bytes.
    Fsize,
    /// Locked memory in bytes.
    Memlock,
    /// Open files.
    Nofile,
    /// Processes of the user.
    Nproc,
    /// Stack in bytes.
    Stack,
}

/// A soft and a hard limit; `None` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceLimit {
    /// What holds; the process may raise it up to `hard`.
    pub soft: Option<u64>,
    /// Above which it cannot be raised.
    pub hard: Option<u64>,
}

impl From<Resource> for rustix::process::Resource {
    fn from(resource: Resource) -> Self {
        match resource {
            Resource::As => Self::As,
            Resource::Core => Self::Core,
            Resource::Cpu => Self::Cpu,
            Resource::Data => Self::Data,
            Resource::Fsize => Self::Fsize,
            Resource::Memlock => Self::Memlock,
            Resource::Nofile => Self::Nofile,
            Resource::Nproc => Self::Nproc,
            Resource::Stack => Self::Stack,
        }
    }
}
