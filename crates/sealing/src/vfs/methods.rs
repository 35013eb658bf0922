//! The functions that SQLite calls for one file.
//!
//! SQLite promises: every pointer is valid for the length of a call, a file is one that our `xOpen` has filled,
//! and no two calls concern the same file at the same moment.

#![allow(unsafe_code, reason = "SQLite's interface to file systems is in C")]

use std::ffi::{c_int, c_void};
use std::sync::PoisonError;

use rusqlite::ffi::{self, sqlite3_file, sqlite3_io_methods};

use super::Shared;
use super::aligned::{self, Below};
use crate::cipher::{BLOCK, Cipher, Kind};

/// A file of ours. In memory the file of the system below follows it; SQLite aligns both to 8 bytes.
#[repr(C)]
pub(super) struct SealedFile {
    pub(super) base: sqlite3_file,
    pub(super) shared: *const Shared,
    pub(super) kind: Kind,
}

/// What SQLite calls. Version 2: a file of ours is never mapped into memory, where it would be read undeciphered.
pub(super) static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The file of the system below, which follows ours.
///
/// # Safety
/// `file` is one of ours, in memory of the size that our file system asks for.
pub(super) unsafe fn below(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: SQLite has set aside as many bytes as `szOsFile` says: ours and theirs.
    unsafe { file.cast::<SealedFile>().add(1).cast() }
}

/// Passes a call on to the file below.
macro_rules! pass_on {
    ($($name:ident = $method:ident($($argument:ident: $type:ty),*);)*) => {$(
        unsafe extern "C" fn $name(file: *mut sqlite3_file, $($argument: $type),*) -> c_int {
            // SAFETY: the file below is open; its methods are the system's, which SQLite would call in the
            // same way.
            unsafe {
                let file = below(file);
                match (*(*file).pMethods).$method {
                    Some(method) => method(file, $($argument),*),
                    None => ffi::SQLITE_IOERR,
                }
            }
        }
    )*};
}

pass_on! {
    sync = xSync(flags: c_int);
    file_size = xFileSize(size: *mut i64);
    lock = xLock(level: c_int);
    unlock = xUnlock(level: c_int);
    check_reserved_lock = xCheckReservedLock(result: *mut c_int);
    file_control = xFileControl(operation: c_int, argument: *mut c_void);
    sector_size = xSectorSize();
    device_characteristics = xDeviceCharacteristics();
    shm_map = xShmMap(page: c_int, size: c_int, extend: c_int, memory: *mut *mut c_void);
    shm_lock = xShmLock(offset: c_int, count: c_int, flags: c_int);
    shm_unmap = xShmUnmap(delete: c_int);
    close_below = xClose();
    truncate_below = xTruncate(size: i64);
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: as above; afterwards neither file is open.
    unsafe {
        let code = close_below(file);
        (*file).pMethods = std::ptr::null();
        code
    }
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: as above.
    unsafe {
        let file = below(file);
        if let Some(method) = (*(*file).pMethods).xShmBarrier {
            method(file);
        }
    }
}

/// A block that is cut through could not be deciphered: the file keeps the whole of it.
unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: i64) -> c_int {
    let over = size.rem_euclid(BLOCK as i64);
    let whole = if over == 0 { size } else { size.saturating_add(BLOCK as i64 - over) };
    // SAFETY: as above.
    unsafe { truncate_below(file, whole) }
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    bytes: *mut c_void,
    amount: c_int,
    offset: i64,
) -> c_int {
    let (Ok(length), Ok(offset)) = (usize::try_from(amount), u64::try_from(offset)) else {
        return ffi::SQLITE_IOERR_READ;
    };
    // SAFETY: SQLite gives room for `amount` bytes, which nobody else looks at meanwhile, and a file of ours.
    let (bytes, mut open) =
        unsafe { (std::slice::from_raw_parts_mut(bytes.cast::<u8>(), length), Open::of(file)) };
    let _quiet = open.shared.files.read().unwrap_or_else(PoisonError::into_inner);
    match aligned::read(&mut open.file, open.cipher, offset, bytes) {
        Ok(there) if there == length => ffi::SQLITE_OK,
        Ok(_) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(code) => code,
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    bytes: *const c_void,
    amount: c_int,
    offset: i64,
) -> c_int {
    let (Ok(length), Ok(offset)) = (usize::try_from(amount), u64::try_from(offset)) else {
        return ffi::SQLITE_IOERR_WRITE;
    };
    // SAFETY: SQLite gives `amount` bytes that stay as they are meanwhile, and a file of ours.
    let (bytes, mut open) =
        unsafe { (std::slice::from_raw_parts(bytes.cast::<u8>(), length), Open::of(file)) };
    let _alone = open.shared.files.write().unwrap_or_else(PoisonError::into_inner);
    match aligned::write(&mut open.file, open.cipher, offset, bytes) {
        Ok(()) => ffi::SQLITE_OK,
        Err(code) => code,
    }
}

/// A file of ours that is open.
struct Open<'a> {
    file: SystemFile,
    cipher: &'a Cipher,
    shared: &'a Shared,
}

impl Open<'_> {
    /// # Safety
    /// `file` is an open one of ours.
    unsafe fn of(file: *mut sqlite3_file) -> Self {
        // SAFETY: what is shared lives as long as the process.
        unsafe {
            let ours = file.cast::<SealedFile>();
            let shared = &*(*ours).shared;
            Self { file: SystemFile(below(file)), cipher: shared.cipher((*ours).kind), shared }
        }
    }
}

/// An open file of the system.
struct SystemFile(*mut sqlite3_file);

impl Below for SystemFile {
    fn len(&mut self) -> Result<u64, i32> {
        let mut size = 0;
        // SAFETY: the file is open.
        let code = unsafe {
            match (*(*self.0).pMethods).xFileSize {
                Some(method) => method(self.0, &raw mut size),
                None => ffi::SQLITE_IOERR_FSTAT,
            }
        };
        done(code)?;
        u64::try_from(size).map_err(|_| ffi::SQLITE_IOERR_FSTAT)
    }

    fn read(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), i32> {
        let (offset, length) = place(offset, bytes.len(), ffi::SQLITE_IOERR_READ)?;
        // SAFETY: the file is open, and there is room for `length` bytes.
        done(unsafe {
            match (*(*self.0).pMethods).xRead {
                Some(method) => method(self.0, bytes.as_mut_ptr().cast(), length, offset),
                None => ffi::SQLITE_IOERR_READ,
            }
        })
    }

    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), i32> {
        let (offset, length) = place(offset, bytes.len(), ffi::SQLITE_IOERR_WRITE)?;
        // SAFETY: the file is open, and there are `length` bytes.
        done(unsafe {
            match (*(*self.0).pMethods).xWrite {
                Some(method) => method(self.0, bytes.as_ptr().cast(), length, offset),
                None => ffi::SQLITE_IOERR_WRITE,
            }
        })
    }
}

fn place(offset: u64, length: usize, code: i32) -> Result<(i64, c_int), i32> {
    Ok((i64::try_from(offset).map_err(|_| code)?, c_int::try_from(length).map_err(|_| code)?))
}

fn done(code: c_int) -> Result<(), i32> {
    if code == ffi::SQLITE_OK { Ok(()) } else { Err(code) }
}
