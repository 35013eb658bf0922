//! Where each worker runs: until now there was only the supervisor.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::string;

/// The migration.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// See the first migration.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let add = Table::alter()
            .table("worker_process")
            .add_column(string("runtime").default("local"))
            .to_owned();
        manager.alter_table(add).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let remove = Table::alter().table("worker_process").drop_column("runtime").to_owned();
        manager.alter_table(remove).await
    }
}
