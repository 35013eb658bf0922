//! Links that are good once: the set-up of the first administrator, invitations, and new passwords.
//!
//! What a link holds stands behind a `#`, which browsers do not send: it is in no log.

use std::sync::Arc;
use std::time::Duration;

use api::access::OperatorRole;
use api::people::{AcceptLink, OneTimeLink, SetUp};
use chrono::Utc;
use store::{LinkKind, UserRecord};

use super::People;
use super::accounts::{self, NewUser};
use super::directory::User;
use crate::admission::Mistakes;
use crate::problem::{ApiError, Kind};
use crate::token;

/// How long an invitation is good.
const INVITATION: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long a link for a new password is good.
const RESET: Duration = Duration::from_secs(3600);

impl People {
    /// What the set-up link holds, where nobody is an administrator yet. An earlier one is no longer good.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn setup_token(&self) -> Result<Option<String>, getrandom::Error> {
        let mut setup = self.setup.lock();
        if self.directory.read().has_admin() {
            *setup = None;
            return Ok(None);
        }
        let token = token::secret()?;
        *setup = Some(token::hash(&token));
        Ok(Some(token))
    }

    /// Whether a set-up link waits to be used.
    pub fn needs_setup(&self) -> bool {
        self.setup.lock().is_some()
    }

    /// Makes the first administrator.
    ///
    /// # Errors
    /// [`Kind::LinkNotGood`], [`Kind::InvalidField`], [`Kind::EmailTaken`].
    pub async fn set_up(&self, wish: SetUp) -> Result<Arc<User>, ApiError> {
        let expected = self.setup.lock().clone();
        let matches = expected.is_some_and(|hash| token::equal(&hash, &token::hash(&wish.token)));
        if !matches {
            return Err(not_good());
        }
        let mut mistakes = Mistakes::default();
        let email = mistakes.email(&wish.email);
        let name = mistakes.name(wish.name.as_deref().unwrap_or(&wish.email));
        mistakes.none_or(()).map_err(ApiError::fields)?;
        let hash = self.checked_hash("password", wish.password, &email).await?;
        let _one_at_a_time = self.writing.lock().await;
        // Two who use it at once do not both get in.
        if self.setup.lock().is_none() {
            return Err(not_good());
        }
        let role = Some(OperatorRole::Admin);
        let new = NewUser { email, name, role, memberships: Vec::new(), password_hash: Some(hash) };
        let made = self.create_held(new).await?;
        *self.setup.lock() = None;
        Ok(made)
    }

    /// A link with which an account gets its first or another password. `base` is where the server is
    /// reached.
    ///
    /// # Errors
    /// [`Kind::StoreUnavailable`].
    pub async fn link(&self, user: &UserRecord, base: &str) -> Result<OneTimeLink, ApiError> {
        let (kind, page, good) = match user.password_hash {
            None => (LinkKind::Invitation, "invitation", INVITATION),
            Some(_) => (LinkKind::Reset, "reset", RESET),
        };
        let random = token::secret();
        let random = random.map_err(|error| ApiError::new(Kind::Internal, error.to_string()))?;
        let expires_at = Utc::now() + good;
        self.store.put_link(user.id, kind, &token::hash(&random), expires_at).await?;
        Ok(OneTimeLink { url: format!("{base}/{page}#{random}"), expires_at })
    }

    /// Uses a link: the account has the password from now on, and its sessions end. Gives the account
    /// and what the link was good for.
    ///
    /// # Errors
    /// [`Kind::LinkNotGood`], [`Kind::InvalidField`].
    pub async fn accept(&self, wish: AcceptLink) -> Result<(Arc<User>, LinkKind), ApiError> {
        let hash = token::hash(wish.token.trim());
        let (id, kind) = self.store.link(&hash, Utc::now()).await?.ok_or_else(not_good)?;
        let user = self.directory.read().user(id).ok_or_else(not_good)?;
        let mut record = user.record.clone();
        if let Some(name) = &wish.name {
            let mut mistakes = Mistakes::default();
            record.name = mistakes.name(name);
            mistakes.none_or(()).map_err(ApiError::fields)?;
        }
        let password = self.checked_hash("password", wish.password, &record.email).await?;
        let _one_at_a_time = self.writing.lock().await;
        // The account may have been changed while the password was hashed.
        let user = self.directory.read().user(id).filter(|user| !user.record.disabled);
        let mut fresh = user.ok_or_else(not_good)?.record.clone();
        fresh.password_hash = Some(password);
        fresh.name = record.name;
        if !self.store.use_link(&hash, Utc::now(), &fresh).await? {
            return Err(not_good());
        }
        let mut directory = self.directory.write();
        directory.end_browsers(|browser| browser.record.user == id);
        directory.put_user(fresh);
        let user = directory.user(id).ok_or_else(not_good)?;
        Ok((user, kind))
    }
}

fn not_good() -> ApiError {
    let detail = "the link was used, has expired, or was replaced by a newer one; ask for another (the set-up link is printed by `tenantry server` at each start until it is used)";
    ApiError::new(Kind::LinkNotGood, detail)
}

impl Mistakes {
    /// The address of an account, as it is stored.
    pub fn email(&mut self, email: &str) -> String {
        accounts::email(email).unwrap_or_else(|message| {
            self.add("email", message);
            String::new()
        })
    }
}
