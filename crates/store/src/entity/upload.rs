//! Table `upload`: files that were uploaded to be sent. The bytes lie in the home; a row outlives its
//! file, so that a repeated request is still known for the same.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "upload")]
pub struct Model {
    /// The id that the API gives, and the file's name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The tenant.
    pub tenant_id: Uuid,
    /// The SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    /// Its length in bytes.
    pub size: i64,
    /// When it came.
    pub created_at: DateTimeUtc,
    /// The message that it goes with.
    pub outgoing_id: Option<Uuid>,
    /// When the file was deleted.
    pub deleted_at: Option<DateTimeUtc>,
}

/// No relations are declared: rows are joined by id in the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
