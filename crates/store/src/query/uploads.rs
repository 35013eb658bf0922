//! Files that were uploaded to be sent: whose they are, and when they may be deleted.

use api::records::MessageState;
use api::tenant::TenantId;
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, DbErr, EntityTrait as _, ExprTrait as _,
    QueryFilter as _, QuerySelect as _, Select,
};
use uuid::Uuid;

use super::audit;
use crate::db::Transaction;
use crate::entity::outgoing;
use crate::entity::upload::{self, Column, Entity};
use crate::lock;
use crate::words::word;
use crate::{NewAudit, NewUpload, Store, StoreError};

impl Store {
    /// Notes a file that lies in its place, and `audit` in the audit log, unless the tenant's files would then be
    /// more than `most` bytes together; gives whether it was noted.
    ///
    /// # Errors
    /// [`StoreError::Database`], also when the tenant is no more.
    pub async fn add_upload(
        &self,
        new: &NewUpload,
        audit: NewAudit,
        most: u64,
    ) -> Result<bool, StoreError> {
        let transaction = self.db.begin().await?;
        // No other file may be noted between this one and the look how much room there is.
        lock::tenant(&transaction, new.tenant).await?;
        let row = upload::ActiveModel {
            id: Set(new.id),
            tenant_id: Set(new.tenant.0),
            sha256: Set(new.sha256.clone()),
            size: Set(new.size.cast_signed()),
            created_at: Set(new.at),
            outgoing_id: Set(None),
            deleted_at: Set(None),
        };
        row.insert(&transaction).await?;
        let sizes: Vec<i64> = Entity::find()
            .select_only()
            .column(Column::Size)
            .filter(Column::TenantId.eq(new.tenant.0))
            .filter(Column::DeletedAt.is_null())
            .into_tuple()
            .all(&transaction)
            .await?;
        if sizes.into_iter().map(i64::cast_unsigned).sum::<u64>() > most {
            return Ok(false);
        }
        audit::append(&transaction, audit).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The SHA-256 of a tenant's upload, also after its file was deleted.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn upload_hash(
        &self,
        tenant: TenantId,
        id: Uuid,
    ) -> Result<Option<String>, StoreError> {
        let found = Entity::find_by_id(id).filter(Column::TenantId.eq(tenant.0));
        Ok(found.one(&self.db).await?.map(|row| row.sha256))
    }

    /// The uploads whose files are of no more use: those of settled messages, and those that no
    /// message named before `unused`.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn useless_uploads(
        &self,
        unused: DateTime<Utc>,
    ) -> Result<Vec<(TenantId, Uuid)>, StoreError> {
        let rows = useless(unused)?.all(&self.db).await?;
        Ok(rows.into_iter().map(|row| (TenantId(row.tenant_id), row.id)).collect())
    }

    /// Notes that an upload's file is gone.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn upload_deleted(&self, id: Uuid) -> Result<(), StoreError> {
        Entity::update_many()
            .col_expr(Column::DeletedAt, Expr::value(Some(Utc::now())))
            .filter(Column::Id.eq(id))
            .exec(&self.db)
            .await?;
        Ok(())
    }

    /// Whether a tenant has an upload, with its file.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn is_upload(&self, tenant: TenantId, id: Uuid) -> Result<bool, StoreError> {
        let found = Entity::find_by_id(id)
            .filter(Column::TenantId.eq(tenant.0))
            .filter(Column::DeletedAt.is_null());
        Ok(found.one(&self.db).await?.is_some())
    }
}

/// The files that lie here are few, the rows of deleted ones many, and so may be the messages that wait:
/// it is asked of each file whether its message waits.
fn useless(unused: DateTime<Utc>) -> Result<Select<Entity>, DbErr> {
    let waiting = Query::select()
        .expr(Expr::val(1))
        .from(outgoing::Entity)
        .and_where(outgoing::Column::Id.into_expr().equals(Column::OutgoingId.as_column_ref()))
        .and_where(outgoing::Column::State.eq(word(MessageState::Queued)?))
        .to_owned();
    let settled =
        Condition::all().add(Column::OutgoingId.is_not_null()).add(Expr::exists(waiting).not());
    let forgotten =
        Condition::all().add(Column::OutgoingId.is_null()).add(Column::CreatedAt.lt(unused));
    Ok(Entity::find()
        .filter(Column::DeletedAt.is_null())
        .filter(Condition::any().add(settled).add(forgotten)))
}

/// Binds an upload to its message; `false` when there is no such upload that is still free.
pub(super) async fn claim(
    transaction: &Transaction,
    tenant: TenantId,
    id: Uuid,
    message: Uuid,
) -> Result<bool, DbErr> {
    let claimed = Entity::update_many()
        .col_expr(Column::OutgoingId, Expr::value(Some(message)))
        .filter(Column::Id.eq(id))
        .filter(Column::TenantId.eq(tenant.0))
        .filter(Column::OutgoingId.is_null())
        .filter(Column::DeletedAt.is_null())
        .exec(transaction)
        .await?;
    Ok(claimed.rows_affected == 1)
}

#[cfg(test)]
mod tests {
    use sea_orm::{DbBackend, QueryTrait as _};

    use super::*;
    use crate::query::plan;

    #[tokio::test]
    async fn the_look_for_useless_files_reads_no_whole_table() {
        let found = plan(useless(Utc::now()).unwrap().build(DbBackend::Sqlite)).await;
        assert!(found.contains("SEARCH upload USING INDEX upload_of_use"), "{found}");
        assert!(!found.contains("SCAN"), "{found}");
    }
}
