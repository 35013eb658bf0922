//! What the doctor looks at, as plain values.

use std::collections::BTreeMap;
use std::path::PathBuf;

use supervisor::enforcement::Enforcement;

/// Everything that the findings follow from.
#[derive(Clone, Debug)]
pub struct Facts {
    /// This program's version.
    pub version: String,
    pub machine: Machine,
    pub settings: Settings,
    /// Absent when it cannot be told where the home is.
    pub installation: Option<Installation>,
}

/// The machine, and what this user may do on it.
#[derive(Clone, Debug)]
pub struct Machine {
    pub enforcement: Enforcement,
    /// `fs.inotify.max_user_watches` and `max_user_instances`.
    pub inotify_watches: Option<u64>,
    pub inotify_instances: Option<u64>,
    /// `fs.pipe-user-pages-soft`; 0 for no limit.
    pub pipe_pages: Option<u64>,
    pub start: StartAtBoot,
    /// Where `node` is.
    pub node: Option<PathBuf>,
    /// Seconds that this program's file is younger than now; negative when it comes from the future.
    pub program_age_s: Option<i64>,
    /// Whether something keeps the clock (NTP); absent where the kernel does not say.
    pub clock_kept: Option<bool>,
    /// Bits of randomness that the kernel has gathered; 256 once it has enough for ever.
    pub entropy: Option<u64>,
}

/// What starts Tenantry when the machine does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartAtBoot {
    /// systemd does not run this machine.
    NoSystemd,
    /// It does, without a unit of ours.
    NoUnit,
    /// A unit of the system.
    System(PathBuf),
    /// A unit of this user, who may be signed out at boot unless lingering.
    User { unit: PathBuf, lingers: bool },
}

/// The settings, as the server would take them.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub mistakes: Vec<String>,
    pub warnings: Vec<String>,
    /// How the server would be exposed; absent where the settings hold mistakes.
    pub exposure: Option<Exposure>,
}

/// Who can reach the server, and what keeps them out.
#[derive(Clone, Debug, Default)]
pub struct Exposure {
    /// Whether other machines reach the address that it listens at.
    pub remote: bool,
    /// Whether requests of proxies are believed about who asks.
    pub proxies: bool,
    pub certificate: Option<CertificateFact>,
    /// Characters of the admin password and of the portal key, where there are any.
    pub admin_password: Option<usize>,
    pub portal_key: Option<usize>,
    /// Whether requests of an address are limited.
    pub limited: bool,
}

/// A certificate that the server would use.
#[derive(Clone, Debug)]
pub struct CertificateFact {
    pub path: PathBuf,
    /// Seconds until it expires, or why that cannot be told.
    pub expires_s: Result<i64, String>,
}

/// The home and what runs in it.
#[derive(Clone, Debug)]
pub struct Installation {
    pub home: PathBuf,
    /// Whether it exists.
    pub exists: bool,
    /// The user that we are.
    pub uid: u32,
    pub files: Vec<FileFact>,
    /// The folders with data and the room on their file systems.
    pub disks: Vec<Disk>,
    /// A socket whose path is too long for the system.
    pub too_long_socket: Option<PathBuf>,
    pub supervisor: Daemon<SupervisorFact>,
    pub server: Daemon<ServerFact>,
    /// Files that an interrupted program left behind.
    pub leftovers: Vec<PathBuf>,
    /// Seconds that the newest file lies in the future, when it does.
    pub future_s: Option<i64>,
}

/// A file or folder and who may do what with it.
#[derive(Clone, Debug)]
pub struct FileFact {
    pub path: PathBuf,
    pub kind: FileKind,
    /// The permission bits.
    pub mode: u32,
    pub owner: u32,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A folder that others may have a reason to look into.
    Folder,
    /// A file or folder that nobody else may read.
    Secret,
    /// A tenant's folder: as secret, but it may belong to the tenant's own user.
    Session,
}

/// The room on a file system.
#[derive(Clone, Debug)]
pub struct Disk {
    /// What of ours is there.
    pub what: &'static str,
    pub path: PathBuf,
    pub free_bytes: u64,
    pub total_bytes: u64,
    /// Files that can still be made; `None` where the file system has no limit.
    pub free_files: Option<u64>,
}

/// A program of ours that may run.
#[derive(Clone, Debug)]
pub enum Daemon<T> {
    /// Nothing says that it runs.
    Absent,
    /// It has left a sign (a socket, a file) but does not answer.
    Silent { sign: PathBuf, why: String },
    /// It answers.
    Running(T),
}

/// What the running supervisor says.
#[derive(Clone, Debug)]
pub struct SupervisorFact {
    pub version: String,
    pub pid: u32,
    pub processes: usize,
    /// Whether each process has a control group of its own.
    pub cgroups: bool,
}

/// What the running control plane says.
#[derive(Clone, Debug)]
pub struct ServerFact {
    pub version: String,
    pub url: String,
    /// Its parts that are not well, and why.
    pub ill: BTreeMap<String, String>,
}
