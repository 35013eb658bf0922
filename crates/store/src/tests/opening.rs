use sea_orm::{ConnectionTrait as _, Statement};

use super::{Place, new};
use crate::{Store, StoreError};

#[tokio::test]
async fn two_openers_migrate_once() {
    let place = Place::new();
    let url = place.url();
    let (one, two) = tokio::join!(Store::open(&url), Store::open(&url));
    one.unwrap().create(new("Duka", None)).await.unwrap();
    assert_eq!(two.unwrap().tenants().await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_opened_says_why() {
    let place = Place::new();
    for url in ["postgres://me:secret@db/t", "sqlite::memory:", "sqlite:relative.db", "nonsense"] {
        let error = Store::open(url).await.err().unwrap();
        assert!(matches!(error, StoreError::UnsupportedUrl(_)), "{url}: {error}");
        assert!(!error.to_string().contains("secret"));
    }
    let path = place.0.path().join("t.db");
    std::fs::write(&path, "this is a letter to my aunt, and no database at all".repeat(100))
        .unwrap();
    let error = Store::open(&place.url()).await.err().unwrap();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    let letter = std::fs::read_to_string(&path).unwrap();
    assert!(letter.starts_with("this is a letter"), "it was left as it is");
    let nowhere = format!("sqlite:{}", place.0.path().join("no/such/dir/t.db").display());
    assert!(matches!(Store::open(&nowhere).await, Err(StoreError::Open { .. })));
}

#[tokio::test]
async fn a_newer_database_is_left_alone() {
    let place = Place::new();
    let store = place.open().await;
    let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_future', 0)";
    let statement = Statement::from_string(store.db.get_database_backend(), newer);
    store.db.execute_raw(statement).await.unwrap();
    let error = Store::open(&place.url()).await.err().unwrap();
    assert!(
        matches!(&error, StoreError::Newer { found, .. } if found == "m9999_future"),
        "{error}"
    );
}

#[tokio::test]
async fn the_files_are_closed_to_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let store = place.open().await;
    store.create(new("Duka", None)).await.unwrap();
    for file in std::fs::read_dir(place.0.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    let place = Place::new();
    let path = place.0.path().join("t.db");
    std::fs::write(&path, "").unwrap();
    let options = format!("sqlite://{}", path.display());
    let db = sea_orm::Database::connect(options).await.unwrap();
    // In the way of the last table of the first migration.
    db.execute_unprepared("CREATE TABLE api_key (x)").await.unwrap();
    assert!(Store::open(&place.url()).await.is_err());
    db.execute_unprepared("SELECT * FROM tenant").await.unwrap_err();
    // As after a start that was cut short: the next one completes it.
    db.execute_unprepared("DROP TABLE api_key").await.unwrap();
    place.open().await.create(new("Duka", None)).await.unwrap();
}

#[tokio::test]
async fn a_damaged_table_is_found_at_the_start() {
    let place = Place::new();
    let store = place.open().await;
    for number in 0..200 {
        store.create(new(&format!("Duka{number}"), None)).await.unwrap();
    }
    let backend = store.db.get_database_backend();
    let sql = "SELECT rootpage FROM sqlite_master WHERE name = 'worker_process'";
    let row = store.db.query_one_raw(Statement::from_string(backend, sql)).await.unwrap().unwrap();
    let root: i64 = row.try_get_by_index(0).unwrap();
    store.db.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    store.db.close().await.unwrap();
    let path = place.0.path().join("t.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let at = usize::try_from((root - 1) * 4096).unwrap();
    bytes[at..at + 4096].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    let error = Store::open(&place.url()).await.err().unwrap();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn a_path_may_hold_any_character() {
    let place = Place::new();
    let path = place.0.path().join("50% off? #1 %20.db");
    let url = format!("sqlite:{}", path.display());
    Store::open(&url).await.unwrap().create(new("Duka", None)).await.unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() > 0);
    assert_eq!(Store::open(&url).await.unwrap().tenants().await.unwrap().len(), 1);
}
