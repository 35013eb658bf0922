//! Table `user`: accounts of people.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The address, in small letters; unique.
    pub email: String,
    /// What the person is called.
    pub name: String,
    /// A word of `api::access::OperatorRole`.
    pub role: Option<String>,
    /// The password, hashed with argon2id (PHC string).
    pub password_hash: Option<String>,
    /// The authenticator's secret, encrypted with the key of the home.
    pub totp_secret: Option<String>,
    /// The last time step whose code was used; no code is good twice.
    pub totp_step: i64,
    /// Whether the account is locked.
    pub disabled: bool,
    /// When the account was made.
    pub created_at: DateTimeUtc,
    /// When the person last signed in.
    pub last_sign_in_at: Option<DateTimeUtc>,
}

/// No relations are declared: rows are joined by id in the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
