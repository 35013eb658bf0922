//! Table `worker_process`: the workers: what is wanted, and what was last observed.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "worker_process")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// The process name; unique.
    #[sea_orm(unique)]
    pub name: String,
    /// A word of `api::worker::RuntimeKind`.
    pub runtime: String,
    /// A word of `api::worker::DesiredState`.
    pub desired: String,
    /// Grows at each start.
    pub generation: i64,
    /// The generation that could not be started.
    pub failed_generation: Option<i64>,
    /// A word of `api::worker::WorkerStatus`.
    pub status: String,
    /// The process id.
    pub pid: Option<i64>,
    /// When the process was started.
    pub started_at: Option<DateTimeUtc>,
    /// How often it was started again after it died.
    pub restarts: i64,
    /// The last sign of life.
    pub last_seen_at: Option<DateTimeUtc>,
    /// What went wrong last.
    #[sea_orm(column_type = "Text", nullable)]
    pub last_error: Option<String>,
}

/// No relations are declared: rows are joined by id in the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
