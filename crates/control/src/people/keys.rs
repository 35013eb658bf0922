//! Keys for programs: made, listed, and taken back.

use api::TenantId;
use api::access::{KeyView, NewKey, Permission};
use chrono::{DateTime, Utc};
use store::KeyRecord;
use uuid::Uuid;

use super::People;
use super::directory::Key;
use crate::problem::{ApiError, Kind};
use crate::token;

/// What every key begins with, so that one that was published by mistake is known for what it is.
pub const PREFIX: &str = "tnt_";
/// So many characters of a key are shown, to know it again.
const SHOWN: usize = PREFIX.len() + 8;
/// The most keys: they are held in memory.
const MAX_KEYS: usize = 100_000;

/// What a new key is to be; it was checked.
pub struct NewApiKey {
    /// What its maker calls it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Permission>,
    /// The tenant that it is good for; none: all.
    pub tenant: Option<TenantId>,
    /// Who makes it.
    pub created_by: String,
    /// From when on it is no longer good.
    pub expires_at: Option<DateTime<Utc>>,
}

impl People {
    /// Makes a key. Its secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// [`Kind::StoreUnavailable`], [`Kind::TooManyKeys`].
    pub async fn create_key(&self, new: NewApiKey) -> Result<NewKey, ApiError> {
        let random = token::secret();
        let random = random.map_err(|error| ApiError::new(Kind::Internal, error.to_string()))?;
        let secret = format!("{PREFIX}{random}");
        let mut scopes = new.scopes;
        scopes.sort_unstable();
        scopes.dedup();
        let record = KeyRecord {
            id: Uuid::now_v7(),
            name: new.name,
            prefix: secret[..SHOWN].to_owned(),
            hash: token::hash(&secret),
            scopes,
            tenant: new.tenant,
            created_by: new.created_by,
            created_at: Utc::now(),
            expires_at: new.expires_at,
            last_used_at: None,
        };
        let _one_at_a_time = self.writing.lock().await;
        if self.directory.read().keys().len() >= MAX_KEYS {
            let detail = format!("there are {MAX_KEYS} keys already; delete some");
            return Err(ApiError::new(Kind::TooManyKeys, detail));
        }
        self.store.add_api_key(&record).await?;
        let view = view(&record, None);
        self.directory.write().put_key(record);
        Ok(NewKey { key: view, secret })
    }

    /// All keys, or those of one tenant, oldest first.
    pub fn keys(&self, tenant: Option<TenantId>) -> Vec<KeyView> {
        let keys = self.directory.read().keys();
        let wanted = keys.iter().filter(|key| tenant.is_none() || key.record.tenant == tenant);
        wanted.map(|key: &std::sync::Arc<Key>| view(&key.record, key.used.at())).collect()
    }

    /// Deletes a key: from now on it is not good for anything. Gives what it was.
    ///
    /// # Errors
    /// [`Kind::UnknownKey`], [`Kind::StoreUnavailable`].
    pub async fn delete_key(&self, id: Uuid) -> Result<KeyView, ApiError> {
        let _one_at_a_time = self.writing.lock().await;
        let keys = self.keys(None);
        let deleted = self.store.delete_api_key(id).await?;
        self.directory.write().remove_key(id);
        let key = keys.into_iter().find(|key| key.id == id).filter(|_| deleted);
        key.ok_or_else(|| {
            let detail = format!("no key has the id {id}; `tenantry key` lists all");
            ApiError::new(Kind::UnknownKey, detail)
        })
    }
}

fn view(key: &KeyRecord, used: Option<DateTime<Utc>>) -> KeyView {
    KeyView {
        id: key.id,
        name: key.name.clone(),
        prefix: key.prefix.clone(),
        scopes: key.scopes.clone(),
        tenant_id: key.tenant,
        created_by: key.created_by.clone(),
        created_at: key.created_at,
        expires_at: key.expires_at,
        last_used_at: used.or(key.last_used_at),
    }
}
