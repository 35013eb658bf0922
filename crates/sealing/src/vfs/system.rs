//! The functions that SQLite calls for the file system as a whole: opening is ours, the rest is passed on.

#![allow(unsafe_code, reason = "SQLite's interface to file systems is in C")]

use std::ffi::{CStr, c_char, c_int, c_void};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_vfs};

use super::Shared;
use super::methods::{METHODS, SealedFile, below};
use crate::cipher::Kind;

/// A file system like `template`, the one below, whose files are sealed. `name` and `shared` have to live for
/// as long as it is used.
pub(super) fn file_system(template: &sqlite3_vfs, name: &CStr, shared: &Shared) -> sqlite3_vfs {
    // A file of ours is a few words long.
    let ours = c_int::try_from(size_of::<SealedFile>()).unwrap_or(c_int::MAX);
    sqlite3_vfs {
        iVersion: template.iVersion.min(2),
        szOsFile: template.szOsFile.saturating_add(ours),
        mxPathname: template.mxPathname,
        pNext: std::ptr::null_mut(),
        zName: name.as_ptr(),
        pAppData: std::ptr::from_ref(shared).cast_mut().cast(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: Some(get_last_error),
        xCurrentTimeInt64: Some(current_time_int64),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }
}

/// Passes a call on to the file system below.
macro_rules! pass_on {
    ($($name:ident = $method:ident($($argument:ident: $type:ty),*);)*) => {$(
        unsafe extern "C" fn $name(vfs: *mut sqlite3_vfs, $($argument: $type),*) -> c_int {
            // SAFETY: `vfs` is ours, with what `file_system` put into it; the file system below is one
            // that SQLite would call in the same way.
            unsafe {
                let vfs = (*(*vfs).pAppData.cast::<Shared>()).below;
                match (*vfs).$method {
                    Some(method) => method(vfs, $($argument),*),
                    None => ffi::SQLITE_ERROR,
                }
            }
        }
    )*};
}

pass_on! {
    delete = xDelete(name: *const c_char, sync: c_int);
    access = xAccess(name: *const c_char, flags: c_int, result: *mut c_int);
    full_pathname = xFullPathname(name: *const c_char, room: c_int, full: *mut c_char);
    randomness = xRandomness(count: c_int, bytes: *mut c_char);
    sleep = xSleep(microseconds: c_int);
    current_time = xCurrentTime(days: *mut f64);
    get_last_error = xGetLastError(room: c_int, text: *mut c_char);
    current_time_int64 = xCurrentTimeInt64(milliseconds: *mut i64);
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let kind = if flags & ffi::SQLITE_OPEN_MAIN_DB != 0 {
        Kind::Database
    } else if flags & ffi::SQLITE_OPEN_WAL != 0 {
        Kind::Log
    } else {
        Kind::Other
    };
    // SAFETY: SQLite gives memory for `szOsFile` bytes at `file`, which nobody uses before this returns; the name
    // is handed on as it came, for options may stand behind its end.
    unsafe {
        let shared: *const Shared = (*vfs).pAppData.cast::<c_void>().cast();
        let ours = file.cast::<SealedFile>();
        ours.write(SealedFile { base: sqlite3_file { pMethods: std::ptr::null() }, shared, kind });
        let theirs = below(file);
        (*theirs).pMethods = std::ptr::null();
        let vfs = (*shared).below;
        let code = match (*vfs).xOpen {
            Some(method) => method(vfs, name, theirs, flags, out_flags),
            None => ffi::SQLITE_CANTOPEN,
        };
        // With our methods SQLite will close the file, which it also has to when the opening failed half-way.
        if !(*theirs).pMethods.is_null() {
            (*file).pMethods = &raw const METHODS;
        }
        code
    }
}
