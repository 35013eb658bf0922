//! Keys for programs.

use api::access::Permission;
use api::tenant::TenantId;
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use uuid::Uuid;

use crate::entity::api_key;
use crate::people::KeyRecord;
use crate::{Store, StoreError};

impl Store {
    /// All keys, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn api_keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        let rows = api_key::Entity::find().order_by_asc(api_key::Column::Id).all(&self.db).await?;
        Ok(rows.into_iter().map(record).collect::<Result<_, _>>()?)
    }

    /// Keeps a new key.
    ///
    /// # Errors
    /// [`StoreError::Database`], also when its tenant is no more.
    pub async fn add_api_key(&self, new: &KeyRecord) -> Result<(), StoreError> {
        let scopes: Vec<_> = new.scopes.iter().map(|scope| scope.as_str()).collect();
        let row = api_key::ActiveModel {
            id: Set(new.id),
            name: Set(new.name.clone()),
            prefix: Set(new.prefix.clone()),
            hash: Set(new.hash.clone()),
            scopes: Set(scopes.join(" ")),
            tenant_id: Set(new.tenant.map(|tenant| tenant.0)),
            created_by: Set(new.created_by.clone()),
            created_at: Set(new.created_at),
            expires_at: Set(new.expires_at),
            last_used_at: Set(new.last_used_at),
        };
        api_key::Entity::insert(row).exec_without_returning(&self.db).await?;
        Ok(())
    }

    /// Deletes a key. False: there is none with this id.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn delete_api_key(&self, id: Uuid) -> Result<bool, StoreError> {
        let deleted = api_key::Entity::delete_by_id(id).exec(&self.db).await?;
        Ok(deleted.rows_affected > 0)
    }

    /// Notes when keys were last used.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn note_api_keys(&self, used: &[(Uuid, DateTime<Utc>)]) -> Result<(), StoreError> {
        let transaction = self.db.begin().await?;
        for (id, at) in used {
            api_key::Entity::update_many()
                .col_expr(api_key::Column::LastUsedAt, Expr::value(Some(*at)))
                .filter(api_key::Column::Id.eq(*id))
                .exec(&transaction)
                .await?;
        }
        Ok(transaction.commit().await?)
    }
}

fn record(row: api_key::Model) -> Result<KeyRecord, DbErr> {
    let scopes = row.scopes.split_whitespace().map(|word| word.parse::<Permission>());
    Ok(KeyRecord {
        id: row.id,
        name: row.name,
        prefix: row.prefix,
        hash: row.hash,
        scopes: scopes.collect::<Result<_, _>>().map_err(DbErr::Type)?,
        tenant: row.tenant_id.map(TenantId),
        created_by: row.created_by,
        created_at: row.created_at,
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
    })
}
