//! Signing in with a password (and a code), and the sessions that come of it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use api::people::{SignIn, SignedInView};
use chrono::Utc;
use store::BrowserSession;
use uuid::Uuid;

use super::People;
use super::accounts;
use super::directory::{self, Browser, User};
use super::password::{self, HashError};
use super::totp;
use crate::problem::{ApiError, Kind};
use crate::token;

/// The most sessions of one account; the ones unused for longest end first.
const MAX_SESSIONS: usize = 50;
/// What of a browser's own name is kept, in characters.
const MAX_AGENT: usize = 200;

/// Where somebody signs in from.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The address.
    pub address: Option<IpAddr>,
    /// What the browser calls itself.
    pub agent: Option<String>,
}

/// A session that was just begun.
pub struct Begun {
    /// The account.
    pub user: Arc<User>,
    /// The session.
    pub session: BrowserSession,
    /// What the browser keeps as its cookie. It is stored nowhere else.
    pub cookie: String,
}

impl People {
    /// Signs a person in.
    ///
    /// # Errors
    /// [`Kind::TooManySignIns`], [`Kind::SignInFailed`], [`Kind::CodeRequired`].
    pub async fn sign_in(&self, wish: SignIn, from: Origin) -> Result<Begun, ApiError> {
        // What is no address is nobody's; it costs its attempt and its time like any other.
        let email = accounts::email(&wish.email).unwrap_or_default();
        self.attempt(&email, from.address)?;
        let user = self.directory.read().user_by_email(&email);
        let hash = user.as_ref().and_then(|user| user.record.password_hash.clone());
        let matches = self.passwords.verify(wish.password, hash).await?;
        let user = user.filter(|user| matches && !user.record.disabled).ok_or_else(failed)?;
        let step = match &user.record.totp_secret {
            None => None,
            Some(sealed) => {
                let Some(code) = wish.code.as_deref().filter(|code| !code.trim().is_empty()) else {
                    let detail = "give the six digits that your authenticator shows, as code";
                    return Err(ApiError::new(Kind::CodeRequired, detail));
                };
                let secret = self.open_secret(&user.record, sealed)?;
                let (last, now) = (user.record.totp_step, Utc::now().timestamp().cast_unsigned());
                Some(totp::step(&secret, &email, code, last, now).ok_or_else(failed)?)
            }
        };
        self.begin(user.record.id, step, from).await
    }

    /// Takes in that the admin password was shown, or something else in its place.
    ///
    /// # Errors
    /// [`Kind::TooManySignIns`].
    pub fn password_shown(&self, right: bool) -> Result<(), ApiError> {
        self.throttle.shown(right).map_err(too_many)
    }

    /// Counts a wish for a letter.
    ///
    /// # Errors
    /// [`Kind::TooManySignIns`].
    pub fn letter_attempt(&self, email: &str, from: &Origin) -> Result<(), ApiError> {
        self.attempt(email, from.address)
    }

    /// Counts an attempt that names no account.
    ///
    /// # Errors
    /// [`Kind::TooManySignIns`].
    pub fn attempt_from(&self, from: &Origin) -> Result<(), ApiError> {
        self.throttle.attempt_from(from.address).map_err(too_many)
    }

    /// Counts an attempt to prove to be somebody.
    ///
    /// # Errors
    /// [`Kind::TooManySignIns`].
    pub(super) fn attempt(&self, email: &str, address: Option<IpAddr>) -> Result<(), ApiError> {
        self.throttle.attempt(email, address).map_err(too_many)
    }

    /// Begins a session of an account whose person has proved to be there; `step` is the time step of the
    /// code that was used up.
    ///
    /// # Errors
    /// [`Kind::SignInFailed`] when the code was used meanwhile or the account locked,
    /// [`Kind::StoreUnavailable`].
    pub async fn begin(
        &self,
        id: Uuid,
        step: Option<u64>,
        from: Origin,
    ) -> Result<Begun, ApiError> {
        let now = Utc::now();
        let _one_at_a_time = self.writing.lock().await;
        let user = self
            .change_held(id, |user| {
                let used = step.is_some_and(|step| step <= user.totp_step);
                if user.disabled || used {
                    return Err(failed());
                }
                user.totp_step = step.unwrap_or(user.totp_step);
                user.last_sign_in_at = Some(now);
                Ok(())
            })
            .await?;
        let cookie = token::secret();
        let cookie = cookie.map_err(|error| ApiError::new(Kind::Internal, error.to_string()))?;
        let session = BrowserSession {
            id: Uuid::now_v7(),
            user: id,
            hash: token::hash(&cookie),
            address: from.address.map(|address| address.to_string()),
            agent: from.agent.map(|agent| agent.chars().take(MAX_AGENT).collect()),
            created_at: now,
            seen_at: now,
            expires_at: now + self.lifetime.absolute,
        };
        self.store.add_browser_session(&session).await?;
        self.directory.write().put_browser(session.clone());
        self.end_oldest(id).await?;
        Ok(Begun { user, session, cookie })
    }

    async fn end_oldest(&self, user: Uuid) -> Result<(), ApiError> {
        let mut all = self.directory.read().browsers();
        all.retain(|browser| browser.record.user == user);
        all.sort_by_key(|browser| std::cmp::Reverse(browser.seen.at()));
        let oldest: Vec<_> = all.iter().skip(MAX_SESSIONS).map(|it| it.record.id).collect();
        self.end_sessions(|browser| oldest.contains(&browser.record.id)).await?;
        Ok(())
    }

    /// Ends the sessions for which `goes` says so; gives how many.
    ///
    /// # Errors
    /// [`Kind::StoreUnavailable`]; they are ended here all the same, and in the store when it is back.
    pub async fn end_sessions(
        &self,
        goes: impl Fn(&Browser) -> bool + Send,
    ) -> Result<usize, ApiError> {
        let ended = self.directory.write().end_browsers(goes);
        let ids: Vec<_> = ended.iter().map(|browser| browser.record.id).collect();
        if !ids.is_empty() {
            self.store.end_browser_sessions(&ids).await?;
        }
        Ok(ids.len())
    }

    /// The sessions of an account, the newest first; `current` is the one that asks.
    pub fn sessions(&self, user: Uuid, current: Option<Uuid>) -> Vec<SignedInView> {
        let (now, lifetime) = (Utc::now(), self.lifetime);
        let browsers = self.directory.read().browsers();
        let own = browsers.iter().rev().filter(|browser| {
            browser.record.user == user && !directory::is_over(browser, now, lifetime)
        });
        own.map(|browser| view(browser, current)).collect()
    }

    /// Gives an account another password, proved by the present one. All its other sessions end.
    ///
    /// # Errors
    /// [`Kind::SignInFailed`], [`Kind::InvalidField`], [`Kind::TooManySignIns`].
    pub async fn change_password(
        &self,
        user: &User,
        current: String,
        new: String,
        from: &Origin,
        keep: Option<Uuid>,
    ) -> Result<(), ApiError> {
        let record = &user.record;
        self.prove(user, current, from).await?;
        let hash = self.checked_hash("new", new, &record.email).await?;
        let id = record.id;
        self.change(id, |user| {
            user.password_hash = Some(hash);
            Ok(())
        })
        .await?;
        let others =
            |browser: &Browser| browser.record.user == id && Some(browser.record.id) != keep;
        self.end_sessions(others).await.map(drop)
    }

    /// The person proves once more to be there.
    ///
    /// # Errors
    /// [`Kind::SignInFailed`], [`Kind::TooManySignIns`].
    pub async fn prove(
        &self,
        user: &User,
        password: String,
        from: &Origin,
    ) -> Result<(), ApiError> {
        self.attempt(&user.record.email, from.address)?;
        let hash = user.record.password_hash.clone();
        if self.passwords.verify(password, hash).await? { Ok(()) } else { Err(failed()) }
    }

    /// The hash of a new password, if it is good enough.
    ///
    /// # Errors
    /// [`Kind::InvalidField`].
    pub async fn checked_hash(
        &self,
        field: &str,
        password: String,
        email: &str,
    ) -> Result<String, ApiError> {
        if let Some(message) = password::weakness(&password, email) {
            let field = field.to_owned();
            return Err(ApiError::fields(vec![api::FieldError { field, message }]));
        }
        Ok(self.passwords.hash(password).await?)
    }
}

fn view(browser: &Browser, current: Option<Uuid>) -> SignedInView {
    let record = &browser.record;
    SignedInView {
        id: record.id,
        current: current == Some(record.id),
        created_at: record.created_at,
        seen_at: browser.seen.at().unwrap_or(record.seen_at),
        expires_at: record.expires_at,
        address: record.address.clone(),
        agent: record.agent.clone(),
    }
}

fn too_many(wait: Duration) -> ApiError {
    let seconds = wait.as_secs() + 1;
    let detail = format!("there were too many attempts; try again in {seconds} seconds");
    ApiError::new(Kind::TooManySignIns, detail).with_retry_after(wait)
}

/// One answer for every reason: none of them tells which accounts there are.
fn failed() -> ApiError {
    let detail = "the address, the password or the code is wrong, or the account is locked; a forgotten password is renewed by POST /auth/forgot or by your administrator";
    ApiError::new(Kind::SignInFailed, detail)
}

impl From<HashError> for ApiError {
    fn from(error: HashError) -> Self {
        Self::new(Kind::Internal, error.to_string())
    }
}
