//! The chats of the message log are found by an index of their own.

use sea_orm_migration::prelude::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub struct Migration;

const NAME: &str = "message_log_of_chat";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// See the first migration.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::create()
            .name(NAME)
            .table("message_log")
            .col("tenant_id")
            .col("chat")
            .col("seq")
            .to_owned();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name(NAME).table("message_log").to_owned()).await
    }
}
