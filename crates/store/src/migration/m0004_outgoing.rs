//! Messages from outside, the files that were uploaded for them, and what became of a message that
//! went out.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, json_null, string, string_null, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid, uuid_null,
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
        for table in [outgoing(), upload()] {
            manager.create_table(table).await?;
        }
        let add = Table::alter().table("message_log").add_column(string_null("state")).to_owned();
        manager.alter_table(add).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("message_log_by_id").to_owned()).await?;
        let remove = Table::alter().table("message_log").drop_column("state").to_owned();
        manager.alter_table(remove).await?;
        for table in ["upload", "outgoing"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn cascade(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, "tenant_id")
        .to("tenant", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

fn outgoing() -> TableCreateStatement {
    Table::create()
        .table("outgoing")
        .col(big_integer("seq").primary_key().auto_increment())
        .col(uuid("id").unique_key())
        .col(uuid("tenant_id"))
        .col(string("idempotency_key"))
        .col(string("request_hash"))
        .col(string("recipient"))
        .col(json_null("content"))
        .col(json_null("reply_to"))
        .col(string("state"))
        .col(string_null("reason"))
        .col(text_null("detail"))
        .col(string_null("message_id"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone_null("sent_at"))
        .col(timestamp_with_time_zone_null("delivered_at"))
        .col(timestamp_with_time_zone_null("read_at"))
        .col(timestamp_with_time_zone_null("failed_at"))
        .foreign_key(&mut cascade("outgoing"))
        .to_owned()
}

fn upload() -> TableCreateStatement {
    Table::create()
        .table("upload")
        .col(uuid("id").primary_key())
        .col(uuid("tenant_id"))
        .col(string("sha256"))
        .col(big_integer("size"))
        .col(timestamp_with_time_zone("created_at"))
        .col(uuid_null("outgoing_id"))
        .col(timestamp_with_time_zone_null("deleted_at"))
        .foreign_key(&mut cascade("upload"))
        .to_owned()
}

fn indexes() -> [IndexCreateStatement; 7] {
    let index = |name: &str, table: &'static str, columns: &[&'static str]| {
        let mut index = Index::create().name(name).table(table).to_owned();
        for &column in columns {
            index.col(column);
        }
        index
    };
    [
        index("outgoing_once", "outgoing", &["tenant_id", "idempotency_key"]).unique().to_owned(),
        index("outgoing_of_tenant", "outgoing", &["tenant_id", "seq"]),
        index("outgoing_waiting", "outgoing", &["tenant_id", "state", "seq"]),
        index("outgoing_by_message", "outgoing", &["tenant_id", "message_id"]),
        index("outgoing_by_end", "outgoing", &["state", "expires_at"]),
        index("upload_of_tenant", "upload", &["tenant_id", "deleted_at"]),
        index("message_log_by_id", "message_log", &["tenant_id", "message_id"]),
    ]
}
