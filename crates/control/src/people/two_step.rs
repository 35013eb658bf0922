//! Signing in with a code as well: set up, confirmed, taken away.

use std::time::{Duration, Instant};

use api::people::TotpSecret;
use chrono::Utc;
use store::UserRecord;
use uuid::Uuid;

use super::People;
use super::directory::User;
use super::totp;
use crate::problem::{ApiError, Kind};
use crate::qr;

/// So long a secret waits for its confirmation.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// So many secrets wait at once.
const WAITING: usize = 1000;

/// A secret that its person's authenticator has not proved to have.
pub struct Unconfirmed {
    user: Uuid,
    secret: Vec<u8>,
    since: Instant,
}

impl People {
    /// Makes a secret for an account; it counts once it is confirmed.
    ///
    /// # Errors
    /// [`Kind::Internal`] when the operating system has no randomness to give.
    pub fn offer_totp(&self, user: &User) -> Result<TotpSecret, ApiError> {
        let internal = |error: &str| ApiError::new(Kind::Internal, error);
        let secret = totp::secret().map_err(|error| internal(&error.to_string()))?;
        let shown = totp::shown(&secret, &user.record.email);
        let (text, url) = shown.ok_or_else(|| internal("no secret could be made"))?;
        let qr_svg = qr::svg(&url).map_err(|error| internal(&error.to_string()))?;
        let mut waiting = self.unconfirmed.lock();
        waiting.retain(|other| other.user != user.record.id && other.since.elapsed() < PATIENCE);
        if waiting.len() >= WAITING {
            waiting.remove(0);
        }
        waiting.push(Unconfirmed { user: user.record.id, secret, since: Instant::now() });
        Ok(TotpSecret { secret: text, url, qr_svg })
    }

    /// The account asks for codes from now on, since the person has shown one.
    ///
    /// # Errors
    /// [`Kind::WrongCode`].
    pub async fn confirm_totp(&self, user: &User, code: &str) -> Result<(), ApiError> {
        let (id, email) = (user.record.id, &user.record.email);
        self.attempt(email, None)?;
        let secret = {
            let waiting = self.unconfirmed.lock();
            let own = waiting.iter().find(|it| it.user == id && it.since.elapsed() < PATIENCE);
            own.map(|it| it.secret.clone())
        };
        let wrong = |detail: &str| ApiError::new(Kind::WrongCode, detail);
        let secret = secret.ok_or_else(|| wrong("no secret waits; begin with POST /auth/totp"))?;
        let now = Utc::now().timestamp().cast_unsigned();
        let step = totp::step(&secret, email, code, 0, now).ok_or_else(|| {
            wrong("the code is not the one that is shown now; is the clock right?")
        })?;
        let sealed = self.seal.close(&id.to_string(), &secret);
        let sealed = sealed.map_err(|error| ApiError::new(Kind::Internal, error.to_string()))?;
        self.change(id, |user| {
            user.totp_secret = Some(sealed);
            user.totp_step = step;
            Ok(())
        })
        .await?;
        self.unconfirmed.lock().retain(|it| it.user != id);
        Ok(())
    }

    /// The account asks for no codes any more.
    ///
    /// # Errors
    /// [`Kind::UnknownUser`], [`Kind::StoreUnavailable`].
    pub async fn remove_totp(&self, id: Uuid) -> Result<(), ApiError> {
        let none = |user: &mut UserRecord| {
            user.totp_secret = None;
            Ok(())
        };
        self.change(id, none).await.map(drop)
    }

    pub(super) fn open_secret(&self, user: &UserRecord, sealed: &str) -> Result<Vec<u8>, ApiError> {
        let opened = self.seal.open(&user.id.to_string(), sealed);
        opened.map_err(|error| {
            tracing::error!(user = user.email, %error, "nobody can sign in to this account");
            ApiError::new(Kind::Internal, error.to_string())
        })
    }
}
