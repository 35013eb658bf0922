//! Table `message_log`: what contacts wrote and what the bots answered.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message_log")]
pub struct Model {
    /// The record's number.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// The tenant.
    pub tenant_id: Uuid,
    /// The chat's WhatsApp address.
    pub chat: String,
    /// A word of `api::records::Direction`.
    pub direction: String,
    /// WhatsApp's id; unique together with tenant, chat and direction.
    pub message_id: String,
    /// The text.
    #[sea_orm(column_type = "Text")]
    pub text: String,
    /// When it was sent.
    pub at: DateTimeUtc,
    /// How far an outgoing one has come: a word of `api::records::MessageState`.
    pub state: Option<String>,
}

/// No relations are declared: rows are joined by id in the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
