//! Table `whatsapp_session`: the tenants' WhatsApp logins, as last observed; the keys lie with the worker.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "whatsapp_session")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// A word of `api::session::SessionState`.
    pub state: String,
    /// Whether a login is stored.
    pub paired: bool,
    /// The WhatsApp address of the login.
    pub jid: Option<String>,
    /// When the session last became connected.
    pub connected_at: Option<DateTimeUtc>,
    /// The numbering of the events that the worker hands over.
    pub link_store_id: Option<Uuid>,
    /// The last event of that numbering that is stored.
    pub link_seq: i64,
}

/// No relations are declared: rows are joined by id in the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
