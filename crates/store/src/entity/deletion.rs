//! Table `deletion`: tenants whose deletion was begun and is not finished. A row outlives its tenant's.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deletion")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// The process name of its worker.
    pub worker_name: String,
    /// Where its worker ran: a word of `api::worker::RuntimeKind`.
    pub runtime: String,
    /// When it was begun.
    pub begun_at: DateTimeUtc,
}

/// No relations are declared: rows are joined by id in the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
