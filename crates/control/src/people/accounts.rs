//! Accounts as the operator's administrators and tenants' owners change them.

use std::sync::Arc;

use api::TenantId;
use api::access::{OperatorRole, TenantRole};
use api::people::{MembershipView, PersonView, UserView};
use chrono::Utc;
use store::UserRecord;
use uuid::Uuid;

use super::People;
use super::directory::User;
use crate::fleet::Fleet;
use crate::problem::{ApiError, Kind};

/// The longest address (RFC 5321).
const MAX_EMAIL: usize = 254;
/// The most accounts: more is somebody's mistake, and they are held in memory.
const MAX_USERS: usize = 100_000;

/// An address in the form in which accounts are found by it, or what is wrong with it.
///
/// # Errors
/// What is wrong with it.
pub fn email(text: &str) -> Result<String, String> {
    let email = text.trim().to_lowercase();
    let plausible = email
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    let unfit = |c: char| c.is_control() || c.is_whitespace() || "<>,;\"\\()".contains(c);
    if !plausible || email.len() > MAX_EMAIL || email.chars().any(unfit) {
        return Err("is no e-mail address such as amina@example.com".to_owned());
    }
    Ok(email)
}

/// What a new account is to be.
pub struct NewUser {
    /// The address, as [`email`] gives it.
    pub email: String,
    /// The name.
    pub name: String,
    /// A role among the operator's people.
    pub role: Option<OperatorRole>,
    /// Places among tenants' own people.
    pub memberships: Vec<(TenantId, TenantRole)>,
    /// The hash of a password that is set already.
    pub password_hash: Option<String>,
}

impl People {
    /// Makes an account.
    ///
    /// # Errors
    /// [`Kind::EmailTaken`], [`Kind::StoreUnavailable`].
    pub async fn create(&self, new: NewUser) -> Result<Arc<User>, ApiError> {
        let _one_at_a_time = self.writing.lock().await;
        self.create_held(new).await
    }

    /// The same where the right to write is held.
    pub(super) async fn create_held(&self, new: NewUser) -> Result<Arc<User>, ApiError> {
        if self.directory.read().users().len() >= MAX_USERS {
            let detail = format!("there are {MAX_USERS} accounts already; delete some");
            return Err(ApiError::new(Kind::EmailTaken, detail));
        }
        let record = UserRecord {
            id: Uuid::now_v7(),
            email: new.email,
            name: new.name,
            role: new.role,
            memberships: new.memberships,
            password_hash: new.password_hash,
            totp_secret: None,
            totp_step: 0,
            disabled: false,
            created_at: Utc::now(),
            last_sign_in_at: None,
        };
        let id = record.id;
        self.store.create_user(&record).await?;
        let mut directory = self.directory.write();
        directory.put_user(record);
        directory.user(id).ok_or_else(|| unknown_user(&id.to_string()))
    }

    /// Changes an account. `change` says what it becomes; nothing is changed when it says no.
    ///
    /// # Errors
    /// [`Kind::UnknownUser`], [`Kind::LastAdmin`], those of `change`.
    pub async fn change(
        &self,
        id: Uuid,
        change: impl FnOnce(&mut UserRecord) -> Result<(), ApiError> + Send,
    ) -> Result<Arc<User>, ApiError> {
        let _one_at_a_time = self.writing.lock().await;
        self.change_held(id, change).await
    }

    /// The same where the right to write is held.
    pub(super) async fn change_held(
        &self,
        id: Uuid,
        change: impl FnOnce(&mut UserRecord) -> Result<(), ApiError> + Send,
    ) -> Result<Arc<User>, ApiError> {
        let unknown = || unknown_user(&id.to_string());
        let before = self.directory.read().user(id).ok_or_else(unknown)?;
        let mut record = before.record.clone();
        change(&mut record)?;
        if record == before.record {
            return Ok(before);
        }
        let is_admin = |user: &UserRecord| user.role == Some(OperatorRole::Admin) && !user.disabled;
        if is_admin(&before.record) && !is_admin(&record) {
            self.not_the_last_admin(id)?;
        }
        self.store.save_user(&record).await?;
        let locked = record.disabled;
        let after = {
            let mut directory = self.directory.write();
            directory.put_user(record);
            directory.user(id).ok_or_else(unknown)?
        };
        if locked {
            self.end_sessions(|browser| browser.record.user == id).await?;
        }
        Ok(after)
    }

    /// Deletes an account; its sessions end.
    ///
    /// # Errors
    /// [`Kind::UnknownUser`], [`Kind::LastAdmin`].
    pub async fn delete(&self, id: Uuid) -> Result<(), ApiError> {
        let _one_at_a_time = self.writing.lock().await;
        let user = self.directory.read().user(id);
        let user = user.ok_or_else(|| unknown_user(&id.to_string()))?;
        if user.record.role == Some(OperatorRole::Admin) {
            self.not_the_last_admin(id)?;
        }
        self.store.delete_user(id).await?;
        self.directory.write().remove_user(id);
        Ok(())
    }

    fn not_the_last_admin(&self, id: Uuid) -> Result<(), ApiError> {
        if self.directory.read().has_other_admin(id) {
            return Ok(());
        }
        let detail = "this is the only administrator who can sign in; make another one first";
        Err(ApiError::new(Kind::LastAdmin, detail))
    }

    /// A tenant is no more.
    pub fn forget_tenant(&self, tenant: TenantId) {
        self.directory.write().forget_tenant(tenant);
    }

    /// The account that an administrator names by its id or address.
    ///
    /// # Errors
    /// [`Kind::UnknownUser`].
    pub fn find(&self, named: &str) -> Result<Arc<User>, ApiError> {
        let directory = self.directory.read();
        let by_id = named.parse().ok().and_then(|id| directory.user(id));
        let by_email = || directory.user_by_email(&named.trim().to_lowercase());
        by_id.or_else(by_email).ok_or_else(|| unknown_user(named))
    }

    /// A tenant's own people.
    pub fn of_tenant(&self, tenant: TenantId) -> Vec<PersonView> {
        let place = |user: &Arc<User>| {
            let mut places = user.record.memberships.iter();
            let role = places.find(|(id, _)| *id == tenant)?.1;
            let (id, email, name) =
                (user.record.id, user.record.email.clone(), user.record.name.clone());
            Some(PersonView { id, email, name, role })
        };
        self.directory.read().users().iter().filter_map(place).collect()
    }
}

fn unknown_user(named: &str) -> ApiError {
    let named: String = named.chars().take(80).collect();
    let detail = format!("no account has the id or address {named:?}; `tenantry user` lists all");
    ApiError::new(Kind::UnknownUser, detail)
}

/// An account as the API shows it.
#[must_use]
pub fn view(user: &UserRecord, fleet: &Fleet) -> UserView {
    let place = |(tenant_id, role): &(TenantId, TenantRole)| {
        let member = fleet.get(*tenant_id)?;
        let name = member.snapshot().record.name.clone();
        Some(MembershipView { tenant_id: *tenant_id, name, role: *role })
    };
    UserView {
        id: user.id,
        email: user.email.clone(),
        name: user.name.clone(),
        role: user.role,
        tenants: user.memberships.iter().filter_map(place).collect(),
        has_password: user.password_hash.is_some(),
        has_totp: user.totp_secret.is_some(),
        disabled: user.disabled,
        created_at: user.created_at,
        last_sign_in_at: user.last_sign_in_at,
    }
}
