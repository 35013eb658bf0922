//! Reply rules, and the secret that their webhook's requests are signed with.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{json_null, string_null};

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
        // SQLite adds one column at a time.
        for column in [json_null("rules"), string_null("webhook_secret")] {
            let add = Table::alter().table(TABLE).add_column(column).to_owned();
            manager.alter_table(add).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["rules", "webhook_secret"] {
            let remove = Table::alter().table(TABLE).drop_column(column).to_owned();
            manager.alter_table(remove).await?;
        }
        Ok(())
    }
}
