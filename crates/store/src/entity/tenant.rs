//! Table `tenant`: the customers.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tenant")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The display name.
    pub name: String,
    /// The short form of the name; unique.
    #[sea_orm(unique)]
    pub slug: String,
    /// The number in E.164 form; unique where there is one.
    #[sea_orm(unique)]
    pub phone: Option<String>,
    /// A word of `api::tenant::TenantStatus`.
    pub status: String,
    /// Grows each time the tenant's re-pair links are taken back.
    pub pair_epoch: i64,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When the row or its settings were last changed by a person.
    pub updated_at: DateTimeUtc,
}

/// No relations are declared: rows are joined by id in the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
