//! Table `browser_session`: browsers that are signed in.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "browser_session")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The account.
    pub user_id: Uuid,
    /// The SHA-256 of the cookie in hexadecimal digits; unique.
    pub hash: String,
    /// The address that it was begun from.
    pub address: Option<String>,
    /// What the browser calls itself.
    pub agent: Option<String>,
    /// When it was begun.
    pub created_at: DateTimeUtc,
    /// When it was last used, some minutes old at most.
    pub seen_at: DateTimeUtc,
    /// When it ends at the latest.
    pub expires_at: DateTimeUtc,
}

/// No relations are declared: rows are joined by id in the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
