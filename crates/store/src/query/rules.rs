//! Reply rules and pacing: part of a tenant's settings, with a version in common.

use api::pacing::Pacing;
use api::tenant::TenantId;
use chrono::Utc;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _};
use serde_json::Value;

use super::tenants::one;
use crate::db::Transaction;
use crate::entity::{tenant, tenant_config};
use crate::{Store, StoreError, TenantRecord};

impl Store {
    /// Replaces a tenant's rules; `None` takes them away. A `secret` becomes the webhook's, without
    /// one the webhook's stays.
    ///
    /// # Errors
    /// [`StoreError::UnknownTenant`], [`StoreError::Database`].
    pub async fn set_rules(
        &self,
        id: TenantId,
        rules: Option<Value>,
        secret: Option<String>,
    ) -> Result<TenantRecord, StoreError> {
        let mut row = tenant_config::ActiveModel { rules: Set(rules), ..Default::default() };
        if secret.is_some() {
            row.webhook_secret = Set(secret);
        }
        self.change_config(id, row).await
    }

    /// Replaces the secret of a tenant's webhook.
    ///
    /// # Errors
    /// [`StoreError::UnknownTenant`], [`StoreError::Database`].
    pub async fn set_webhook_secret(
        &self,
        id: TenantId,
        secret: String,
    ) -> Result<TenantRecord, StoreError> {
        let webhook_secret = Set(Some(secret));
        self.change_config(id, tenant_config::ActiveModel { webhook_secret, ..Default::default() })
            .await
    }

    /// Replaces a tenant's pacing.
    ///
    /// # Errors
    /// [`StoreError::UnknownTenant`], [`StoreError::Database`].
    pub async fn set_pacing(
        &self,
        id: TenantId,
        pacing: &Pacing,
    ) -> Result<TenantRecord, StoreError> {
        let json = serde_json::to_value(pacing).map_err(|error| DbErr::Type(error.to_string()))?;
        let row = tenant_config::ActiveModel { pacing: Set(Some(json)), ..Default::default() };
        self.change_config(id, row).await
    }

    async fn change_config(
        &self,
        id: TenantId,
        mut row: tenant_config::ActiveModel,
    ) -> Result<TenantRecord, StoreError> {
        let transaction = self.db.begin().await?;
        touch(&transaction, id).await?;
        let now = one(&transaction, id).await?;
        row.tenant_id = Set(id.0);
        row.version = Set((now.config_version + 1).cast_signed());
        row.update(&transaction).await?;
        let record = one(&transaction, id).await?;
        transaction.commit().await?;
        Ok(record)
    }
}

/// Notes that a person changed a tenant. Writes first, so that SQLite lets no second writer in between
/// what is looked up and what is written.
pub(super) async fn touch(transaction: &Transaction, id: TenantId) -> Result<(), StoreError> {
    let touched = tenant::Entity::update_many()
        .col_expr(tenant::Column::UpdatedAt, Expr::value(Utc::now()))
        .filter(tenant::Column::Id.eq(id.0))
        .exec(transaction)
        .await?;
    if touched.rows_affected == 0 { Err(StoreError::UnknownTenant(id)) } else { Ok(()) }
}
