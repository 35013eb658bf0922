//! The session's databases are sealed where there is a key, looked at before they are used, and the login is
//! kept in a second copy.
//!
//! - [`open`]: at the start, before anybody uses them;
//! - [`Keeper`]: copies the login while it is in use.
//!
//! What is damaged is set aside and never deleted: the login's database comes back from its copy, the worker's
//! own is made anew with what can still be read of it.

mod check;
mod keeper;
mod salvage;

#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use sealing::{Key, KeyError, RegisterError, Vault, VaultError};

use crate::session_dir::SessionDir;
use crate::store::{BotStore, StoreError};
use check::Health;

pub use keeper::Keeper;

/// The login: the client library's own database.
pub const LOGIN: &str = "whatsapp.db";

/// The last good copy of the login.
pub const LOGIN_COPY: &str = "whatsapp.db.good";

/// What came in and what goes out: the worker's own database.
const BOT: &str = "bot.db";

/// Why the databases cannot be used as they are. Nothing is deleted.
#[derive(Debug, thiserror::Error)]
pub enum SafekeepingError {
    /// There is no key, or not the right one.
    #[error(
        "{0}; the key of this session is in the file that SESSION_KEY_FILE names, in the control plane's folder `keys`: bring it back, or reset the session"
    )]
    Vault(#[from] VaultError),
    /// The key cannot be read.
    #[error("SESSION_KEY_FILE: {0}")]
    Key(#[from] KeyError),
    /// SQLite does not take it.
    #[error("SESSION_KEY_FILE: {0}")]
    Register(#[from] RegisterError),
    /// The system refuses.
    #[error("cannot {what} {}: {source}; check the disk", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// An event to tell the control plane of, once there is a store to keep it in.
pub type Finding = (&'static str, String);

/// Makes the databases of the session fit for use, and says what was found to be wrong with them.
///
/// # Errors
/// See [`SafekeepingError`].
pub fn open(dir: &SessionDir, key: Option<&Path>) -> Result<Vec<Finding>, SafekeepingError> {
    let key = key.map(Key::read).transpose()?;
    Vault::open(dir.path(), &[LOGIN, LOGIN_COPY, BOT], key.as_ref())?;
    if let Some(key) = &key {
        sealing::register(key)?;
    }
    let mut findings = Vec::new();
    findings.extend(restore_login(dir.path(), Utc::now())?);
    findings.extend(salvage_bot(dir, Utc::now())?);
    Ok(findings)
}

/// Puts the login's copy in its place when the login is damaged or gone.
fn restore_login(dir: &Path, now: DateTime<Utc>) -> Result<Option<Finding>, SafekeepingError> {
    let (path, copy) = (dir.join(LOGIN), dir.join(LOGIN_COPY));
    let has_copy = copy.exists();
    let why = match check::health(&path) {
        Health::Sound => return Ok(None),
        // Without a copy this is how every session begins.
        Health::Empty if !has_copy => return Ok(None),
        Health::Empty => "it is gone".to_owned(),
        Health::Damaged(why) => why,
    };
    let kept = set_aside(&path, now)?;
    if !has_copy || !matches!(check::health(&copy), Health::Sound) {
        let detail = format!(
            "the login's database is damaged ({why}) and there is no good copy of it: a phone has to scan a new code; the damaged file is kept as {kept}"
        );
        tracing::error!(detail, "the login is lost");
        return Ok(Some(("session.damaged", detail)));
    }
    let taken = fs::metadata(&copy).and_then(|it| it.modified()).map(DateTime::<Utc>::from);
    let taken = taken.map(|at| at.to_rfc3339()).unwrap_or_default();
    put_back(&copy, &path)?;
    let detail = format!(
        "the login's database was damaged ({why}); the copy of {taken} is used in its place; contacts' messages may come a moment later until new keys are exchanged; the damaged file is kept as {kept}"
    );
    tracing::error!(detail, "the login was restored");
    Ok(Some(("session.restored", detail)))
}

/// Makes the worker's own database anew when it is damaged, with what can still be read of it.
fn salvage_bot(dir: &SessionDir, now: DateTime<Utc>) -> Result<Option<Finding>, SafekeepingError> {
    let path = dir.path().join(BOT);
    let Health::Damaged(why) = check::health(&path) else { return Ok(None) };
    let kept = set_aside(&path, now)?;
    let saved = BotStore::open(&path).and_then(|fresh| {
        drop(fresh);
        salvage::rows(&dir.path().join(&kept), &path)
    });
    let found = match saved {
        Ok(rows) => format!("{rows} of its rows could be read and were kept"),
        Err(StoreError::Sqlite(error)) => format!("nothing in it could be read ({error})"),
        Err(error) => format!("nothing in it could be read ({error})"),
    };
    let detail = format!(
        "the worker's database was damaged ({why}) and is made anew: {found}; the damaged file is kept as {kept}"
    );
    tracing::error!(detail, "the worker's database was damaged");
    Ok(Some(("store.damaged", detail)))
}

/// Renames a database with its log; one that was set aside before makes place. Gives the new name.
fn set_aside(path: &Path, now: DateTime<Utc>) -> Result<String, SafekeepingError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let kept = format!("{name}.damaged-{}", now.format("%Y%m%dT%H%M%SZ"));
    let aside = path.with_file_name(&kept);
    for suffix in ["", "-wal"] {
        let from = path.with_file_name(format!("{name}{suffix}"));
        let to = aside.with_file_name(format!("{kept}{suffix}"));
        match fs::rename(&from, &to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("set aside", &from)(error));
            }
            _ => {}
        }
    }
    // The index of the log is made from the log.
    match fs::remove_file(path.with_file_name(format!("{name}-shm"))) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("set aside", path)(error))
        }
        _ => Ok(kept),
    }
}

/// Copies the copy to its place, whole or not at all; it stays, for it may be needed again.
fn put_back(copy: &Path, path: &Path) -> Result<(), SafekeepingError> {
    let new = path.with_extension("db.new");
    fs::copy(copy, &new)
        .and_then(|_| File::open(&new)?.sync_all())
        .and_then(|()| fs::rename(&new, path))
        .and_then(|()| File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all())
        .map_err(failed("put back", path))
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SafekeepingError {
    move |source| SafekeepingError::Io { what, path: path.to_owned(), source }
}
