//! Secrets that the database holds encrypted (ChaCha20-Poly1305), with a key that lies in the home: a
//! copy of the database alone is worth nothing.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};

use crate::token::{self, KeyError};

const NONCE: usize = 12;

/// Why a secret cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
#[error(
    "the secret cannot be read with the key in people.key; take the two-step sign-in away from the account and set it up anew"
)]
pub struct SealError;

/// Seals and opens.
pub struct Seal(ChaCha20Poly1305);

impl Seal {
    /// Reads the key from its file, or makes one at the first start.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let key = token::key(path)?;
        Ok(Self(ChaCha20Poly1305::new(&key.into())))
    }

    /// A secret as the database holds it; `owner` is whose it is, and it opens for no other.
    ///
    /// # Errors
    /// [`SealError`] when the operating system has no randomness to give.
    pub fn close(&self, owner: &str, secret: &[u8]) -> Result<String, SealError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| SealError)?;
        let payload = Payload { msg: secret, aad: owner.as_bytes() };
        let text = self.0.encrypt(&nonce.into(), payload).map_err(|_| SealError)?;
        Ok(BASE64.encode([&nonce[..], &text].concat()))
    }

    /// The secret again.
    ///
    /// # Errors
    /// [`SealError`] when it was sealed for somebody else or with another key, or was changed.
    pub fn open(&self, owner: &str, sealed: &str) -> Result<Vec<u8>, SealError> {
        let sealed = BASE64.decode(sealed).map_err(|_| SealError)?;
        let (nonce, text) = sealed.split_first_chunk::<NONCE>().ok_or(SealError)?;
        let payload = Payload { msg: text, aad: owner.as_bytes() };
        self.0.decrypt(&(*nonce).into(), payload).map_err(|_| SealError)
    }
}

#[cfg(test)]
mod tests {
    use super::Seal;

    #[test]
    fn it_opens_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let seal = Seal::load(&dir.path().join("people.key")).unwrap();
        let sealed = seal.close("amina", b"secret").unwrap();
        assert!(!sealed.contains("secret"));
        assert_eq!(seal.open("amina", &sealed).unwrap(), b"secret");
        assert!(seal.open("juma", &sealed).is_err());
        assert!(seal.open("amina", &sealed[1..]).is_err());
        assert!(seal.open("amina", "").is_err());
        let other = Seal::load(&dir.path().join("other.key")).unwrap();
        assert!(other.open("amina", &sealed).is_err());
        assert_ne!(sealed, seal.close("amina", b"secret").unwrap());
    }
}
