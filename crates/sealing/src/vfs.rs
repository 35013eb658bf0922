//! Between SQLite and the system's files: everything is passed on but what is read and written.
//!
//! The structures and rules are those of SQLite's C interface (`sqlite3_vfs`, `sqlite3_io_methods`), which
//! describes how one file system is laid over another. A file of ours is followed in memory by the file of
//! the system below.

mod aligned;
mod methods;
mod system;

use std::ffi::{CStr, CString, c_char, c_int};
use std::sync::atomic::{AtomicU64, Ordering};
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
    fn new(below: *mut ffi::sqlite3_vfs, key: &Key) -> Self {
        Self {
            below,
            database: Cipher::new(key, Kind::Database),
            log: Cipher::new(key, Kind::Log),
            other: Cipher::new(key, Kind::Other),
            files: RwLock::new(()),
        }
    }

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

/// A file system of its own name for the files of one key, which is not the one that SQLite uses unless it is told
/// to. It is taken back when this is dropped; whatever was opened through it has to be closed by then.
pub(crate) struct Named {
    vfs: *mut ffi::sqlite3_vfs,
    shared: *mut Shared,
    name: *mut c_char,
}

/// Numbers the names.
static NAMES: AtomicU64 = AtomicU64::new(0);

impl Named {
    /// Makes one for `key`.
    pub(crate) fn register(key: &Key) -> Result<Self, RegisterError> {
        let number = NAMES.fetch_add(1, Ordering::Relaxed);
        let refused = RegisterError::Refused(ffi::SQLITE_ERROR);
        let Ok(name) = CString::new(format!("tenantry-sealed-{number}")) else {
            return Err(refused);
        };
        // SAFETY: the name is a text with a NUL at its end; the system's own file system has this name, and stays.
        #[allow(unsafe_code)]
        let below = unsafe { ffi::sqlite3_vfs_find(c"unix".as_ptr()) };
        // SAFETY: SQLite gives null or a pointer to a structure that stays valid and is not written to.
        #[allow(unsafe_code)]
        let Some(template) = (unsafe { below.as_ref() }) else { return Err(refused) };
        let name = name.into_raw();
        let shared = Box::into_raw(Box::new(Shared::new(below, key)));
        // SAFETY: both were made just now and are freed by `drop` alone, after SQLite has forgotten the structure.
        #[allow(unsafe_code)]
        let (text, parts) = unsafe { (CStr::from_ptr(name), &*shared) };
        let vfs = Box::into_raw(Box::new(system::file_system(template, text, parts)));
        let named = Self { vfs, shared, name };
        // SAFETY: the structure is valid until it is taken back.
        #[allow(unsafe_code)]
        let code = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
        if code == ffi::SQLITE_OK { Ok(named) } else { Err(RegisterError::Refused(code)) }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &CStr {
        // SAFETY: a text with a NUL at its end, which lives as long as this does.
        #[allow(unsafe_code)]
        unsafe {
            CStr::from_ptr(self.name)
        }
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        // SAFETY: nobody but SQLite's list knows the three, each of which was made by `into_raw`; after the first
        // call the list does not either.
        #[allow(unsafe_code)]
        unsafe {
            ffi::sqlite3_vfs_unregister(self.vfs);
            drop(Box::from_raw(self.vfs));
            drop(Box::from_raw(self.shared));
            drop(CString::from_raw(self.name));
        }
    }
}

/// A file system over the present default one; `None` when SQLite has none.
fn layered(key: &Key) -> Option<*mut ffi::sqlite3_vfs> {
    // SAFETY: null asks for the default file system, which exists for as long as the process does.
    #[allow(unsafe_code)]
    let below = unsafe { ffi::sqlite3_vfs_find(std::ptr::null::<c_char>()) };
    // SAFETY: SQLite gives null or a pointer to a structure that stays valid and is not written to.
    #[allow(unsafe_code)]
    let template = *unsafe { below.as_ref() }?;
    let shared = Box::leak(Box::new(Shared::new(below, key)));
    Some(Box::leak(Box::new(system::file_system(&template, NAME, shared))))
}

#[cfg(test)]
mod tests;
