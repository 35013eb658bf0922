//! The backups in the home's own folder, which are made and listed over HTTP.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use api::system::BackupView;
use chrono::{DateTime, Utc};
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
    let suffix = if protection.is_some() { SUFFIXES[1] } else { SUFFIXES[0] };
    let name = format!("{PREFIX}{}{suffix}", now.format("%Y-%m-%dT%H%M%S%.3fZ"));
    let file = folder.join(&name);
    let wanted = Create { settings, file: &file, protection, force: false };
    let made = create(&wanted, &mut |_| ()).await?;
    let listed = look_at(&file, name).map_err(failed("read", &file))?;
    let gone = || failed("read", &file)(io::ErrorKind::NotFound.into());
    Ok(BackupView { warnings: made.warnings, ..listed.ok_or_else(gone)? })
}

/// The backups in a folder, the newest first; none when there is no such folder.
///
/// # Errors
/// [`BackupError::Io`].
pub fn list(folder: &Path) -> Result<Vec<BackupView>, BackupError> {
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
            Err(error) => return Err(failed("read", &entry.path())(error)),
        }
    }
    found.sort_by(|one, other| (other.at, &other.name).cmp(&(one.at, &one.name)));
    Ok(found)
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
