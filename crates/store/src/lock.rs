//! What keeps two transactions apart where PostgreSQL would let them interleave.
//!
//! SQLite has one writer, so there these do nothing: the caller's first statement has to write. Locks are
//! always taken in the order in which they stand here, and end with the transaction.

use api::tenant::TenantId;
use sea_orm::sea_query::LockType;
use sea_orm::{ConnectionTrait as _, DbErr, EntityTrait as _, QuerySelect as _};

use crate::db::Transaction;
use crate::entity::tenant;

/// Whoever opens the database and migrates it.
pub(crate) const MIGRATION: i64 = 0x7465_6e61_6e74_0001;

/// Whoever chooses what must be unique among all tenants: a slug, a phone number.
const NAMES: i64 = 0x7465_6e61_6e74_0002;

/// Keeps everybody else from choosing a slug or a phone number.
pub(crate) async fn names(transaction: &Transaction) -> Result<(), DbErr> {
    if transaction.is_postgres() {
        let sql = format!("SELECT pg_advisory_xact_lock({NAMES})");
        transaction.execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// Keeps everybody else from changing a tenant, from adding messages from outside or uploads to it and from
/// deleting it. Without such a tenant there is nothing to lock.
pub(crate) async fn tenant(transaction: &Transaction, id: TenantId) -> Result<(), DbErr> {
    row(transaction, id, LockType::NoKeyUpdate).await
}

/// Keeps a tenant from being deleted meanwhile. A deletion locks the tenant's row before those that go with
/// it, and so must who changes those: two that lock in different orders wait for each other.
pub(crate) async fn tenant_stays(transaction: &Transaction, id: TenantId) -> Result<(), DbErr> {
    row(transaction, id, LockType::KeyShare).await
}

async fn row(transaction: &Transaction, id: TenantId, lock: LockType) -> Result<(), DbErr> {
    if transaction.is_postgres() {
        tenant::Entity::find_by_id(id.0).lock(lock).one(transaction).await?;
    }
    Ok(())
}
