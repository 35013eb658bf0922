//! The hash of the installation's own token.

use chrono::Utc;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait as _;
use sea_orm::sea_query::OnConflict;

use crate::entity::installation_key;
use crate::{Store, StoreError};

impl Store {
    /// The hash of the key with this name.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn installation_key(&self, name: &str) -> Result<Option<String>, StoreError> {
        let key = installation_key::Entity::find_by_id(name.to_owned()).one(&self.db).await?;
        Ok(key.map(|key| key.hash))
    }

    /// Keeps the hash of a key; an older one of this name is no longer good.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn put_installation_key(&self, name: &str, hash: &str) -> Result<(), StoreError> {
        let key = installation_key::ActiveModel {
            name: Set(name.to_owned()),
            hash: Set(hash.to_owned()),
            created_at: Set(Utc::now()),
        };
        let replace = OnConflict::column(installation_key::Column::Name)
            .update_columns([installation_key::Column::Hash, installation_key::Column::CreatedAt])
            .to_owned();
        installation_key::Entity::insert(key)
            .on_conflict(replace)
            .exec_without_returning(&self.db)
            .await?;
        Ok(())
    }
}
