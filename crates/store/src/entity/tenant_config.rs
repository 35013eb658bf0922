//! Table `tenant_config`: the settings of the tenants' bots.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tenant_config")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// Grows with every change.
    pub version: i64,
    /// What the bot answers.
    #[sea_orm(column_type = "Text")]
    pub greeting: String,
    /// At most so many answers in a minute.
    pub rate_limit_max_per_minute: i32,
    /// The argument vector of the own program, as a JSON array.
    pub command: Option<Json>,
    /// Its working directory.
    pub cwd: Option<String>,
    /// Its environment, as a JSON object.
    pub env: Json,
    /// A word of `api::worker::HeartbeatMode`.
    pub heartbeat: String,
    /// The reply rules, as a JSON object.
    pub rules: Option<Json>,
    /// What requests to the webhook are signed with.
    pub webhook_secret: Option<String>,
    /// The pacing, as a JSON object; absent: the defaults.
    pub pacing: Option<Json>,
}

/// No relations are declared: rows are joined by id in the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
