//! People, their sign-ins and links, and keys for programs.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, string, string_null, timestamp_with_time_zone,
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
        // What was called a key until now is the installation's own token.
        let rename = Table::rename().table("api_key", "installation_key").to_owned();
        manager.rename_table(rename).await?;
        for table in [user(), membership(), browser_session(), one_time_link(), api_key()] {
            manager.create_table(table).await?;
        }
        for (name, table, column) in INDEXES {
            let index = Index::create().name(name).table(table).col(column).to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["api_key", "one_time_link", "browser_session", "membership", "user"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        let rename = Table::rename().table("installation_key", "api_key").to_owned();
        manager.rename_table(rename).await
    }
}

const INDEXES: [(&str, &str, &str); 4] = [
    ("membership_of_tenant", "membership", "tenant_id"),
    ("browser_session_of_user", "browser_session", "user_id"),
    ("one_time_link_of_user", "one_time_link", "user_id"),
    ("api_key_of_tenant", "api_key", "tenant_id"),
];

fn user() -> TableCreateStatement {
    Table::create()
        .table("user")
        .col(uuid("id").primary_key())
        .col(string("email").unique_key())
        .col(string("name"))
        .col(string_null("role"))
        .col(string_null("password_hash"))
        .col(string_null("totp_secret"))
        .col(big_integer("totp_step"))
        .col(boolean("disabled"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("last_sign_in_at"))
        .to_owned()
}

fn membership() -> TableCreateStatement {
    Table::create()
        .table("membership")
        .col(uuid("user_id"))
        .col(uuid("tenant_id"))
        .col(string("role"))
        .primary_key(Index::create().col("user_id").col("tenant_id"))
        .foreign_key(&mut of("membership", "user_id", "user"))
        .foreign_key(&mut of("membership", "tenant_id", "tenant"))
        .to_owned()
}

fn browser_session() -> TableCreateStatement {
    Table::create()
        .table("browser_session")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(string("hash").unique_key())
        .col(string_null("address"))
        .col(string_null("agent"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("seen_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .foreign_key(&mut of("browser_session", "user_id", "user"))
        .to_owned()
}

fn one_time_link() -> TableCreateStatement {
    Table::create()
        .table("one_time_link")
        .col(string("hash").primary_key())
        .col(uuid("user_id"))
        .col(string("kind"))
        .col(timestamp_with_time_zone("expires_at"))
        .foreign_key(&mut of("one_time_link", "user_id", "user"))
        .to_owned()
}

fn api_key() -> TableCreateStatement {
    Table::create()
        .table("api_key")
        .col(uuid("id").primary_key())
        .col(string("name"))
        .col(string("prefix"))
        .col(string("hash").unique_key())
        .col(string("scopes"))
        .col(uuid_null("tenant_id"))
        .col(string("created_by"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("expires_at"))
        .col(timestamp_with_time_zone_null("last_used_at"))
        .foreign_key(&mut of("api_key", "tenant_id", "tenant"))
        .to_owned()
}

fn of(table: &'static str, column: &'static str, to: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, column)
        .to(to, "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}
