//! The event log gets numbers from one counter, events of no tenant, and data for programs.

use sea_orm::{ConnectionTrait as _, DbBackend};
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, integer, json_null, string, text, timestamp_with_time_zone, uuid, uuid_null,
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
        let head = newest(manager).await?;
        let seq = big_integer("seq").primary_key().to_owned();
        manager.create_table(table(seq).col(uuid_null("tenant_id")).to_owned()).await?;
        let copied = Query::select()
            .columns(["seq", "kind", "detail", "at", "tenant_id"])
            .from("event")
            .to_owned();
        replace(manager, copied, ["seq", "kind", "detail", "at", "tenant_id"]).await?;
        manager.create_table(counter()).await?;
        let first = Query::insert()
            .into_table("event_head")
            .columns(["id", "seq"])
            .values([1.into(), head.into()])
            .map_err(|error| DbErr::Custom(error.to_string()))?
            .to_owned();
        manager.get_connection().execute(&first).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("event_head").to_owned()).await?;
        let mut owned = ForeignKey::create()
            .from("event_new", "tenant_id")
            .to("tenant", "id")
            .on_delete(ForeignKeyAction::Cascade)
            .to_owned();
        let seq = big_integer("seq").primary_key().auto_increment().to_owned();
        let mut old = table(seq);
        old.col(uuid("tenant_id")).foreign_key(&mut owned);
        manager.create_table(old).await?;
        let copied = Query::select()
            .columns(["seq", "kind", "detail", "at", "tenant_id"])
            .from("event")
            .and_where(Expr::col("tenant_id").is_not_null())
            .to_owned();
        replace(manager, copied, ["seq", "kind", "detail", "at", "tenant_id"]).await
    }
}

/// The largest number that was ever given: rows that went with their tenants had numbers too.
async fn newest(manager: &SchemaManager<'_>) -> Result<i64, DbErr> {
    let connection = manager.get_connection();
    let newest = Query::select().expr(Expr::col("seq").max()).from("event").to_owned();
    let row = connection.query_one(&newest).await?;
    let mut head = match row {
        Some(row) => row.try_get_by_index::<Option<i64>>(0)?.unwrap_or(0),
        None => 0,
    };
    if connection.get_database_backend() == DbBackend::Sqlite {
        let given = Query::select()
            .column("seq")
            .from("sqlite_sequence")
            .and_where(Expr::col("name").eq("event"))
            .to_owned();
        if let Some(row) = connection.query_one(&given).await? {
            head = Ord::max(head, row.try_get_by_index(0)?);
        }
    }
    Ok(head)
}

/// Without a reference to the tenant: the writer of events would wait for whoever deletes one. What is deleted
/// with a tenant is deleted by name.
fn table(seq: ColumnDef) -> TableCreateStatement {
    Table::create()
        .table("event_new")
        .col(seq)
        .col(string("kind"))
        .col(text("detail"))
        .col(json_null("data"))
        .col(timestamp_with_time_zone("at"))
        .to_owned()
}

/// Fills `event_new` and puts it in the place of `event`.
async fn replace(
    manager: &SchemaManager<'_>,
    rows: SelectStatement,
    columns: [&'static str; 5],
) -> Result<(), DbErr> {
    let copy = Query::insert()
        .into_table("event_new")
        .columns(columns)
        .select_from(rows)
        .map_err(|error| DbErr::Custom(error.to_string()))?
        .to_owned();
    manager.get_connection().execute(&copy).await?;
    manager.drop_table(Table::drop().table("event").to_owned()).await?;
    manager.rename_table(Table::rename().table("event_new", "event").to_owned()).await?;
    let index = Index::create()
        .name("event_of_tenant")
        .table("event")
        .col("tenant_id")
        .col("seq")
        .to_owned();
    manager.create_index(index).await
}

/// One row, which whoever writes events holds until its transaction ends.
fn counter() -> TableCreateStatement {
    Table::create()
        .table("event_head")
        .col(integer("id").primary_key())
        .col(big_integer("seq"))
        .to_owned()
}
