//! Questions and changes, by topic.

mod api_keys;
mod audit;
mod brand;
mod browser_sessions;
mod deletions;
mod events;
mod installation_key;
mod messages;
mod outgoing;
mod pair_links;
mod people;
mod progress;
mod records;
mod rules;
mod tenants;
mod uploads;
mod workers;

pub use audit::AuditSelection;
pub use messages::MessageSelection;

/// How SQLite would carry out a statement, for tests: a search, or a scan of a whole table.
#[cfg(test)]
async fn plan(statement: sea_orm::Statement) -> String {
    use sea_orm::{ConnectionTrait as _, Statement};
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("t.db").display());
    // A connection that read the schema before the last migration would explain by that: only what runs looks
    // whether it has changed.
    crate::Store::open(&url).await.unwrap().db.pool().clone().close().await.unwrap();
    let db = crate::Store::open(&url).await.unwrap().db;
    let sql = format!("EXPLAIN QUERY PLAN {statement}");
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await;
    let lines = rows.unwrap().into_iter().map(|row| row.try_get::<String>("", "detail").unwrap());
    lines.collect::<Vec<_>>().join("\n")
}
