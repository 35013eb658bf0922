//! Table `event`: what happened to the tenants.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// The record's number.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// The tenant.
    pub tenant_id: Uuid,
    /// What, in the form `noun.verb`.
    pub kind: String,
    /// In words.
    #[sea_orm(column_type = "Text")]
    pub detail: String,
    /// When.
    pub at: DateTimeUtc,
}

/// No relations are declared: rows are joined by id in the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
