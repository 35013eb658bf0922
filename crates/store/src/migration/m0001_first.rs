//! The first schema.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, json, json_null, string, string_null, text,
    text_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};

/// The migration.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// SQLite would get the tables one by one, and a program that is killed in between would leave
    /// a schema that no later start can complete.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [tenant(), tenant_config(), whatsapp_session(), worker_process()] {
            manager.create_table(table).await?;
        }
        for table in [message_log(), event(), audit_log(), api_key()] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "api_key",
            "audit_log",
            "event",
            "message_log",
            "worker_process",
            "whatsapp_session",
            "tenant_config",
            "tenant",
        ] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn tenant() -> TableCreateStatement {
    Table::create()
        .table("tenant")
        .col(uuid("id").primary_key())
        .col(string("name"))
        .col(string("slug").unique_key())
        .col(string_null("phone").unique_key())
        .col(string("status"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .to_owned()
}

/// A table with one row a tenant, which goes with its tenant.
fn of_tenant(name: &'static str) -> TableCreateStatement {
    Table::create()
        .table(name)
        .col(uuid("tenant_id").primary_key())
        .foreign_key(&mut cascade(name))
        .to_owned()
}

/// A table of numbered records, which go with their tenant.
fn records(name: &'static str) -> TableCreateStatement {
    Table::create()
        .table(name)
        .col(big_integer("seq").primary_key().auto_increment())
        .col(uuid("tenant_id"))
        .foreign_key(&mut cascade(name))
        .to_owned()
}

fn cascade(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, "tenant_id")
        .to("tenant", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

fn tenant_config() -> TableCreateStatement {
    of_tenant("tenant_config")
        .col(big_integer("version"))
        .col(text("greeting"))
        .col(integer("rate_limit_max_per_minute"))
        .col(json_null("command"))
        .col(string_null("cwd"))
        .col(json("env"))
        .col(string("heartbeat"))
        .to_owned()
}

fn whatsapp_session() -> TableCreateStatement {
    of_tenant("whatsapp_session")
        .col(string("state"))
        .col(boolean("paired"))
        .col(string_null("jid"))
        .col(timestamp_with_time_zone_null("connected_at"))
        .col(uuid_null("link_store_id"))
        .col(big_integer("link_seq"))
        .to_owned()
}

fn worker_process() -> TableCreateStatement {
    of_tenant("worker_process")
        .col(string("name").unique_key())
        .col(string("desired"))
        .col(big_integer("generation"))
        .col(big_integer_null("failed_generation"))
        .col(string("status"))
        .col(big_integer_null("pid"))
        .col(timestamp_with_time_zone_null("started_at"))
        .col(big_integer("restarts"))
        .col(timestamp_with_time_zone_null("last_seen_at"))
        .col(text_null("last_error"))
        .to_owned()
}

fn message_log() -> TableCreateStatement {
    records("message_log")
        .col(string("chat"))
        .col(string("direction"))
        .col(string("message_id"))
        .col(text("text"))
        .col(timestamp_with_time_zone("at"))
        .to_owned()
}

fn event() -> TableCreateStatement {
    records("event")
        .col(string("kind"))
        .col(text("detail"))
        .col(timestamp_with_time_zone("at"))
        .to_owned()
}

fn audit_log() -> TableCreateStatement {
    Table::create()
        .table("audit_log")
        .col(big_integer("seq").primary_key().auto_increment())
        .col(string("actor"))
        .col(string("action"))
        .col(uuid_null("tenant_id"))
        .col(string("result"))
        .col(text("detail"))
        .col(timestamp_with_time_zone("at"))
        .to_owned()
}

fn api_key() -> TableCreateStatement {
    Table::create()
        .table("api_key")
        .col(string("name").primary_key())
        .col(string("hash"))
        .col(timestamp_with_time_zone("created_at"))
        .to_owned()
}

fn indexes() -> [IndexCreateStatement; 4] {
    let index = |name: &str, table: &'static str, columns: &[&'static str]| {
        let mut index = Index::create().name(name).table(table).to_owned();
        for &column in columns {
            index.col(column);
        }
        index
    };
    [
        index("message_log_once", "message_log", &["tenant_id", "chat", "direction", "message_id"])
            .unique()
            .to_owned(),
        index("message_log_of_tenant", "message_log", &["tenant_id", "seq"]),
        index("event_of_tenant", "event", &["tenant_id", "seq"]),
        index("audit_log_of_tenant", "audit_log", &["tenant_id", "seq"]),
    ]
}
