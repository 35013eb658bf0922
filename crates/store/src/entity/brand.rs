//! Table `brand`: how the operator appears to tenants, in one row; none until something was set.

use sea_orm::entity::prelude::*;

/// The row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "brand")]
pub struct Model {
    /// Always [`ROW`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// The name.
    pub name: String,
    /// The colour, as `#rrggbb`.
    pub colour: Option<String>,
    /// The media type of the logo.
    pub logo_kind: Option<String>,
    /// The logo.
    pub logo: Option<Vec<u8>>,
    /// When something of it was last changed.
    pub changed_at: DateTimeUtc,
}

/// The id of the one row.
pub const ROW: i32 = 1;

/// No relations are declared.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
