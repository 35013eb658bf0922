//! From a description to what the kernel wants to be handed.

use std::ffi::{CStr, CString, c_char};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::OnceLock;

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr,
};
use rustix::process::{Gid, Resource, Rlimit, Uid};

use super::birth::{Born, NotBorn, give_birth};
use super::child::ChildPlan;
use crate::spec::{Confinement, ProcessSpec};

/// The Landlock rules that are asked for; a kernel with fewer enforces those that it has, and none at all is an error.
const LANDLOCK: ABI = ABI::V3;

/// Strings as the kernel takes them.
#[derive(Debug)]
struct Strings {
    /// What the pointers lead to.
    owned: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl Strings {
    /// A zero byte in one of them was refused long ago; should one get here all the same, the text ends there.
    fn of(texts: impl Iterator<Item = Vec<u8>>) -> Self {
        let owned: Vec<CString> = texts.map(c_string).collect();
        let pointers = owned.iter().map(|text| text.as_ptr());
        let pointers = pointers.chain([std::ptr::null()]).collect();
        Self { owned, pointers }
    }
}

fn c_string(text: Vec<u8>) -> CString {
    CString::new(text).unwrap_or_else(|error| {
        let end = error.nul_position();
        let mut text = error.into_vec();
        text.truncate(end);
        CString::new(text).unwrap_or_default()
    })
}

/// What a program finds that its description does not say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    /// The files that it opens, both ways, as standard input, output and error; `None` for error is the same as output.
    pub(super) streams: [Option<&'a Path>; 3],
    /// Variables that the supervisor adds.
    pub(super) extra: &'a [(&'static str, String)],
    /// The limit on open files, where we have raised ours.
    pub(super) open_files: Option<Rlimit>,
    /// What its process keeps open until it is executed.
    pub(super) kept: Option<BorrowedFd<'a>>,
}

/// A program that is ready to be executed.
#[derive(Debug)]
pub(super) struct Prepared<'a> {
    program: CString,
    argv: Strings,
    environment: Strings,
    cwd: CString,
    /// Standard input, output and error; `None` for error is the same as output.
    streams: [Option<CString>; 3],
    rlimits: Vec<(Resource, Rlimit)>,
    nice: Option<i32>,
    uid: Option<Uid>,
    gid: Option<Gid>,
    groups: Vec<Gid>,
    no_new_privs: bool,
    kept: Option<BorrowedFd<'a>>,
    confinement: Option<OwnedFd>,
}

impl<'a> Prepared<'a> {
    /// Prepares a program.
    pub(super) fn new(
        spec: &ProcessSpec,
        program: &Path,
        surroundings: Surroundings<'a>,
    ) -> Result<Self, String> {
        let Surroundings { streams, extra, open_files, .. } = surroundings;
        let path = |path: &Path| c_string(path.as_os_str().as_encoded_bytes().to_vec());
        let own =
            spec.environment().filter(|(name, _)| extra.iter().all(|(added, _)| added != name));
        let added = extra.iter().map(|(name, value)| (*name, value.as_str()));
        let variables =
            own.chain(added).map(|(name, value)| format!("{name}={value}").into_bytes());
        let limits = &spec.limits;
        let mut rlimits: Vec<(Resource, Rlimit)> =
            open_files.into_iter().map(|limit| (Resource::Nofile, limit)).collect();
        rlimits.extend(limits.rlimits.iter().map(|(resource, limit)| {
            ((*resource).into(), Rlimit { current: limit.soft, maximum: limit.hard })
        }));
        let confinement = limits.confinement.as_ref().map(ruleset).transpose()?;
        Ok(Self {
            program: path(program),
            argv: Strings::of(spec.command.iter().map(|argument| argument.clone().into_bytes())),
            environment: Strings::of(variables),
            cwd: path(&spec.cwd),
            streams: streams.map(|stream| stream.map(path)),
            rlimits,
            nice: limits.nice,
            uid: limits.uid.map(Uid::from_raw),
            gid: limits.gid.map(Gid::from_raw),
            groups: limits.groups.iter().copied().map(Gid::from_raw).collect(),
            no_new_privs: limits.no_new_privs,
            kept: surroundings.kept,
            confinement,
        })
    }

    /// Executes it, in `group` where there is one.
    pub(super) fn execute(&self, group: Option<&OwnedFd>) -> Result<Born, NotBorn> {
        let plan = ChildPlan {
            program: self.program.as_c_str(),
            argv: &self.argv.pointers,
            envp: &self.environment.pointers,
            cwd: CStr::from_bytes_with_nul(self.cwd.as_bytes_with_nul()).unwrap_or(c"/"),
            streams: self.streams.each_ref().map(Option::as_deref),
            ignored_signals: ignored_signals(),
            rlimits: &self.rlimits,
            nice: self.nice,
            uid: self.uid,
            gid: self.gid,
            groups: &self.groups,
            no_new_privs: self.no_new_privs,
            kept: self.kept.as_ref().map(AsRawFd::as_raw_fd),
            confinement: self.confinement.as_ref(),
        };
        debug_assert_eq!(self.argv.owned.len() + 1, self.argv.pointers.len());
        give_birth(&plan, group.map(AsFd::as_fd))
    }
}

/// The number of the last signal.
const LAST_SIGNAL: libc::c_int = 64;

/// The signals that this program ignores, of which its own runtime has some. They do not change; where the system does not tell
/// which they are, all may be.
fn ignored_signals() -> &'static [libc::c_int] {
    static IGNORED: OnceLock<Vec<libc::c_int>> = OnceLock::new();
    IGNORED.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        let mask = mask.unwrap_or(u64::MAX);
        (1..=LAST_SIGNAL).filter(|signal| mask & (1 << (signal - 1)) != 0).collect()
    })
}

/// The rules that leave these files and folders within reach, and nothing else.
fn ruleset(confinement: &Confinement) -> Result<OwnedFd, String> {
    let failed = |error: &dyn std::fmt::Display| format!("limits.confinement: {error}");
    let created: RulesetCreated = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(LANDLOCK))
        .and_then(Ruleset::create)
        .map_err(|error| failed(&error))?;
    let reading = confinement.read.iter().map(|path| (path, AccessFs::from_read(LANDLOCK)));
    let writing = confinement.write.iter().map(|path| (path, AccessFs::from_all(LANDLOCK)));
    let mut created = created;
    for (path, access) in reading.chain(writing) {
        let opened = PathFd::new(path).map_err(|error| failed(&error))?;
        // Rights that only folders have make a rule for a file invalid.
        let access = if path.is_dir() { access } else { access & AccessFs::from_file(LANDLOCK) };
        created =
            created.add_rule(PathBeneath::new(opened, access)).map_err(|error| failed(&error))?;
    }
    let fd: Option<OwnedFd> = created.into();
    fd.ok_or_else(|| {
        "limits.confinement: this kernel has no Landlock; see `tenantry doctor`".to_owned()
    })
}
