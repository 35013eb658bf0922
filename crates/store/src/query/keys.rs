//! The hashes of the keys to the API.

use chrono::Utc;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait as _;
use sea_orm::sea_query::OnConflict;

use crate::entity::api_key;
use crate::{Store, StoreError};

impl Store {
    /// The hash of the key with this name.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn api_key(&self, name: &str) -> Result<Option<String>, StoreError> {
        let key = api_key::Entity::find_by_id(name.to_owned()).one(&self.db).await?;
        Ok(key.map(|key| key.hash))
    }

    /// Keeps the hash of a key; an older one of this name is no longer good.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn put_api_key(&self, name: &str, hash: &str) -> Result<(), StoreError> {
        let key = api_key::ActiveModel {
            name: Set(name.to_owned()),
            hash: Set(hash.to_owned()),
            created_at: Set(Utc::now()),
        };
        let replace = OnConflict::column(api_key::Column::Name)
            .update_columns([api_key::Column::Hash, api_key::Column::CreatedAt])
            .to_owned();
        api_key::Entity::insert(key).on_conflict(replace).exec_without_returning(&self.db).await?;
        Ok(())
    }
}
