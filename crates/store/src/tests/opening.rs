use sea_orm::{ConnectionTrait as _, Statement};

use super::{Place, new};
use crate::{ConnectFault, Store, StoreError, check_url};

on_both! {
    two_openers_migrate_once,
    a_newer_database_is_left_alone,
}

async fn two_openers_migrate_once(place: Place) {
    let url = place.url();
    let (one, two) = tokio::join!(Store::open(&url), Store::open(&url));
    one.unwrap().create(new("Duka", None)).await.unwrap();
    assert_eq!(two.unwrap().tenants().await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_opened_says_why() {
    let place = Place::new();
    for url in ["mysql://me:secret@db/t", "sqlite::memory:", "sqlite:relative.db", "nonsense"] {
        let error = Store::open(url).await.err().unwrap();
        assert!(matches!(error, StoreError::UnsupportedUrl(_)), "{url}: {error}");
        assert!(!error.to_string().contains("secret"));
    }
    let path = place.file();
    std::fs::write(&path, "this is a letter to my aunt, and no database at all".repeat(100))
        .unwrap();
    let error = Store::open(&place.url()).await.err().unwrap();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    let letter = std::fs::read_to_string(&path).unwrap();
    assert!(letter.starts_with("this is a letter"), "it was left as it is");
    let nowhere = format!("sqlite:{}", place.file().with_file_name("no/such/dir/t.db").display());
    assert!(matches!(Store::open(&nowhere).await, Err(StoreError::Open { .. })));
}

async fn a_newer_database_is_left_alone(place: Place) {
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
    for file in std::fs::read_dir(place.file().parent().unwrap()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    let place = Place::new();
    let path = place.file();
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
    store.db.pool().clone().close().await.unwrap();
    let path = place.file();
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
    let path = place.file().with_file_name("50% off? #1 %20.db");
    let url = format!("sqlite:{}", path.display());
    Store::open(&url).await.unwrap().create(new("Duka", None)).await.unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() > 0);
    assert_eq!(Store::open(&url).await.unwrap().tenants().await.unwrap().len(), 1);
}

/// A server that is not there, a wrong password, a database that is not there or not fit: each says so.
#[tokio::test]
async fn a_server_that_cannot_be_used_says_why_and_never_the_password() {
    let place = pgtest::Database::new();
    let url = place.url();
    let nobody = format!("postgres://tenantry:hidden@127.0.0.1:{}/t", free_port());
    // Users are those of the whole server, which other tests use too.
    let user = format!("guest_{}", uuid::Uuid::now_v7().simple());
    place.sql(&format!("CREATE ROLE {user} LOGIN PASSWORD 'hidden'"));
    let guest = url.replace("tenantry:", &format!("{user}:")).replace(pgtest::PASSWORD, "hidden");
    let latin = pgtest::Database::with("ENCODING 'LATIN1' TEMPLATE template0");
    let cases = [
        (nobody, ConnectFault::Unreachable),
        (url.replace(pgtest::PASSWORD, "hidden"), ConnectFault::Login),
        (url.replace("tenantry:", "nobody:"), ConnectFault::Login),
        (place.at("nowhere"), ConnectFault::NoDatabase),
        (guest, ConnectFault::Privileges),
        (latin.url(), ConnectFault::Encoding),
        (format!("{url}?sslmode=require"), ConnectFault::Encryption),
    ];
    for (url, wanted) in cases {
        let error = Store::open(&url).await.err().unwrap();
        assert!(matches!(&error, StoreError::Connect { fault, .. } if *fault == wanted), "{error}");
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(!text.contains("hidden") && !text.contains(pgtest::PASSWORD), "{text}");
        }
    }
    place.sql(&format!("DROP ROLE {user}"));
}

#[test]
fn an_address_that_cannot_be_understood_is_not_repeated() {
    let wrong = [
        "postgres://me:hidden@db:port/t",
        "postgres://me:hid?den@db/t",
        "postgres://me:hidden@db/t?sslmode=perhaps",
        "postgresql://me:hidden@db/t?passwort=hidden",
    ];
    for url in wrong {
        let error = check_url(url).unwrap_err();
        assert!(matches!(error, StoreError::Url(_)), "{url}: {error}");
        assert!(!error.to_string().contains("hid"), "{error}");
    }
    for url in ["postgresql://me@db/t", "postgres://me:p%3Fw@db:5432/t?sslmode=verify-full"] {
        check_url(url).unwrap();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
