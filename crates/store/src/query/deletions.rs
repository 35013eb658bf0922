//! Deletions that were begun: a tenant's row is gone in a moment, its files are not.

use api::tenant::TenantId;
use chrono::Utc;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{DbErr, EntityTrait as _, QueryOrder as _};

use crate::entity::deletion::{ActiveModel, Column, Entity, Model};
use crate::words::{value, word};
use crate::{Deletion, Store, StoreError};

impl Store {
    /// Writes down that a tenant is to be deleted, so that it is finished whatever comes in between. To
    /// write it down a second time changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn begin_deletion(&self, deletion: &Deletion) -> Result<(), StoreError> {
        let row = ActiveModel {
            tenant_id: Set(deletion.tenant.0),
            worker_name: Set(deletion.worker_name.clone()),
            runtime: Set(word(deletion.runtime)?),
            begun_at: Set(Utc::now()),
        };
        let once = OnConflict::column(Column::TenantId).do_nothing().to_owned();
        Entity::insert(row).on_conflict(once).exec_without_returning(&self.db).await?;
        Ok(())
    }

    /// The deletions that were begun and neither finished nor called off, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn deletions(&self) -> Result<Vec<Deletion>, StoreError> {
        let read = |row: Model| {
            Ok::<_, DbErr>(Deletion {
                tenant: TenantId(row.tenant_id),
                worker_name: row.worker_name,
                runtime: value(&row.runtime)?,
            })
        };
        let rows = Entity::find().order_by_asc(Column::BegunAt).all(&self.db).await?;
        Ok(rows.into_iter().map(read).collect::<Result<_, _>>()?)
    }

    /// Strikes a deletion off: nothing of the tenant is left, or the tenant stays after all.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn end_deletion(&self, tenant: TenantId) -> Result<(), StoreError> {
        Entity::delete_by_id(tenant.0).exec(&self.db).await?;
        Ok(())
    }
}
