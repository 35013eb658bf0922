//! The operator's brand, and the count that takes a tenant's re-pair links back.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, binary_null, integer, string, string_null, timestamp_with_time_zone,
};

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
        let epoch = Table::alter()
            .table("tenant")
            .add_column(big_integer("pair_epoch").default(0))
            .to_owned();
        manager.alter_table(epoch).await?;
        let brand = Table::create()
            .table("brand")
            .col(integer("id").primary_key())
            .col(string("name"))
            .col(string_null("colour"))
            .col(string_null("logo_kind"))
            .col(binary_null("logo"))
            .col(timestamp_with_time_zone("changed_at"))
            .to_owned();
        manager.create_table(brand).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("brand").to_owned()).await?;
        let epoch = Table::alter().table("tenant").drop_column("pair_epoch").to_owned();
        manager.alter_table(epoch).await
    }
}
