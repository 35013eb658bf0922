//! Whole databases: read at one moment, filled, copied.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement};
use store::{Kind, Row, Schema, Step, Store, StoreError, Sum, Table, copy, tables};
use tempfile::TempDir;
use uuid::Uuid;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.0.path().join("t.db").display())
    }

    async fn sql(&self) -> DatabaseConnection {
        Database::connect(self.url()).await.unwrap()
    }
}

async fn texts(db: &DatabaseConnection, sql: &str) -> Vec<String> {
    let rows = db.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// A row of any table that refers to the one tenant and the one user.
fn row(table: &Table, tenant: Uuid, user: Uuid, number: i64) -> Row {
    let values: Vec<serde_json::Value> = table
        .columns
        .iter()
        .map(|column| match (column.kind, table.name.as_str(), column.name.as_str()) {
            (Kind::Uuid, "tenant", "id") | (Kind::Uuid, _, "tenant_id") => {
                tenant.to_string().into()
            }
            (Kind::Uuid, "user", "id") | (Kind::Uuid, _, "user_id") => user.to_string().into(),
            (Kind::Uuid, ..) => Uuid::now_v7().to_string().into(),
            (Kind::Text, ..) => format!("{} ü\" {number}", column.name).into(),
            (Kind::Small | Kind::Integer | Kind::Big, ..) => number.into(),
            (Kind::Double, ..) => 0.25.into(),
            (Kind::Boolean, ..) => (number % 2 == 0).into(),
            (Kind::Time, ..) => format!("2026-01-02T03:04:05.{number:06}Z").into(),
            (Kind::Json, ..) => serde_json::json!([{"b": number, "a": [null, 1.5, "ü"]}]),
            (Kind::Bytes, ..) => "00ff".into(),
        })
        .collect();
    Row::from_json(&serde_json::Value::Array(values).to_string(), table).unwrap()
}

/// Whether a table can have a second row that refers to the same tenant.
fn takes_many(table: &Table) -> bool {
    let single = ["tenant", "user", "tenant_config", "worker_process", "whatsapp_session"];
    !single.contains(&table.name.as_str())
        && table.key.iter().all(|name| name != "tenant_id" && name != "user_id")
}

/// Fills a database: so many rows in each table that can have them, one in each other.
async fn fill(store: &Store, count: i64) -> Vec<(Table, Sum)> {
    let tables = tables();
    let (tenant, user) = (Uuid::now_v7(), Uuid::now_v7());
    let loader = store.loader(&tables).await.unwrap();
    let mut sums = Vec::new();
    for table in tables {
        let count = if takes_many(&table) { count } else { 1 };
        let rows: Vec<_> = (1..=count).map(|number| row(&table, tenant, user, number)).collect();
        let mut sum = Sum::default();
        rows.iter().for_each(|row| sum.add(row));
        for rows in rows.chunks(100) {
            loader.insert(&table, rows).await.unwrap();
        }
        // As if later rows had been deleted.
        loader.go_on_after(&table, 5000).await.unwrap();
        sums.push((table, sum));
    }
    loader.commit().await.unwrap();
    sums
}

#[tokio::test]
async fn every_table_of_the_schema_is_in_the_list() {
    let place = Place::new();
    drop(Store::open(&place.url()).await.unwrap());
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table'
               AND name NOT LIKE 'sqlite_%' AND name <> 'seaql_migrations'";
    let db = place.sql().await;
    let there: BTreeSet<_> = texts(&db, sql).await.into_iter().collect();
    let listed: BTreeSet<_> = tables().into_iter().map(|table| table.name).collect();
    assert_eq!(listed, there);
    for table in tables() {
        let sql = format!("SELECT name FROM pragma_table_info('{}')", table.name);
        let there: BTreeSet<_> = texts(&db, &sql).await.into_iter().collect();
        let listed: BTreeSet<_> = table.columns.into_iter().map(|column| column.name).collect();
        assert_eq!(listed, there, "columns of {}", table.name);
    }
}

#[tokio::test]
async fn what_is_referred_to_comes_first_in_the_list() {
    let place = Place::new();
    drop(Store::open(&place.url()).await.unwrap());
    let db = place.sql().await;
    let mut before = BTreeSet::new();
    let mut references = 0;
    for table in tables() {
        let sql = format!("SELECT \"table\" FROM pragma_foreign_key_list('{}')", table.name);
        for parent in texts(&db, &sql).await {
            assert!(before.contains(&parent), "{} refers to {parent}", table.name);
            references += 1;
        }
        before.insert(table.name);
    }
    assert!(references > 5);
}

/// Copies from one database to another and back into a third, and compares.
async fn there_and_back(first: &str, second: &str, third: &str) {
    let source = Store::open(first).await.unwrap();
    let sums = fill(&source, 450).await;
    let mut target = Store::open(second).await.unwrap();
    for next in [None, Some(third)] {
        let from = match next {
            None => source.clone(),
            Some(url) => std::mem::replace(&mut target, Store::open(url).await.unwrap()),
        };
        let mut rows = (0, 0);
        let mut told = |step| match step {
            Step::Begun(all) => rows.0 = all,
            Step::Copied(_, more) => rows.1 += more,
            Step::Verified(_) => {}
        };
        let copied = copy(&from, &target, &mut told).await.unwrap();
        assert!(rows.0 > 450 * 4 && rows.0 == rows.1, "{rows:?}");
        for ((table, sum), copied) in sums.iter().zip(copied) {
            assert_eq!((&table.name, sum), (&copied.table, &copied.sum));
        }
    }
    let snapshot = target.snapshot().await.unwrap();
    for (table, _) in &sums {
        let numbered = table.numbered.as_ref().map(|_| 5000);
        assert_eq!(snapshot.last_number(table).await.unwrap(), numbered, "{}", table.name);
    }
}

#[tokio::test]
async fn a_copy_of_a_copy_is_the_same() {
    let places = [Place::new(), Place::new(), Place::new()];
    there_and_back(&places[0].url(), &places[1].url(), &places[2].url()).await;
}

#[tokio::test]
async fn from_sqlite_to_postgres_and_back() {
    let (first, second, third) = (Place::new(), pgtest::Database::new(), Place::new());
    there_and_back(&first.url(), &second.url(), &third.url()).await;
}

#[tokio::test]
async fn from_postgres_to_sqlite_and_back() {
    let (first, second, third) = (pgtest::Database::new(), Place::new(), pgtest::Database::new());
    there_and_back(&first.url(), &second.url(), &third.url()).await;
}

#[tokio::test]
async fn rows_get_new_numbers_after_a_copy() {
    let (from, to) = (Place::new(), pgtest::Database::new());
    let source = Store::open(&from.url()).await.unwrap();
    fill(&source, 3).await;
    let target = Store::open(&to.url()).await.unwrap();
    copy(&source, &target, &mut |_| {}).await.unwrap();
    let next = "SELECT nextval(pg_get_serial_sequence('message_log', 'seq'))";
    assert_eq!(to.sql(next), "5001");
}

#[tokio::test]
async fn a_snapshot_of_postgres_does_not_see_what_comes_after_it() {
    let place = pgtest::Database::new();
    let store = Store::open(&place.url()).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    fill(&store, 1).await;
    for table in tables() {
        // There from the beginning, to say how far another table has come.
        let rows = usize::from(table.name.ends_with("_head"));
        assert_eq!(snapshot.page(&table, None).await.unwrap().len(), rows, "{}", table.name);
    }
}

#[tokio::test]
async fn the_status_of_postgres() {
    let place = pgtest::Database::new();
    let looked = Store::open_with(&place.url(), Schema::AsIs).await.unwrap();
    let status = looked.status().await.unwrap();
    assert_eq!((status.backend, status.schema, status.tables.len()), ("postgres", None, 0));
    fill(&Store::open(&place.url()).await.unwrap(), 2).await;
    let status = looked.status().await.unwrap();
    assert_eq!(status.schema, Some(store::latest_schema()));
    assert_eq!(status.tables.len(), tables().len());
}

#[tokio::test]
async fn a_database_that_is_not_empty_is_left_as_it_is() {
    let (from, to) = (Place::new(), Place::new());
    let (from, to) =
        (Store::open(&from.url()).await.unwrap(), Store::open(&to.url()).await.unwrap());
    fill(&from, 2).await;
    let sums = fill(&to, 1).await;
    let refused = copy(&from, &to, &mut |_| {}).await.unwrap_err();
    assert!(matches!(refused, StoreError::NotEmpty { .. }), "{refused}");
    let snapshot = to.snapshot().await.unwrap();
    for (table, sum) in sums {
        assert_eq!(snapshot.count(&table).await.unwrap(), sum.rows);
    }
}

#[tokio::test]
async fn what_is_not_committed_was_never_there() {
    let place = Place::new();
    let store = Store::open(&place.url()).await.unwrap();
    let table = tables().into_iter().find(|table| table.name == "tenant").unwrap();
    let loader = store.loader(&tables()).await.unwrap();
    let one = row(&table, Uuid::now_v7(), Uuid::now_v7(), 1);
    loader.insert(&table, std::slice::from_ref(&one)).await.unwrap();
    assert_eq!(loader.sum(&table).await.unwrap().rows, 1);
    drop(loader);
    assert_eq!(store.snapshot().await.unwrap().count(&table).await.unwrap(), 0);
}

#[tokio::test]
async fn a_snapshot_does_not_see_what_comes_after_it() {
    let place = Place::new();
    let store = Store::open(&place.url()).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    fill(&store, 1).await;
    for table in tables() {
        // There from the beginning, to say how far another table has come.
        let rows = usize::from(table.name.ends_with("_head"));
        assert_eq!(snapshot.page(&table, None).await.unwrap().len(), rows, "{}", table.name);
    }
    drop(snapshot);
    let table = &tables()[0];
    assert_eq!(store.snapshot().await.unwrap().count(table).await.unwrap(), 1);
}

#[tokio::test]
async fn rows_of_an_earlier_schema_are_put_in_and_then_migrated() {
    let place = Place::new();
    let earlier = "m0006_deletions";
    let store = Store::open_with(&place.url(), Schema::At(earlier)).await.unwrap();
    let status = store.status().await.unwrap();
    assert_eq!(status.schema.as_deref(), Some(earlier));
    assert!(!status.pending.is_empty());
    let refused = store.require_latest().await.unwrap_err();
    assert!(matches!(refused, StoreError::Pending { .. }), "{refused}");
    // As a backup of then says it: without what came later.
    let mut table = tables().into_iter().find(|table| table.name == "tenant").unwrap();
    table.columns.retain(|column| column.name != "pair_epoch");
    let loader = store.loader(std::slice::from_ref(&table)).await.unwrap();
    loader.insert(&table, &[row(&table, Uuid::now_v7(), Uuid::now_v7(), 1)]).await.unwrap();
    loader.commit().await.unwrap();
    store.bring_up_to_date().await.unwrap();
    assert_eq!(store.require_latest().await.unwrap(), store::latest_schema());
    let status = store.status().await.unwrap();
    let tenants = status.tables.iter().find(|table| table.table == "tenant").unwrap();
    assert_eq!((tenants.rows, status.backend, status.pending.len()), (1, "sqlite", 0));
    assert!(status.size > 4096);
}

#[tokio::test]
async fn looking_makes_no_database() {
    let place = Place::new();
    let refused = Store::open_with(&place.url(), Schema::AsIs).await.err().unwrap();
    assert!(refused.to_string().contains("there is no such file"), "{refused}");
    assert_eq!(std::fs::read_dir(place.0.path()).unwrap().count(), 0);
}
