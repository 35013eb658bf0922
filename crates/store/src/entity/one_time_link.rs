//! Table `one_time_link`: links that are good once.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "one_time_link")]
pub struct Model {
    /// The SHA-256 of what the link holds, in hexadecimal digits.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: String,
    /// The account.
    pub user_id: Uuid,
    /// A word of `crate::LinkKind`.
    pub kind: String,
    /// Until when it is good.
    pub expires_at: DateTimeUtc,
}

/// No relations are declared: rows are joined by id in the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
