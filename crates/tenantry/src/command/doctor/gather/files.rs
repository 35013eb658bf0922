//! The files of the home: who may read them, how much room they have, what was left behind.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use control::config::Home;

use super::seconds_ahead;
use crate::command::doctor::facts::{Disk, FileFact, FileKind};

/// A file that is so many seconds ahead of the clock was not made by a clock that only drifts.
const AHEAD_S: i64 = 300;
/// A file that is being written is younger than this.
const FINISHED_S: i64 = 60;
/// Entries of a folder that are looked at; the rest is of the same kind.
const MOST_ENTRIES: usize = 10_000;

/// Who may do what with the files that matter.
pub fn permissions(home: &Home, sessions: &Path, tls_key: Option<&Path>) -> Vec<FileFact> {
    let folders = [home.root().to_owned(), sessions.to_owned(), home.logs()];
    let secrets = [
        home.config_file(),
        home.database(),
        home.admin_token(),
        home.run(),
        home.tokens(),
        home.supervisor_socket(),
        home.link_socket(),
        home.server_socket(),
        home.root().join("link.key"),
        home.keys(),
        home.media(),
    ];
    let secrets = secrets.into_iter().chain(tls_key.map(Path::to_owned));
    let folders = folders.into_iter().map(|path| (path, FileKind::Folder));
    let secrets = secrets.map(|path| (path, FileKind::Secret));
    let each_session = entries(sessions).into_iter().map(|path| (path, FileKind::Session));
    let fact = |(path, kind): (PathBuf, FileKind)| {
        let found = fs::metadata(&path).ok()?;
        Some(FileFact { path, kind, mode: found.mode(), owner: found.uid() })
    };
    folders.chain(secrets).chain(each_session).filter_map(fact).collect()
}

/// The file systems that hold something of ours, each once.
pub fn disks(home: &Home, sessions: &Path) -> Vec<Disk> {
    let places = [
        ("the home", home.root().to_owned()),
        ("sessions", sessions.to_owned()),
        ("logs", home.logs()),
    ];
    let mut seen = Vec::new();
    let mut disks = Vec::new();
    for (what, path) in places {
        let (Ok(found), Ok(room)) = (fs::metadata(&path), rustix::fs::statvfs(&path)) else {
            continue;
        };
        if seen.contains(&found.dev()) {
            continue;
        }
        seen.push(found.dev());
        disks.push(Disk {
            what,
            path,
            free_bytes: room.f_bavail.saturating_mul(room.f_frsize),
            total_bytes: room.f_blocks.saturating_mul(room.f_frsize),
            // Some file systems make inodes as they need them and count none.
            free_files: (room.f_files > 0).then_some(room.f_favail),
        });
    }
    disks
}

/// Files that are written beside the real one and then take its place: one that is still there was left behind.
pub fn leftovers(home: &Home) -> Vec<PathBuf> {
    let folders = [home.root().to_owned(), home.run(), home.tokens()];
    let left = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (name.ends_with(".new") || name.ends_with(".tmp"))
            && ahead_s(path).is_some_and(|ahead| ahead < -FINISHED_S)
    };
    folders.iter().flat_map(|folder| entries(folder)).filter(left).collect()
}

/// How far the newest file of ours lies in the future, when it does.
pub fn future_s(home: &Home) -> Option<i64> {
    let folders = [home.root().to_owned(), home.run(), home.logs()];
    let newest =
        folders.iter().flat_map(|folder| entries(folder)).filter_map(|path| ahead_s(&path));
    newest.max().filter(|ahead| *ahead > AHEAD_S)
}

fn ahead_s(path: &Path) -> Option<i64> {
    Some(seconds_ahead(fs::metadata(path).ok()?.modified().ok()?))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.take(MOST_ENTRIES).map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn what_was_left_behind_is_told_from_what_is_being_written() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::new(dir.path().to_owned());
        fs::create_dir(home.run()).unwrap();
        File::create(home.run().join("young.new")).unwrap();
        let old = File::create(home.run().join("old.new")).unwrap();
        old.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
        assert_eq!(leftovers(&home), [home.run().join("old.new")]);
        assert_eq!(future_s(&home), None);
        old.set_modified(SystemTime::now() + Duration::from_secs(3600)).unwrap();
        assert!(future_s(&home).is_some_and(|ahead| (3500..=3600).contains(&ahead)));
    }

    #[test]
    fn one_file_system_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::new(dir.path().to_owned());
        fs::create_dir(home.logs()).unwrap();
        let disks = disks(&home, &dir.path().join("missing"));
        assert_eq!(disks.len(), 1);
        assert!(disks[0].total_bytes >= disks[0].free_bytes && disks[0].total_bytes > 0);
    }
}
