//! The session's databases are sealed where there is a key, looked at before they are used, and the login is
//! kept in a second copy.
//!
//! - [`open`]: at the start, before anybody uses them;
//! - [`Keeper`]: copies the login while it is in use;
//! - [`delete_login`]: when the login has ended.
//!
//! What is damaged is set aside: the login's database comes back from its copy, the worker's own is made anew
//! with what can still be read of it. A crash at any instant of this is made up for by the next start.

mod aside;
mod check;
mod keeper;
mod salvage;

#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use sealing::{Key, KeyError, RegisterError, Vault, VaultError};

use crate::session_dir::SessionDir;
use crate::store::{BotStore, StoreError};
use check::Health;

pub use aside::delete_login;
pub use keeper::Keeper;

/// The login: the client library's own database.
pub const LOGIN: &str = "whatsapp.db";

/// The last good copy of the login.
const LOGIN_COPY: &str = "whatsapp.db.good";

/// A copy that is being made.
const COPYING: &str = "whatsapp.db.copying";

/// What came in and what goes out: the worker's own database.
const BOT: &str = "bot.db";

/// The worker's database while it is made anew.
const SALVAGING: &str = "bot.db.salvaging";

/// Why the databases cannot be used as they are.
#[derive(Debug, thiserror::Error)]
pub enum SafekeepingError {
    /// There is no key, or not the right one.
    #[error(
        "{0}; the key of this session is in the file that SESSION_KEY_FILE names, in the control plane's folder `keys`: bring it back, or reset the session"
    )]
    Locked(VaultError),
    /// The databases cannot be sealed.
    #[error(
        "{0}; check the disk's space and health, and that this worker owns the session's folder"
    )]
    Sealing(VaultError),
    /// The key cannot be read.
    #[error("SESSION_KEY_FILE: {0}")]
    Key(#[from] KeyError),
    /// SQLite does not take it.
    #[error("SESSION_KEY_FILE: {0}")]
    Register(#[from] RegisterError),
    /// The worker's database is damaged and cannot be made anew; it is as it was.
    #[error("the worker's database (bot.db) is damaged and could not be made anew: {0}")]
    Salvage(StoreError),
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

impl From<VaultError> for SafekeepingError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::NoKey { .. } | VaultError::OtherKey { .. } => Self::Locked(error),
            VaultError::Io { .. } | VaultError::Database { .. } => Self::Sealing(error),
        }
    }
}

impl SafekeepingError {
    /// Whether nothing but the right key helps, so that another start is in vain.
    #[must_use]
    pub fn wants_key(&self) -> bool {
        match self {
            Self::Locked(_) | Self::Key(KeyError::Content { .. }) => true,
            Self::Key(KeyError::Io { source, .. }) => source.kind() == io::ErrorKind::NotFound,
            Self::Key(KeyError::Random(_))
            | Self::Sealing(_)
            | Self::Register(_)
            | Self::Salvage(_)
            | Self::Io { .. } => false,
        }
    }
}

/// An event to tell the control plane of, once there is a store to keep it in.
pub type Finding = (&'static str, String);

/// Makes the databases of the session fit for use, and says what was found to be wrong with them.
///
/// # Errors
/// See [`SafekeepingError`].
pub fn open(dir: &SessionDir, key: Option<&Path>) -> Result<Vec<Finding>, SafekeepingError> {
    let key = key.map(Key::read).transpose()?;
    let folder = dir.path();
    let mut kept = aside::kept(folder, LOGIN)?;
    kept.append(&mut aside::kept(folder, BOT)?);
    // Damaged ones are sealed as they are: what follows finds the damage through the key.
    Vault::open(folder, &[LOGIN, LOGIN_COPY, BOT, SALVAGING], &kept, key.as_ref())?;
    if let Some(key) = &key {
        sealing::register(key)?;
    }
    for half_made in [COPYING, "whatsapp.db.new"] {
        aside::remove(&folder.join(half_made))?;
    }
    let now = Utc::now();
    let mut findings = Vec::new();
    // The login first: whether it was ended is known to a worker's database that nothing is lost from.
    findings.extend(restore_login(folder, now)?);
    findings.extend(salvage_bot(folder, now)?);
    Ok(findings)
}

/// Puts the login's copy in its place when the login is damaged or gone.
fn restore_login(dir: &Path, now: DateTime<Utc>) -> Result<Option<Finding>, SafekeepingError> {
    let (path, copy) = (dir.join(LOGIN), dir.join(LOGIN_COPY));
    let found = check::health(&path);
    if found == Health::Sound {
        return Ok(None);
    }
    if copy.exists() && was_logged_out(&dir.join(BOT)) {
        // A crash came between the end of the login and that of its copy.
        tracing::warn!("the login was ended; what was left of it is deleted");
        aside::remove(&copy)?;
    }
    let has_copy = copy.exists();
    let why = match found {
        // Without a copy this is how every session begins.
        Health::Empty if !has_copy => return Ok(None),
        Health::Sound | Health::Empty => "it is gone".to_owned(),
        Health::Damaged(why) => why,
    };
    let kept = aside::set_aside(&path, now)?;
    if !has_copy || check::health(&copy) != Health::Sound {
        let detail = format!(
            "the login's database is damaged ({why}) and there is no good copy of it: a phone has to scan a new code; the damaged file is kept as {kept}"
        );
        tracing::error!(detail, "the login is lost");
        return Ok(Some(("session.damaged", detail)));
    }
    let taken = fs::metadata(&copy).and_then(|it| it.modified()).map(DateTime::<Utc>::from);
    let taken = taken.map(|at| at.to_rfc3339()).unwrap_or_default();
    aside::put_back(&copy, &path)?;
    let detail = format!(
        "the login's database was damaged ({why}); the copy of {taken} is used in its place; contacts' messages may come a moment later until new keys are exchanged; the damaged file is kept as {kept}"
    );
    tracing::error!(detail, "the login was restored");
    Ok(Some(("session.restored", detail)))
}

/// Whether the worker's database says that there is no login any more. One that is missing or damaged says
/// nothing.
fn was_logged_out(bot: &Path) -> bool {
    let login = || BotStore::open(bot)?.login();
    check::health(bot) == Health::Sound && login().is_ok_and(|login| login.is_none())
}

/// Makes the worker's own database anew when it is damaged, with what can still be read of it.
///
/// The new one is whole before the damaged one is set aside. So where a crash left a new one, it is whole if there
/// is no other, and otherwise it is begun anew.
fn salvage_bot(dir: &Path, now: DateTime<Utc>) -> Result<Option<Finding>, SafekeepingError> {
    let (path, new) = (dir.join(BOT), dir.join(SALVAGING));
    if !path.exists() && new.exists() {
        let kept = aside::set_aside(&path, now)?;
        aside::take_place(&new, &path)?;
        let detail = format!(
            "the worker's database was damaged and was made anew with what could be read, before a crash; the damaged file is kept beside it, its log perhaps as {kept}-wal"
        );
        return Ok(Some(("store.damaged", detail)));
    }
    for suffix in ["", "-wal", "-shm", "-journal"] {
        aside::remove(&dir.join(format!("{SALVAGING}{suffix}")))?;
    }
    let Health::Damaged(why) = check::health(&path) else { return Ok(None) };
    aside::make_private(&new).map_err(|source| {
        let (what, path) = ("make", new.clone());
        SafekeepingError::Io { what, path, source }
    })?;
    let saved = salvage::rows(&path, &new, now).map_err(SafekeepingError::Salvage)?;
    let kept = aside::set_aside(&path, now)?;
    aside::take_place(&new, &path)?;
    let detail = format!(
        "the worker's database was damaged ({why}) and is made anew: {saved}; the damaged file is kept as {kept}"
    );
    tracing::error!(detail, "the worker's database was damaged");
    Ok(Some(("store.damaged", detail)))
}
