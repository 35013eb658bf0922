//! The entries of the audit log become a chain, and can no longer be changed.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait as _, DbBackend};
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, integer, string};
use uuid::Uuid;

use crate::chain::{Link, START};

/// The migration.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// Entries that are read at once.
const PAGE: u64 = 1000;

/// What refuses changes, one statement each.
const SQLITE_GUARDS: [&str; 2] = [
    "CREATE TRIGGER audit_log_unchanged BEFORE UPDATE ON audit_log \
     BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    "CREATE TRIGGER audit_log_whole BEFORE DELETE ON audit_log \
     BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
];
const POSTGRES_GUARDS: [&str; 3] = [
    "CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ \
     BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$",
    "CREATE TRIGGER audit_log_unchanged BEFORE UPDATE OR DELETE ON audit_log \
     FOR EACH ROW EXECUTE FUNCTION audit_log_refuse()",
    "CREATE TRIGGER audit_log_whole BEFORE TRUNCATE ON audit_log \
     FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse()",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// See the first migration.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["prev_hash", "hash"] {
            let add =
                Table::alter().table("audit_log").add_column(string(column).default("")).to_owned();
            manager.alter_table(add).await?;
        }
        let (seq, hash) = chain(manager).await?;
        let head = Table::create()
            .table("audit_head")
            .col(integer("id").primary_key())
            .col(big_integer("seq"))
            .col(string("hash"))
            .to_owned();
        manager.create_table(head).await?;
        let row = Query::insert()
            .into_table("audit_head")
            .columns(["id", "seq", "hash"])
            .values([1.into(), seq.into(), hash.into()])
            .map_err(|error| DbErr::Custom(error.to_string()))?
            .to_owned();
        let connection = manager.get_connection();
        connection.execute(&row).await?;
        for guard in guards(connection.get_database_backend()) {
            connection.execute_unprepared(guard).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let undo: &[&str] = match connection.get_database_backend() {
            DbBackend::Sqlite => {
                &["DROP TRIGGER audit_log_unchanged", "DROP TRIGGER audit_log_whole"]
            }
            _ => &[
                "DROP TRIGGER audit_log_unchanged ON audit_log",
                "DROP TRIGGER audit_log_whole ON audit_log",
                "DROP FUNCTION audit_log_refuse()",
            ],
        };
        for statement in undo {
            connection.execute_unprepared(statement).await?;
        }
        manager.drop_table(Table::drop().table("audit_head").to_owned()).await?;
        for column in ["prev_hash", "hash"] {
            let remove = Table::alter().table("audit_log").drop_column(column).to_owned();
            manager.alter_table(remove).await?;
        }
        Ok(())
    }
}

fn guards(backend: DbBackend) -> &'static [&'static str] {
    match backend {
        DbBackend::Sqlite => &SQLITE_GUARDS,
        _ => &POSTGRES_GUARDS,
    }
}

/// Chains the entries that are there; gives number and hash of the newest.
async fn chain(manager: &SchemaManager<'_>) -> Result<(i64, String), DbErr> {
    let connection = manager.get_connection();
    let (mut last, mut prev) = (0, START.to_owned());
    loop {
        let page = Query::select()
            .columns(["seq", "actor", "action", "tenant_id", "result", "detail", "at"])
            .from("audit_log")
            .and_where(Expr::col("seq").gt(last))
            .order_by("seq", Order::Asc)
            .limit(PAGE)
            .to_owned();
        let rows = connection.query_all(&page).await?;
        if rows.is_empty() {
            return Ok((last, prev));
        }
        for row in rows {
            let text = |column: &str| row.try_get::<String>("", column);
            last = row.try_get("", "seq")?;
            let hash = Link {
                seq: last,
                at: row.try_get::<DateTime<Utc>>("", "at")?,
                actor: &text("actor")?,
                action: &text("action")?,
                tenant: row.try_get::<Option<Uuid>>("", "tenant_id")?,
                result: &text("result")?,
                detail: &text("detail")?,
                prev: &prev,
            }
            .hash();
            let write = Query::update()
                .table("audit_log")
                .value("prev_hash", prev)
                .value("hash", hash.clone())
                .and_where(Expr::col("seq").eq(last))
                .to_owned();
            connection.execute(&write).await?;
            prev = hash;
        }
    }
}
