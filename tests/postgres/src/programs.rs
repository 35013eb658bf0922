//! Where the programs of PostgreSQL are, and as whom they run.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The package of Debian and Ubuntu that has them.
pub const PACKAGE: &str = "postgresql";

/// Where Debian and Ubuntu have them, one folder a version; elsewhere they are found by `PATH`.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The users that a server may run as where we are root, for it refuses to be root itself.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Whether the programs are there.
#[must_use]
pub fn is_installed() -> bool {
    folder().is_some()
}

/// The folder of the programs, of the newest version.
fn folder() -> Option<PathBuf> {
    let is_whole = |folder: &PathBuf| {
        ["initdb", "postgres", "psql"].iter().all(|name| folder.join(name).is_file())
    };
    let versions = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let mut folders: Vec<_> = versions
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    folders.sort();
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    let in_path: Vec<_> = std::env::split_paths(&in_path).collect();
    folders.into_iter().rev().map(|(_, folder)| folder).chain(in_path).find(is_whole)
}

/// A program of PostgreSQL.
pub(crate) fn path(name: &str) -> PathBuf {
    let folder = folder().unwrap_or_else(|| {
        panic!(
            "PostgreSQL's programs are missing: install the package `{PACKAGE}` (initdb, postgres and psql in {VERSIONS}/*/bin or in PATH)"
        )
    });
    folder.join(name)
}

/// The user and group that a server runs as, where that is not our own.
fn owner() -> Option<(u32, u32)> {
    if uzers::get_effective_uid() != 0 {
        return None;
    }
    let user = UNPRIVILEGED.iter().find_map(uzers::get_user_by_name);
    let user =
        user.expect("one of the users postgres and nobody, for PostgreSQL refuses to run as root");
    Some((user.uid(), user.primary_group_id()))
}

/// Makes a folder the server's own.
pub(crate) fn give_away(folder: &Path) {
    if let Some((user, group)) = owner() {
        std::os::unix::fs::chown(folder, Some(user), Some(group))
            .expect("the folder changes hands");
    }
}

/// Has a command run as the server's user.
pub(crate) fn as_owner(command: &mut Command) -> &mut Command {
    match owner() {
        Some((user, group)) => command.uid(user).gid(group),
        None => command,
    }
}
