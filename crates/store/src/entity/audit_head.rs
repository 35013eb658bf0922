//! Table `audit_head`: the newest entry of the audit log, in one row. Whoever adds an entry changes it first and so holds
//! it until its transaction ends: entries are chained one after the other.

use sea_orm::entity::prelude::*;

/// The row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_head")]
pub struct Model {
    /// Always [`ROW`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// The newest entry's number; 0 before the first.
    pub seq: i64,
    /// Its hash; [`crate::chain::START`] before the first.
    pub hash: String,
}

/// The id of the one row.
pub const ROW: i32 = 1;

/// No relations are declared.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
