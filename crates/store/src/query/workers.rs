//! Workers and sessions: what is wanted, and what was observed.

use api::session::SessionState;
use api::tenant::TenantId;
use api::worker::{DesiredState, RuntimeKind};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _};

use crate::entity::{whatsapp_session, worker_process};
use crate::words::word;
use crate::{Observed, SessionRecord, Store, StoreError};

impl Store {
    /// Writes that a worker shall run in a new generation, and gives its number.
    ///
    /// # Errors
    /// [`StoreError::UnknownTenant`], [`StoreError::Database`].
    pub async fn want_running(&self, tenant: TenantId) -> Result<u64, StoreError> {
        use worker_process::Column;
        let transaction = self.db.begin().await?;
        let changed = worker_process::Entity::update_many()
            .col_expr(Column::Desired, Expr::value(word(DesiredState::Running)?))
            .col_expr(Column::Generation, Expr::col(Column::Generation).add(1))
            .col_expr(Column::LastError, Expr::value(Option::<String>::None))
            .filter(Column::TenantId.eq(tenant.0))
            .exec(&transaction)
            .await?;
        let row = worker_process::Entity::find_by_id(tenant.0).one(&transaction).await?;
        let row = row.filter(|_| changed.rows_affected == 1);
        let row = row.ok_or(StoreError::UnknownTenant(tenant))?;
        transaction.commit().await?;
        Ok(row.generation.cast_unsigned())
    }

    /// Writes that a worker runs elsewhere from now on, and gives its generation: a new one when it is
    /// wanted to run, so that nothing that the old place might bring up again is listened to.
    ///
    /// # Errors
    /// [`StoreError::UnknownTenant`], [`StoreError::Database`].
    pub async fn move_worker(&self, tenant: TenantId, to: RuntimeKind) -> Result<u64, StoreError> {
        use worker_process::Column;
        let transaction = self.db.begin().await?;
        let of_tenant =
            || worker_process::Entity::update_many().filter(Column::TenantId.eq(tenant.0));
        of_tenant()
            .col_expr(Column::Runtime, Expr::value(word(to)?))
            .col_expr(Column::LastError, Expr::value(Option::<String>::None))
            .exec(&transaction)
            .await?;
        of_tenant()
            .col_expr(Column::Generation, Expr::col(Column::Generation).add(1))
            .filter(Column::Desired.eq(word(DesiredState::Running)?))
            .exec(&transaction)
            .await?;
        let row = worker_process::Entity::find_by_id(tenant.0).one(&transaction).await?;
        let row = row.ok_or(StoreError::UnknownTenant(tenant))?;
        transaction.commit().await?;
        Ok(row.generation.cast_unsigned())
    }

    /// Writes that a worker shall not run.
    ///
    /// # Errors
    /// [`StoreError::UnknownTenant`], [`StoreError::Database`].
    pub async fn want_stopped(&self, tenant: TenantId) -> Result<(), StoreError> {
        use worker_process::Column;
        let changed = worker_process::Entity::update_many()
            .col_expr(Column::Desired, Expr::value(word(DesiredState::Stopped)?))
            .filter(Column::TenantId.eq(tenant.0))
            .exec(&self.db)
            .await?;
        if changed.rows_affected == 1 { Ok(()) } else { Err(StoreError::UnknownTenant(tenant)) }
    }

    /// Writes that a generation could not be started, and why.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn record_start_failure(
        &self,
        tenant: TenantId,
        generation: u64,
        reason: &str,
    ) -> Result<(), StoreError> {
        use worker_process::Column;
        worker_process::Entity::update_many()
            .col_expr(Column::FailedGeneration, Expr::value(Some(generation.cast_signed())))
            .col_expr(Column::LastError, Expr::value(Some(reason.to_owned())))
            .filter(Column::TenantId.eq(tenant.0))
            .exec(&self.db)
            .await?;
        Ok(())
    }

    /// Writes what was observed of workers, all in one transaction. Tenants that are no more are
    /// passed over.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn record_observed(&self, observed: &[Observed]) -> Result<(), StoreError> {
        use worker_process::Column;
        let transaction = self.db.begin().await?;
        for worker in observed {
            let mut change = worker_process::Entity::update_many()
                .col_expr(Column::Status, Expr::value(word(worker.status)?))
                .col_expr(Column::Pid, Expr::value(worker.pid.map(i64::from)))
                .col_expr(Column::StartedAt, Expr::value(worker.started_at))
                .col_expr(Column::Restarts, Expr::value(worker.restarts.cast_signed()))
                .col_expr(Column::LastError, Expr::value(worker.last_error.clone()));
            if let Some(seen) = worker.last_seen_at {
                change = change.col_expr(Column::LastSeenAt, Expr::value(Some(seen)));
            }
            change.filter(Column::TenantId.eq(worker.tenant.0)).exec(&transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Writes what was observed of sessions, all in one transaction. Tenants that are no more are
    /// passed over.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn record_sessions(
        &self,
        sessions: &[(TenantId, SessionRecord)],
    ) -> Result<(), StoreError> {
        use whatsapp_session::Column;
        let transaction = self.db.begin().await?;
        for (tenant, session) in sessions {
            whatsapp_session::Entity::update_many()
                .col_expr(Column::State, Expr::value(word(session.state)?))
                .col_expr(Column::Paired, Expr::value(session.paired))
                .col_expr(Column::Jid, Expr::value(session.jid.clone()))
                .col_expr(Column::ConnectedAt, Expr::value(session.connected_at))
                .filter(Column::TenantId.eq(tenant.0))
                .exec(&transaction)
                .await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Forgets a session: as if the tenant had never been logged in.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn forget_session(&self, tenant: TenantId) -> Result<(), StoreError> {
        use whatsapp_session::Column;
        whatsapp_session::Entity::update_many()
            .col_expr(Column::State, Expr::value(word(SessionState::Disconnected)?))
            .col_expr(Column::Paired, Expr::value(false))
            .col_expr(Column::Jid, Expr::value(Option::<String>::None))
            .col_expr(
                Column::ConnectedAt,
                Expr::value(Option::<chrono::DateTime<chrono::Utc>>::None),
            )
            .filter(Column::TenantId.eq(tenant.0))
            .exec(&self.db)
            .await?;
        Ok(())
    }
}
