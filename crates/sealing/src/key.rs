//! The key, and the file that it is in.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use hkdf::Hkdf;
use sha2::Sha256;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file is missing or cannot be read.
    #[error("cannot {what} the key file {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds something else.
    #[error("the key file {} does not hold 64 hexadecimal digits", path.display())]
    Content {
        /// The file.
        path: PathBuf,
    },
    /// The system has no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

/// A key. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(…)")
    }
}

impl Key {
    /// The key in a file of 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`KeyError::Io`] when it cannot be read, [`KeyError::Content`] when it is no key.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let text = fs::read_to_string(path).map_err(failed("read", path))?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes)
            .map_err(|_| KeyError::Content { path: path.to_owned() })?;
        Ok(Self(bytes))
    }

    /// The key in this file; one is made when there is none. The folder has to exist.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn read_or_make(path: &Path) -> Result<Self, KeyError> {
        match fs::exists(path) {
            Ok(false) => Self::make(path),
            _ => Self::read(path),
        }
    }

    /// Makes a key and its file, on the disk when this returns: what is sealed with a key that a power cut
    /// took away would be lost. The file comes to be as a whole, or not at all.
    fn make(path: &Path) -> Result<Self, KeyError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| KeyError::Random(error.to_string()))?;
        let new = path.with_extension("new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("make", &new)(error));
            }
            _ => {}
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)
            .and_then(|mut file| {
                writeln!(file, "{}", hex::encode(bytes))?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&new, path))
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(failed("make", path))?;
        Ok(Self(bytes))
    }

    /// Destroys the key in this file: it is overwritten before it is deleted. Nothing that was sealed with it can
    /// be opened again. Without a file there is nothing to do.
    ///
    /// # Errors
    /// [`KeyError::Io`].
    pub fn destroy(path: &Path) -> Result<(), KeyError> {
        let overwrite = |mut file: File| {
            file.write_all(&[b'0'; 64])?;
            file.sync_all()
        };
        match OpenOptions::new().write(true).open(path).and_then(overwrite) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            overwritten => overwritten.map_err(failed("overwrite", path))?,
        }
        fs::remove_file(path).map_err(failed("delete", path))
    }

    /// Tells this key from others without giving it away.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut print = [0; 8];
        // 8 bytes are far below what HKDF-SHA256 can give, the only thing it could refuse.
        let _ =
            Hkdf::<Sha256>::new(None, &self.0).expand(b"tenantry sealing: fingerprint", &mut print);
        hex::encode(print)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    #[cfg(test)]
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    move |source| KeyError::Io { what, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        let made = Key::read_or_make(&path).unwrap();
        assert_eq!(Key::read_or_make(&path).unwrap(), made);
        assert_eq!(Key::read(&path).unwrap().fingerprint(), made.fingerprint());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!format!("{made:?}").contains(&hex::encode(made.bytes())[..8]));
    }

    #[test]
    fn what_is_no_key_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        fs::write(&path, "secret").unwrap();
        assert!(matches!(Key::read_or_make(&path), Err(KeyError::Content { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"secret");
    }

    #[test]
    fn a_destroyed_key_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        Key::read_or_make(&path).unwrap();
        // Another name for the same file shows what is left in it.
        fs::hard_link(&path, folder.path().join("b")).unwrap();
        Key::destroy(&path).unwrap();
        assert!(!path.exists());
        let left = fs::read_to_string(folder.path().join("b")).unwrap();
        assert_eq!(left.trim(), "0".repeat(64));
        Key::destroy(&path).unwrap();
    }
}
