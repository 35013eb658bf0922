//! Links with which a tenant's WhatsApp is connected: nothing of one is stored, but for what takes them back.

use api::tenant::TenantId;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _};

use super::tenants::one;
use crate::entity::tenant::{Column, Entity};
use crate::{Store, StoreError, TenantRecord};

impl Store {
    /// Begins another epoch of a tenant's links: those of the ones before are no longer good.
    ///
    /// # Errors
    /// [`StoreError::UnknownTenant`], [`StoreError::Database`].
    pub async fn take_pair_links_back(&self, id: TenantId) -> Result<TenantRecord, StoreError> {
        let transaction = self.db.begin().await?;
        let changed = Entity::update_many()
            .col_expr(Column::PairEpoch, Expr::col(Column::PairEpoch).add(1))
            .filter(Column::Id.eq(id.0))
            .exec(&transaction)
            .await?;
        if changed.rows_affected == 0 {
            return Err(StoreError::UnknownTenant(id));
        }
        let record = one(&transaction, id).await?;
        transaction.commit().await?;
        Ok(record)
    }
}
