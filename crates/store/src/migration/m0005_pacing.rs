//! How a tenant's bot paces itself.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::json_null;

/// The migration.
#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "tenant_config";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// See the first migration.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let add = Table::alter().table(TABLE).add_column(json_null("pacing")).to_owned();
        manager.alter_table(add).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let remove = Table::alter().table(TABLE).drop_column("pacing").to_owned();
        manager.alter_table(remove).await
    }
}
