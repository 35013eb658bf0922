//! Passwords: which are good enough, and their hashes (argon2id).

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

/// The fewest and the most characters. The longest is a bound on the work of hashing alone.
const LENGTH: std::ops::RangeInclusive<usize> = 12..=128;

/// Memory in KiB, passes, lanes: what OWASP's cheat sheet on password storage gives for argon2id.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// Hashes that are computed at once: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;

/// Why a password cannot be hashed or checked.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub struct HashError(String);

/// Hashes passwords, a few at a time, off the threads that serve requests.
#[derive(Clone)]
pub struct Passwords {
    room: Arc<Semaphore>,
    /// The hash of a password that nobody has: what an account that is not there is checked against,
    /// so that the time of an answer does not tell which accounts there are.
    nobody: Arc<str>,
}

impl Passwords {
    /// Gets ready to hash.
    ///
    /// # Errors
    /// [`HashError`] when the operating system has no randomness to give.
    pub fn new() -> Result<Self, HashError> {
        let nobody = hash_now("the password of nobody at all")?;
        Ok(Self { room: Arc::new(Semaphore::new(AT_ONCE)), nobody: nobody.into() })
    }

    /// The hash of a password, as a PHC string with a salt of its own.
    ///
    /// # Errors
    /// [`HashError`].
    pub async fn hash(&self, password: String) -> Result<String, HashError> {
        self.work(move || hash_now(&password)).await?
    }

    /// Whether this is the password that was hashed. Without a hash it never is, and takes as long.
    ///
    /// # Errors
    /// [`HashError`].
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, HashError> {
        let nobody = Arc::clone(&self.nobody);
        let known = hash.is_some();
        let matches = self.work(move || {
            let hash = hash.as_deref().unwrap_or(&nobody);
            PasswordHash::new(hash).is_ok_and(|hash| {
                Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
            })
        });
        Ok(matches.await? && known)
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let _one_of_few = self.room.acquire().await;
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| HashError(error.to_string()))
    }
}

fn hash_now(password: &str) -> Result<String, HashError> {
    let told = |error: &dyn std::fmt::Display| HashError(error.to_string());
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).map_err(|error| told(&error))?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon.hash_password(password.as_bytes()).map_err(|error| told(&error))?;
    Ok(hash.to_string())
}

/// What is wrong with a password, if it is not good enough: it is too short or too long, or it is what
/// everybody would try first.
#[must_use]
pub fn weakness(password: &str, email: &str) -> Option<String> {
    let length = password.chars().count();
    if !LENGTH.contains(&length) {
        let (least, most) = (LENGTH.start(), LENGTH.end());
        return Some(format!("must have {least} to {most} characters; a sentence is easy to keep"));
    }
    let lower = password.to_lowercase();
    let own = email.split('@').next().unwrap_or_default();
    let stripped: String = lower.chars().filter(|c| c.is_alphabetic()).collect();
    let first_tries =
        ["password", "passwordpassword", "qwertyuiop", "tenantry", "whatsapp", "admin"];
    if lower == email || stripped == own.to_lowercase() || first_tries.contains(&stripped.as_str())
    {
        return Some("is among the first that anybody would try; write another".to_owned());
    }
    let mut characters: Vec<char> = lower.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    (characters.len() < 5).then(|| "is made of very few different characters".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Passwords, weakness};

    #[tokio::test]
    async fn only_the_password_itself_matches() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash("correct horse battery".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let verify = |password: &str, hash| passwords.verify(password.to_owned(), hash);
        assert!(verify("correct horse battery", Some(hash.clone())).await.unwrap());
        assert!(!verify("correct horse batterx", Some(hash.clone())).await.unwrap());
        assert!(!verify("the password of nobody at all", None).await.unwrap());
        assert!(!verify("x", Some("no hash".to_owned())).await.unwrap());
        let again = passwords.hash("correct horse battery".to_owned()).await.unwrap();
        assert_ne!(hash, again, "each has its own salt");
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for bad in ["short", "password1234", "aaaaaaaaaaaaaaa", "Amina1234567", &"x1y2".repeat(40)]
        {
            assert!(weakness(bad, "amina@example.com").is_some(), "{bad}");
        }
        for good in ["correct horse battery", "ninapenda ugali na sukuma"] {
            assert_eq!(weakness(good, "amina@example.com"), None);
        }
    }
}
