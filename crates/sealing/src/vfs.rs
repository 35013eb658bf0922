//! Between SQLite and the system's files: everything is passed on but what is read and written.
//!
//! The structures and rules are those of SQLite's C interface (`sqlite3_vfs`, `sqlite3_io_methods`), which
//! describes how one file system is laid over another. A file of ours is followed in memory by the file of
//! the system below.

mod aligned;
mod methods;
mod system;

use std::ffi::{CStr, c_char, c_int};
use std::sync::{Mutex, RwLock};

use rusqlite::ffi;

use crate::cipher::{Cipher, Kind};
use crate::key::Key;

/// The name under which SQLite knows the sealed files.
const NAME: &CStr = c"tenantry-sealed";

/// Why SQLite does not use the key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// This process uses another key already.
    #[error("this process uses another key already")]
    OtherKey,
    /// SQLite says no.
    #[error("SQLite refuses to use the key (code {0})")]
    Refused(c_int),
}

/// What all sealed files of this process share.
struct Shared {
    /// The system's file system.
    below: *mut ffi::sqlite3_vfs,
    database: Cipher,
    log: Cipher,
    other: Cipher,
    /// Two neighbours may share a block, which is then read, changed and written: nobody may look meanwhile.
    files: RwLock<()>,
}

impl Shared {
    fn cipher(&self, kind: Kind) -> &Cipher {
        match kind {
            Kind::Database => &self.database,
            Kind::Log => &self.log,
            Kind::Other => &self.other,
        }
    }
}

/// The fingerprint of the key in use.
static REGISTERED: Mutex<Option<String>> = Mutex::new(None);

/// From now on SQLite opens every file of this process through `key`. What is open already stays as it is.
///
/// # Errors
/// See [`RegisterError`].
pub fn register(key: &Key) -> Result<(), RegisterError> {
    let mut registered = REGISTERED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(fingerprint) = &*registered {
        let same = *fingerprint == key.fingerprint();
        return if same { Ok(()) } else { Err(RegisterError::OtherKey) };
    }
    let vfs = layered(key).ok_or(RegisterError::Refused(ffi::SQLITE_ERROR))?;
    // SAFETY: the structure is valid, and lives as long as the process, as SQLite demands.
    #[allow(unsafe_code)]
    let code = unsafe { ffi::sqlite3_vfs_register(vfs, 1) };
    if code != ffi::SQLITE_OK {
        return Err(RegisterError::Refused(code));
    }
    *registered = Some(key.fingerprint());
    Ok(())
}

/// A file system over the present default one; `None` when SQLite has none.
fn layered(key: &Key) -> Option<*mut ffi::sqlite3_vfs> {
    // SAFETY: null asks for the default file system, which exists for as long as the process does.
    #[allow(unsafe_code)]
    let below = unsafe { ffi::sqlite3_vfs_find(std::ptr::null::<c_char>()) };
    // SAFETY: SQLite gives null or a pointer to a structure that stays valid and is not written to.
    #[allow(unsafe_code)]
    let template = *unsafe { below.as_ref() }?;
    let shared = Box::leak(Box::new(Shared {
        below,
        database: Cipher::new(key, Kind::Database),
        log: Cipher::new(key, Kind::Log),
        other: Cipher::new(key, Kind::Other),
        files: RwLock::new(()),
    }));
    Some(Box::leak(Box::new(system::file_system(&template, NAME, shared))))
}

#[cfg(test)]
mod tests;
