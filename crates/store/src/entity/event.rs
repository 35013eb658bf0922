//! Table `event`: what happened, to a tenant or to the installation.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// The event's number, from [`super::event_head`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// The tenant; none: it happened to no tenant in particular.
    pub tenant_id: Option<Uuid>,
    /// What, in the form `noun.verb`.
    pub kind: String,
    /// In words.
    #[sea_orm(column_type = "Text")]
    pub detail: String,
    /// For programs: a JSON object.
    pub data: Option<Json>,
    /// When.
    pub at: DateTimeUtc,
}

/// No relations are declared: rows are joined by id in the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
