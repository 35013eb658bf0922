//! Table `event_head`: the number of the newest event, in one row. Whoever writes events changes it first and so
//! holds it until its transaction ends: numbers become visible in their order, and none is left out.

use sea_orm::entity::prelude::*;

/// The row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_head")]
pub struct Model {
    /// Always [`ROW`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// The number that was given last; stays when its event is deleted.
    pub seq: i64,
}

/// The id of the one row.
pub const ROW: i32 = 1;

/// No relations are declared.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
