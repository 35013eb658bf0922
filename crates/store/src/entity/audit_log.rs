//! Table `audit_log`: who did what. Rows are only ever added, to a chain, and outlive their tenant.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_log")]
pub struct Model {
    /// The entry's number, from [`super::audit_head`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To which tenant.
    pub tenant_id: Option<Uuid>,
    /// `ok`, or the code of the problem.
    pub result: String,
    /// In words.
    #[sea_orm(column_type = "Text")]
    pub detail: String,
    /// When.
    pub at: DateTimeUtc,
    /// The hash of the entry before.
    pub prev_hash: String,
    /// See [`crate::chain`].
    pub hash: String,
}

/// No relations are declared: rows are joined by id in the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
