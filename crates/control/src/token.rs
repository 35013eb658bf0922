//! Secrets: made at random, stored hashed or not at all, compared in constant time.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use api::TenantId;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Random bytes in a secret; 256 bits cannot be guessed, so a plain hash of it is enough.
const SECRET_BYTES: usize = 32;

/// A new random secret in hexadecimal digits.
///
/// # Errors
/// When the operating system has no randomness to give.
pub fn secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; SECRET_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

/// What is stored of a token: the SHA-256 of it in hexadecimal digits.
#[must_use]
pub fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// Whether two secrets are equal, in a time that does not depend on where they differ.
#[must_use]
pub fn equal(left: &str, right: &str) -> bool {
    // Hashing first makes the lengths equal, so that the length does not show either.
    let (left, right) = (Sha256::digest(left), Sha256::digest(right));
    left.as_slice().ct_eq(right.as_slice()).into()
}

/// Makes and proves workers' tokens. A token is `<tenant id>.<generation>.<proof>`, where the proof is
/// an HMAC-SHA256 of the rest under this key: it is good for one generation of one tenant alone, and
/// nothing of it needs to be stored, so that a start that was cut short leaves nothing out of step.
pub struct LinkKey([u8; SECRET_BYTES]);

/// What a token says openly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The tenant that it is good for.
    pub tenant: TenantId,
    /// The generation that it is good for.
    pub generation: u64,
}

/// Why the key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("{path} cannot be read or written: {source}")]
    File {
        /// The key's file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error(
        "{0} does not hold a key; delete it to have a new one made (workers must be restarted)"
    )]
    Damaged(PathBuf),
    /// The operating system has no randomness to give.
    #[error("the operating system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

impl LinkKey {
    /// Reads the key from its file, or makes one at the first start.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        key(path).map(Self)
    }

    /// The token for one generation of a tenant's worker.
    #[must_use]
    pub fn token(&self, bearer: Bearer) -> String {
        let open = format!("{}.{}", bearer.tenant, bearer.generation);
        let proof = hex::encode(self.mac(&open).finalize().into_bytes());
        format!("{open}.{proof}")
    }

    /// Who bears this token; `None` when it was not made with this key.
    #[must_use]
    pub fn bearer(&self, token: &str) -> Option<Bearer> {
        let (open, proof) = token.rsplit_once('.')?;
        self.mac(open).verify_slice(&hex::decode(proof).ok()?).ok()?;
        let (tenant, generation) = open.split_once('.')?;
        Some(Bearer { tenant: tenant.parse().ok()?, generation: generation.parse().ok()? })
    }

    fn mac(&self, text: &str) -> Hmac<Sha256> {
        let mut key = [0; 64];
        key[..SECRET_BYTES].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&key.into());
        mac.update(text.as_bytes());
        mac
    }
}

/// Reads a key of the home from its file, or makes one at the first start.
///
/// # Errors
/// [`KeyError`].
pub fn key(path: &Path) -> Result<[u8; SECRET_BYTES], KeyError> {
    let file = |source| KeyError::File { path: path.to_owned(), source };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let text = secret()?;
            private_file(path, &text).map_err(file)?;
            text
        }
        Err(error) => return Err(file(error)),
    };
    let mut key = [0; SECRET_BYTES];
    hex::decode_to_slice(text.trim(), &mut key).map_err(|_| KeyError::Damaged(path.to_owned()))?;
    Ok(key)
}

/// Writes a file that only its owner can read, whole or not at all.
///
/// # Errors
/// Those of the file system.
pub fn private_file(path: &Path, text: &str) -> std::io::Result<()> {
    let fresh = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    use api::TenantId;

    use super::{Bearer, LinkKey, equal, hash, secret};

    #[test]
    fn a_token_proves_its_tenant_and_generation() {
        let key = LinkKey([1; 32]);
        let bearer = Bearer { tenant: TenantId::generate(), generation: 7 };
        let token = key.token(bearer);
        assert_eq!(key.bearer(&token), Some(bearer));
        assert_eq!(LinkKey([2; 32]).bearer(&token), None);
        for forged in [
            token.replace(".7.", ".8."),
            token.replace(&bearer.tenant.to_string(), &TenantId::generate().to_string()),
            token[..token.len() - 2].to_owned(),
            "nonsense".to_owned(),
            String::new(),
        ] {
            assert_eq!(key.bearer(&forged), None, "{forged}");
        }
    }

    #[test]
    fn the_key_stays_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("link.key");
        let bearer = Bearer { tenant: TenantId::generate(), generation: 1 };
        let token = LinkKey::load(&path).unwrap().token(bearer);
        assert_eq!(LinkKey::load(&path).unwrap().bearer(&token), Some(bearer));
        std::fs::write(&path, "damaged").unwrap();
        assert!(LinkKey::load(&path).is_err());
    }

    #[test]
    fn secrets_differ_and_compare() {
        let (one, two) = (secret().unwrap(), secret().unwrap());
        assert_ne!(one, two);
        assert!(equal(&one, &one.clone()));
        assert!(!equal(&one, &two));
        assert_eq!(hash(&one).len(), 64);
    }
}
