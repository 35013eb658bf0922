//! Deletions that are under way, and indexes for what is looked at every few seconds.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{string, timestamp_with_time_zone, uuid};

/// The migration.
#[derive(DeriveMigrationName)]
pub struct Migration;

const INDEX: &str = "upload_of_use";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// See the first migration.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(deletion()).await?;
        let index = Index::create()
            .name(INDEX)
            .table("upload")
            .col("deleted_at")
            .col("outgoing_id")
            .to_owned();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name(INDEX).to_owned()).await?;
        manager.drop_table(Table::drop().table("deletion").to_owned()).await
    }
}

/// Without a reference to the tenant, whose row goes first.
fn deletion() -> TableCreateStatement {
    Table::create()
        .table("deletion")
        .col(uuid("tenant_id").primary_key())
        .col(string("worker_name"))
        .col(string("runtime"))
        .col(timestamp_with_time_zone("begun_at"))
        .to_owned()
}
