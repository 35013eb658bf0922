//! Table `outgoing`: messages that were asked for from outside, and what became of them.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outgoing")]
pub struct Model {
    /// The order in which they were accepted.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// The id that the API gives.
    #[sea_orm(unique)]
    pub id: Uuid,
    /// The tenant.
    pub tenant_id: Uuid,
    /// The caller's name of the request; unique together with the tenant.
    pub idempotency_key: String,
    /// What the request said, as a hash.
    pub request_hash: String,
    /// The WhatsApp address that it goes to.
    pub recipient: String,
    /// An `api::link::OutsideContent`; gone once the message is settled.
    pub content: Option<Json>,
    /// An `api::link::Quoted`.
    pub reply_to: Option<Json>,
    /// A word of `api::records::MessageState`.
    pub state: String,
    /// Why it failed, in a stable word.
    pub reason: Option<String>,
    /// The same in words.
    #[sea_orm(column_type = "Text", nullable)]
    pub detail: Option<String>,
    /// WhatsApp's id; there as soon as the worker has the message.
    pub message_id: Option<String>,
    /// When it was accepted.
    pub created_at: DateTimeUtc,
    /// When it is given up.
    pub expires_at: DateTimeUtc,
    /// When WhatsApp took it.
    pub sent_at: Option<DateTimeUtc>,
    /// When it reached the recipient's phone.
    pub delivered_at: Option<DateTimeUtc>,
    /// When the recipient read it.
    pub read_at: Option<DateTimeUtc>,
    /// When it failed.
    pub failed_at: Option<DateTimeUtc>,
}

/// No relations are declared: rows are joined by id in the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
