//! The backups in the home's own folder, which are made and listed over HTTP.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use api::system::BackupView;
use chrono::{DateTime, NaiveDateTime, Utc};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use super::cipher::MAGIC;
use super::{BackupError, Create, Protection, create, failed};
use crate::config::Settings;
use crate::launch;
use crate::problem::{ApiError, Kind};

/// How the files are called: others in the folder are not listed.
const PREFIX: &str = "tenantry-";
const SUFFIXES: [&str; 2] = [".tar.gz", ".tar.gz.age"];
/// When one was made, as it stands in the name.
const MADE_AT: &str = "%Y-%m-%dT%H%M%S%.3fZ";
/// What stands after the name of one that is being made: the file, and the folder of what is copied for it.
const UNFINISHED: [&str; 2] = [".part", ".copies"];

/// Makes one at a time.
#[derive(Default)]
pub struct Kept {
    at_work: Mutex<()>,
}

impl Kept {
    /// Makes a backup in the home's folder, on a thread of its own.
    ///
    /// # Errors
    /// [`Kind::AlreadyUnderWay`], [`Kind::BackupFailed`].
    pub async fn make(
        &self,
        settings: &Settings,
        protection: Protection,
    ) -> Result<BackupView, ApiError> {
        let Ok(_alone) = self.at_work.try_lock() else {
            let detail =
                "a backup is being made already; GET /admin/backups lists it when it is whole";
            return Err(ApiError::new(Kind::AlreadyUnderWay, detail));
        };
        let (settings, runtime) = (settings.clone(), Handle::current());
        let made = tokio::task::spawn_blocking(move || {
            runtime.block_on(make(&settings, &protection, Utc::now()))
        });
        let made = made.await.map_err(|error| ApiError::new(Kind::Internal, error.to_string()))?;
        made.map_err(|error| {
            tracing::error!(%error, "no backup could be made");
            ApiError::new(Kind::BackupFailed, format!("{error}; nothing was changed"))
        })
    }
}

async fn make(
    settings: &Settings,
    protection: &Protection,
    now: DateTime<Utc>,
) -> Result<BackupView, BackupError> {
    let folder = settings.home.backups();
    launch::private_dir(&folder)
        .map_err(|error| failed("make", &folder)(io::Error::other(error.to_string())))?;
    sweep(&folder)?;
    let suffix = if protection.is_some() { SUFFIXES[1] } else { SUFFIXES[0] };
    let name = format!("{PREFIX}{}{suffix}", now.format(MADE_AT));
    let file = folder.join(&name);
    let wanted = Create { settings, file: &file, protection, force: false };
    let made = create(&wanted, &mut |_| ()).await?;
    let listed = look_at(&file, name).map_err(failed("read", &file))?;
    let gone = || failed("read", &file)(io::ErrorKind::NotFound.into());
    Ok(BackupView { warnings: made.warnings, ..listed.ok_or_else(gone)? })
}

/// The backups in a folder that can be read, the newest first; none when there is no such folder.
///
/// # Errors
/// [`BackupError::Io`].
pub fn list(folder: &Path) -> Result<Vec<BackupView>, BackupError> {
    list_by(folder, look_at)
}

fn list_by(
    folder: &Path,
    look_at: impl Fn(&Path, String) -> io::Result<Option<BackupView>>,
) -> Result<Vec<BackupView>, BackupError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        found => found.map_err(failed("look into", folder))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed("look into", folder))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !name.starts_with(PREFIX) || !SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
            continue;
        }
        match look_at(&entry.path(), name) {
            Ok(view) => found.extend(view),
            // It was deleted meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // One that is damaged does not hide the others.
            Err(error) => {
                let path = entry.path();
                tracing::warn!(path = %path.display(), %error, "a backup cannot be read; it is not listed");
            }
        }
    }
    found.sort_by(|one, other| (other.at, &other.name).cmp(&(one.at, &one.name)));
    Ok(found)
}

/// Removes what a server that was killed left of the backups it was making. Nobody else makes one at the time, and what
/// others put there is called otherwise.
fn sweep(folder: &Path) -> Result<(), BackupError> {
    for entry in fs::read_dir(folder).map_err(failed("look into", folder))? {
        let entry = entry.map_err(failed("look into", folder))?;
        if !entry.file_name().to_str().is_some_and(is_unfinished) {
            continue;
        }
        let path = entry.path();
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let removed = if is_dir { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match removed {
            Ok(()) => tracing::info!(path = %path.display(), "an unfinished backup was removed"),
            // It takes room, but no other backup is worse for it.
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "an unfinished backup cannot be removed");
            }
        }
    }
    Ok(())
}

/// Whether something is called as what this module makes is while it is being made.
fn is_unfinished(name: &str) -> bool {
    let whole = UNFINISHED.iter().find_map(|suffix| name.strip_suffix(suffix));
    let Some(name) = whole.and_then(|whole| whole.strip_prefix(PREFIX)) else { return false };
    let mut times = SUFFIXES.iter().filter_map(|suffix| name.strip_suffix(suffix));
    times.any(|time| NaiveDateTime::parse_from_str(time, MADE_AT).is_ok())
}

fn look_at(path: &Path, name: String) -> io::Result<Option<BackupView>> {
    let about = fs::symlink_metadata(path)?;
    if !about.is_file() {
        return Ok(None);
    }
    let mut start = Vec::new();
    File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(Some(BackupView {
        name,
        at: about.modified()?.into(),
        size_bytes: about.len(),
        encrypted: start == MAGIC,
        warnings: Vec::new(),
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use std::os::unix::fs::symlink;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_that_cannot_be_read_does_not_hide_the_others() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["tenantry-1.tar.gz", "tenantry-2.tar.gz", "tenantry-3.tar.gz"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        // Whoever runs the tests may be allowed to read everything.
        let found = list_by(folder.path(), |path, name| match name.as_str() {
            "tenantry-2.tar.gz" => Err(io::ErrorKind::PermissionDenied.into()),
            _ => look_at(path, name),
        });
        let mut names: Vec<_> = found.unwrap().into_iter().map(|view| view.name).collect();
        names.sort();
        assert_eq!(names, ["tenantry-1.tar.gz", "tenantry-3.tar.gz"]);
    }

    #[test]
    fn what_a_killed_server_left_goes_and_what_is_of_others_stays() {
        let folder = tempfile::tempdir().unwrap();
        let name = |suffix| format!("{PREFIX}{}{suffix}", Utc::now().format(MADE_AT));
        let whole = name(".tar.gz");
        let others = ["notes.part", "tenantry-2026-01-31.tar.gz.part", "tenantry-x.copies"];
        for file in [&name(".tar.gz.part"), &name(".tar.gz.age.part"), &whole] {
            fs::write(folder.path().join(file), "x").unwrap();
        }
        let copies = folder.path().join(name(".tar.gz.copies"));
        fs::create_dir(&copies).unwrap();
        fs::write(copies.join("state.db"), "x").unwrap();
        // What a link leads to is not ours.
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("kept"), "x").unwrap();
        symlink(elsewhere.path(), folder.path().join(name(".tar.gz.age.copies"))).unwrap();
        for file in others {
            fs::write(folder.path().join(file), "x").unwrap();
        }
        sweep(folder.path()).unwrap();
        let mut left = [others.map(str::to_owned).to_vec(), vec![whole]].concat();
        left.sort();
        assert_eq!(names(folder.path()), left);
        assert_eq!(names(elsewhere.path()), ["kept"]);
    }
}
