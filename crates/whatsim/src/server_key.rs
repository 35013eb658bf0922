//! The server's static Noise key: the one thing a prepared session trusts.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use wacore_libsignal::protocol::{KeyPair, PrivateKey};

use crate::error::SimError;

/// Bytes of a Curve25519 key.
pub const KEY_BYTES: usize = 32;

/// Loads the key kept in `file`, or makes one and keeps it there.
pub(crate) fn load_or_generate(file: Option<&Path>) -> Result<KeyPair, SimError> {
    let Some(file) = file else {
        return Ok(generate());
    };
    match fs::read(file) {
        Ok(bytes) => {
            let private = PrivateKey::deserialize(&bytes)
                .map_err(|_| SimError::InvalidKey("the static key file is not 32 bytes"))?;
            Ok(KeyPair::try_from(private)?)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = generate();
            write_private(file, key.private_key.serialize())?;
            Ok(key)
        }
        Err(source) => Err(SimError::Io { context: "reading the static key", source }),
    }
}

fn generate() -> KeyPair {
    KeyPair::generate(&mut rand::make_rng::<rand::rngs::StdRng>())
}

fn write_private(file: &Path, bytes: &[u8]) -> Result<(), SimError> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(SimError::io("creating the folder of the static key"))?;
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut out| out.write_all(bytes))
        .map_err(SimError::io("writing the static key"))
}

/// The public half of a key pair as raw bytes.
pub(crate) fn public_bytes(key: &KeyPair) -> [u8; KEY_BYTES] {
    let mut bytes = [0; KEY_BYTES];
    bytes.copy_from_slice(key.public_key.public_key_bytes());
    bytes
}

/// Lower-case hexadecimal form of a key.
#[must_use]
pub fn to_hex(key: &[u8; KEY_BYTES]) -> String {
    use std::fmt::Write as _;
    key.iter().fold(String::with_capacity(KEY_BYTES * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads a key from its hexadecimal form.
///
/// # Errors
/// [`SimError::InvalidKey`] when the text is not 64 hexadecimal digits.
pub fn from_hex(text: &str) -> Result<[u8; KEY_BYTES], SimError> {
    let text = text.trim();
    if text.len() != KEY_BYTES * 2 || !text.is_ascii() {
        return Err(SimError::InvalidKey("a key is 64 hexadecimal digits"));
    }
    let mut key = [0; KEY_BYTES];
    for (byte, index) in key.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[index..index + 2], 16)
            .map_err(|_| SimError::InvalidKey("a key is 64 hexadecimal digits"))?;
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_keeps_the_key_and_is_private() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state/static.key");
        let first = load_or_generate(Some(&file)).unwrap();
        let second = load_or_generate(Some(&file)).unwrap();
        assert_eq!(public_bytes(&first), public_bytes(&second));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn hexadecimal_form_reads_back() {
        let key = public_bytes(&generate());
        assert_eq!(from_hex(&to_hex(&key)).unwrap(), key);
        assert!(from_hex("zz").is_err());
        assert!(from_hex(&"é".repeat(32)).is_err());
    }
}
