//! What a backup is encrypted with: the format of `age`, which other programs read too.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::str::FromStr;

use age::secrecy::SecretString;
use age::{Decryptor, Encryptor, scrypt, x25519};

use super::BackupError;

/// What every file of `age` begins with.
pub(super) const MAGIC: &[u8] = b"age-encryption.org/";

/// How much work a passphrase may have cost where the backup was made, as a power of two: 4 GB of memory. Without a
/// bound a forged file could ask for any.
const MOST_WORK: u8 = 22;

/// A passphrase.
#[derive(Clone)]
pub struct Passphrase(SecretString);

impl Passphrase {
    /// Takes a text in; the line break at its end is none of it.
    ///
    /// # Errors
    /// When nothing is left.
    pub fn new(text: &str) -> Result<Self, BackupError> {
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return Err(BackupError::Encrypt("the passphrase is empty".to_owned()));
        }
        Ok(Self(SecretString::from(text.to_owned())))
    }
}

/// Whom a backup is encrypted for: `age1…`.
#[derive(Clone)]
pub struct Recipient(x25519::Recipient);

impl FromStr for Recipient {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |reason| format!("{reason}; give what `age-keygen` prints as public key");
        text.trim().parse().map(Self).map_err(wrong)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// How a backup is protected.
#[derive(Clone, Default)]
pub enum Protection {
    /// Not at all but for the file's permissions.
    #[default]
    None,
    /// Whoever knows this can read it.
    Passphrase(Passphrase),
    /// Whoever has the secret key of one of these can.
    Recipients(Vec<Recipient>),
}

/// What opens a protected backup.
#[derive(Clone, Default)]
pub enum Unlock {
    /// Nothing.
    #[default]
    None,
    /// The passphrase.
    Passphrase(Passphrase),
    /// Secret keys, as `age-keygen` writes them.
    Identities(Vec<x25519::Identity>),
}

impl Unlock {
    /// The secret keys in a text such as `age-keygen` writes: a line each, those with `#` aside.
    ///
    /// # Errors
    /// [`BackupError::Encrypt`] when there is none, or a line is none.
    pub fn identities(text: &str) -> Result<Self, BackupError> {
        let lines = text.lines().map(str::trim);
        let keys = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        // What is wrong is not repeated: it may be a secret key but for a letter.
        let wrong = |_| BackupError::Encrypt("a line of the identity file is no key".to_owned());
        let keys: Vec<x25519::Identity> =
            keys.map(|line| line.parse().map_err(wrong)).collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(BackupError::Encrypt("the identity file holds no key".to_owned()));
        }
        Ok(Self::Identities(keys))
    }
}

impl Protection {
    pub(super) const fn is_some(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// What opens a backup that is protected so, if we know.
    pub(super) fn unlock(&self) -> Option<Unlock> {
        match self {
            Self::None => Some(Unlock::None),
            Self::Passphrase(passphrase) => Some(Unlock::Passphrase(passphrase.clone())),
            Self::Recipients(_) => None,
        }
    }
}

/// Where an archive goes.
pub(super) enum Sink<W: Write> {
    Plain(W),
    Encrypted(age::stream::StreamWriter<W>),
}

impl<W: Write> Sink<W> {
    pub(super) fn new(output: W, protection: &Protection) -> Result<Self, BackupError> {
        let fault = |error: io::Error| BackupError::Encrypt(error.to_string());
        let encryptor = match protection {
            Protection::None => return Ok(Self::Plain(output)),
            Protection::Passphrase(passphrase) => {
                Encryptor::with_user_passphrase(passphrase.0.clone())
            }
            Protection::Recipients(all) => {
                let all = all.iter().map(|recipient| &recipient.0 as &dyn age::Recipient);
                Encryptor::with_recipients(all)
                    .map_err(|error| BackupError::Encrypt(error.to_string()))?
            }
        };
        encryptor.wrap_output(output).map(Self::Encrypted).map_err(fault)
    }

    /// Writes what is to be written at the end.
    pub(super) fn finish(self) -> io::Result<W> {
        match self {
            Self::Plain(output) => Ok(output),
            Self::Encrypted(output) => output.finish(),
        }
    }
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(output) => output.write(bytes),
            Self::Encrypted(output) => output.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(output) => output.flush(),
            Self::Encrypted(output) => output.flush(),
        }
    }
}

/// The archive in a file, decrypted, and whether it was encrypted.
pub(super) fn open(
    path: &Path,
    unlock: &Unlock,
) -> Result<(Box<dyn Read + Send>, bool), BackupError> {
    let fault = |error| super::failed("read", path)(error);
    let mut start = [0; MAGIC.len()];
    let read = File::open(path).and_then(|mut file| file.read(&mut start)).map_err(fault)?;
    let file =
        BufReader::new(File::open(path).map_err(|error| super::failed("read", path)(error))?);
    if start.get(..read) != Some(MAGIC) {
        return Ok((Box::new(file), false));
    }
    let refuse = |reason: String| BackupError::Decrypt { path: path.to_owned(), reason };
    let damaged = |error: age::DecryptError| match error {
        age::DecryptError::NoMatchingKeys | age::DecryptError::DecryptionFailed => {
            refuse("the passphrase or the key is another one".to_owned())
        }
        error => refuse(error.to_string()),
    };
    let decryptor = Decryptor::new_buffered(file).map_err(damaged)?;
    let reader = match unlock {
        Unlock::None => return Err(BackupError::Locked { path: path.to_owned() }),
        Unlock::Passphrase(passphrase) => {
            if !decryptor.is_scrypt() {
                return Err(refuse("it is encrypted for a key: give --identity".to_owned()));
            }
            let mut identity = scrypt::Identity::new(passphrase.0.clone());
            identity.set_max_work_factor(MOST_WORK);
            decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity))
        }
        Unlock::Identities(keys) => {
            if decryptor.is_scrypt() {
                let reason = "it is encrypted with a passphrase: give --passphrase-file";
                return Err(refuse(reason.to_owned()));
            }
            decryptor.decrypt(keys.iter().map(|key| key as &dyn age::Identity))
        }
    };
    Ok((Box::new(reader.map_err(damaged)?), true))
}
