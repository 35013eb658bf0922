//! Everybody who may come in, in memory: accounts, browsers that are signed in, and keys. Requests are
//! told apart by it alone, so that none of them waits for the database.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use api::TenantId;
use api::access::OperatorRole;
use chrono::{DateTime, Utc};
use store::{BrowserSession, KeyRecord, UserRecord};
use tokio::sync::watch;
use uuid::Uuid;

use crate::audit::Actor;
use crate::grant::{Grant, Permissions, Place, Principal};

/// How long a browser may be idle and how long it stays signed in at all.
#[derive(Clone, Copy, Debug)]
pub struct Lifetime {
    /// Without a request for so long, a session ends.
    pub idle: Duration,
    /// So long after it was begun, it ends in any case.
    pub absolute: Duration,
}

/// When something was last used, in seconds since 1970; and whether the database knows.
#[derive(Debug)]
pub struct LastUse {
    at: AtomicI64,
    noted: AtomicI64,
}

impl LastUse {
    fn new(at: Option<DateTime<Utc>>) -> Self {
        let at = at.map_or(0, |at| at.timestamp());
        Self { at: AtomicI64::new(at), noted: AtomicI64::new(at) }
    }

    fn touch(&self, now: DateTime<Utc>) {
        self.at.fetch_max(now.timestamp(), Ordering::Relaxed);
    }

    /// The time; `None`: never.
    pub fn at(&self) -> Option<DateTime<Utc>> {
        let at = self.at.load(Ordering::Relaxed);
        if at == 0 { None } else { DateTime::from_timestamp(at, 0) }
    }

    /// The time, if it is news since it was last asked for.
    pub fn take_news(&self) -> Option<DateTime<Utc>> {
        let at = self.at.load(Ordering::Relaxed);
        let before = self.noted.swap(at, Ordering::Relaxed);
        if before == at { None } else { DateTime::from_timestamp(at, 0) }
    }
}

/// An account, and what it may do.
pub struct User {
    /// The account.
    pub record: UserRecord,
    /// Who it is.
    pub principal: Arc<Principal>,
}

/// A browser that is signed in.
pub struct Browser {
    /// The session.
    pub record: BrowserSession,
    /// When it was last used.
    pub seen: LastUse,
}

/// A key for a program.
pub struct Key {
    /// The key.
    pub record: KeyRecord,
    /// Who it is.
    pub principal: Arc<Principal>,
    /// When it was last used.
    pub used: LastUse,
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// There is no such key or session, or not any more.
    Unknown,
    /// It was good until some time ago.
    Expired,
    /// The account is locked.
    Locked,
}

/// See the module.
#[derive(Default)]
pub struct Directory {
    /// Grows whenever something may no longer be good that was.
    changes: watch::Sender<u64>,
    users: HashMap<Uuid, Arc<User>>,
    by_email: HashMap<String, Uuid>,
    /// By the hash of the cookie.
    browsers: HashMap<String, Arc<Browser>>,
    /// By the hash of the secret.
    keys: HashMap<String, Arc<Key>>,
}

impl Directory {
    /// Tells when something may no longer be good that was.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Something may no longer be good that was.
    pub fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// What the store holds.
    pub fn new(
        users: Vec<UserRecord>,
        browsers: Vec<BrowserSession>,
        keys: Vec<KeyRecord>,
    ) -> Self {
        let mut directory = Self::default();
        users.into_iter().for_each(|user| directory.put_user(user));
        browsers.into_iter().for_each(|browser| directory.put_browser(browser));
        keys.into_iter().for_each(|key| directory.put_key(key));
        directory
    }

    /// Takes an account in, or what has become of it.
    pub fn put_user(&mut self, record: UserRecord) {
        self.changed();
        self.by_email.insert(record.email.clone(), record.id);
        let principal = Arc::new(principal_of(&record));
        self.users.insert(record.id, Arc::new(User { record, principal }));
    }

    /// Forgets an account and its browsers.
    pub fn remove_user(&mut self, id: Uuid) {
        self.changed();
        if let Some(user) = self.users.remove(&id) {
            self.by_email.remove(&user.record.email);
        }
        self.browsers.retain(|_, browser| browser.record.user != id);
    }

    /// Takes a session in.
    pub fn put_browser(&mut self, record: BrowserSession) {
        let seen = LastUse::new(Some(record.seen_at));
        self.browsers.insert(record.hash.clone(), Arc::new(Browser { record, seen }));
    }

    /// Forgets the sessions for which `goes` says so, and gives them.
    pub fn end_browsers(&mut self, goes: impl Fn(&Browser) -> bool) -> Vec<Arc<Browser>> {
        self.changed();
        self.browsers.extract_if(|_, browser| goes(browser)).map(|(_, browser)| browser).collect()
    }

    /// Takes a key in.
    pub fn put_key(&mut self, record: KeyRecord) {
        let actor = Actor::Key(format!("{} ({}…)", record.name, record.prefix).into());
        let place = record.tenant.map_or(Place::Fleet, Place::Tenant);
        let principal = Principal::with(actor, place, &record.scopes);
        let used = LastUse::new(record.last_used_at);
        self.keys.insert(record.hash.clone(), Arc::new(Key { record, principal, used }));
    }

    /// Forgets a key.
    pub fn remove_key(&mut self, id: Uuid) {
        self.changed();
        self.keys.retain(|_, key| key.record.id != id);
    }

    /// A tenant is no more: neither are its keys, nor its people's places.
    pub fn forget_tenant(&mut self, tenant: TenantId) {
        self.changed();
        self.keys.retain(|_, key| key.record.tenant != Some(tenant));
        let is_there = |user: &UserRecord| user.memberships.iter().any(|(id, _)| *id == tenant);
        let left: Vec<_> =
            self.users.values().filter(|user| is_there(&user.record)).map(Arc::clone).collect();
        for user in left {
            let mut record = user.record.clone();
            record.memberships.retain(|(id, _)| *id != tenant);
            self.put_user(record);
        }
    }

    /// The account with this id.
    pub fn user(&self, id: Uuid) -> Option<Arc<User>> {
        self.users.get(&id).cloned()
    }

    /// The account with this address, in small letters.
    pub fn user_by_email(&self, email: &str) -> Option<Arc<User>> {
        self.user(*self.by_email.get(email)?)
    }

    /// All accounts, oldest first.
    pub fn users(&self) -> Vec<Arc<User>> {
        let mut users: Vec<_> = self.users.values().cloned().collect();
        users.sort_by_key(|user| user.record.id);
        users
    }

    /// How many accounts there are.
    pub fn user_count(&self) -> usize {
        self.users.len()
    }

    /// All sessions, oldest first.
    pub fn browsers(&self) -> Vec<Arc<Browser>> {
        let mut browsers: Vec<_> = self.browsers.values().cloned().collect();
        browsers.sort_by_key(|browser| browser.record.id);
        browsers
    }

    /// All keys, oldest first.
    pub fn keys(&self) -> Vec<Arc<Key>> {
        let mut keys: Vec<_> = self.keys.values().cloned().collect();
        keys.sort_by_key(|key| key.record.id);
        keys
    }

    /// Whether somebody is an administrator who can sign in.
    pub fn has_admin(&self) -> bool {
        self.users.values().any(|user| is_admin(&user.record))
    }

    /// Whether somebody other than this account is an administrator who can sign in.
    pub fn has_other_admin(&self, than: Uuid) -> bool {
        self.users.values().any(|user| user.record.id != than && is_admin(&user.record))
    }

    /// Who has the key with this hash.
    ///
    /// # Errors
    /// [`Stranger`].
    pub fn by_key(&self, hash: &str, now: DateTime<Utc>) -> Result<Arc<Key>, Stranger> {
        let key = self.keys.get(hash).ok_or(Stranger::Unknown)?;
        if key.record.expires_at.is_some_and(|end| end <= now) {
            return Err(Stranger::Expired);
        }
        key.used.touch(now);
        Ok(Arc::clone(key))
    }

    /// Who sits at the browser whose cookie has this hash, and uses it now.
    ///
    /// # Errors
    /// [`Stranger`].
    pub fn by_cookie(
        &self,
        hash: &str,
        now: DateTime<Utc>,
        lifetime: Lifetime,
    ) -> Result<(Arc<User>, Arc<Browser>), Stranger> {
        let found = self.signed_in(hash, now, lifetime)?;
        found.1.seen.touch(now);
        Ok(found)
    }

    /// The same without counting as a use: what goes on by itself keeps nobody signed in.
    ///
    /// # Errors
    /// [`Stranger`].
    pub fn signed_in(
        &self,
        hash: &str,
        now: DateTime<Utc>,
        lifetime: Lifetime,
    ) -> Result<(Arc<User>, Arc<Browser>), Stranger> {
        let browser = self.browsers.get(hash).ok_or(Stranger::Unknown)?;
        if is_over(browser, now, lifetime) {
            return Err(Stranger::Expired);
        }
        let user = self.users.get(&browser.record.user).ok_or(Stranger::Unknown)?;
        if user.record.disabled {
            return Err(Stranger::Locked);
        }
        Ok((Arc::clone(user), Arc::clone(browser)))
    }
}

/// Whether a session has ended by itself.
pub fn is_over(browser: &Browser, now: DateTime<Utc>, lifetime: Lifetime) -> bool {
    let idle = browser.seen.at().is_none_or(|seen| {
        now.signed_duration_since(seen).to_std().is_ok_and(|idle| idle > lifetime.idle)
    });
    idle || browser.record.expires_at <= now
}

fn is_admin(user: &UserRecord) -> bool {
    user.role == Some(OperatorRole::Admin) && !user.disabled && user.password_hash.is_some()
}

fn principal_of(user: &UserRecord) -> Principal {
    let of_fleet = user.role.map(|role| Grant {
        place: Place::Fleet,
        permissions: Permissions::of(role.permissions()),
    });
    let of_tenants = user.memberships.iter().map(|(tenant, role)| Grant {
        place: Place::Tenant(*tenant),
        permissions: Permissions::of(role.permissions()),
    });
    Principal {
        actor: Actor::User(user.email.as_str().into()),
        grants: of_fleet.into_iter().chain(of_tenants).collect(),
    }
}
