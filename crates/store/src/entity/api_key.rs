//! Table `api_key`: keys for programs.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What its maker calls it.
    pub name: String,
    /// How its secret begins.
    pub prefix: String,
    /// The SHA-256 of the key in hexadecimal digits; unique.
    pub hash: String,
    /// Words of `api::access::Permission`, separated by spaces.
    pub scopes: String,
    /// The tenant that it is good for; none: all.
    pub tenant_id: Option<Uuid>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: DateTimeUtc,
    /// From when on it is no longer good.
    pub expires_at: Option<DateTimeUtc>,
    /// When it was last used, some minutes old at most.
    pub last_used_at: Option<DateTimeUtc>,
}

/// No relations are declared: rows are joined by id in the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
