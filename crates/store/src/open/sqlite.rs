//! Opening a database that is a file.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbBackend, DbErr, Statement,
};

use super::refuse_newer;
use crate::db::Db;
use crate::error::StoreError;
use crate::schema::Schema;

/// SQLite has one writer at a time; more connections than this only wait for each other.
const CONNECTIONS: u32 = 4;
/// How long a writer waits for another one before it gives up.
const BUSY: Duration = Duration::from_secs(10);

/// The tables without which no worker can run. They are looked through at each start; the logs are
/// not, for they grow without bound and a start must not take longer with them.
const VITAL: [&str; 5] = ["tenant", "tenant_config", "whatsapp_session", "worker_process", "user"];

/// Opens the database, makes it when it is not there, and brings its schema up to date.
pub(super) async fn open(url: &str, schema: Schema<'_>) -> Result<Db, StoreError> {
    let path = file_of(url)?;
    if schema == Schema::AsIs && !path.exists() {
        return Err(StoreError::Open { path, reason: "there is no such file".to_owned() });
    }
    // Two programs that start at once on one database migrate it one after the other.
    let _lock = lock(path.clone()).await?;
    // The file is named apart from the address, in which `%`, `?` and `#` would mean something.
    let mut options = ConnectOptions::new("sqlite:tenantry.db");
    let filename = path.clone();
    options.max_connections(CONNECTIONS).sqlx_logging(false).map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .filename(&filename)
            .journal_mode(SqliteJournalMode::Wal)
            // What was answered with success must survive a power cut, not only a crash.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .foreign_keys(true)
    });
    let damaged = |error: DbErr| classify(&path, &error);
    let db = Database::connect(options).await.map_err(damaged)?;
    check(&db, &path).await?;
    refuse_newer(&db).await.map_err(|error| match error {
        StoreError::Database(error) => classify(&path, &error),
        error => error,
    })?;
    super::migrate(&db, schema).await.map_err(damaged)?;
    close_to_others(&path)?;
    Ok(Db::unbounded(db))
}

/// See [`super::check_url`].
pub(super) fn check_url(url: &str) -> Result<(), StoreError> {
    file_of(url).map(drop)
}

fn file_of(url: &str) -> Result<PathBuf, StoreError> {
    let unsupported = || {
        // The rest of an address may hold a password.
        let scheme = url.split_once(':').map_or(url, |(scheme, _)| scheme);
        StoreError::UnsupportedUrl(format!("{scheme}:…"))
    };
    let rest = url.strip_prefix("sqlite:").ok_or_else(unsupported)?;
    let path = PathBuf::from(rest.strip_prefix("//").unwrap_or(rest));
    if path.is_absolute() { Ok(path) } else { Err(unsupported()) }
}

/// See [`prepare`]. Whoever has the lock may need this very thread to go on, so we wait on another.
async fn lock(path: PathBuf) -> Result<File, StoreError> {
    let task = tokio::task::spawn_blocking({
        let path = path.clone();
        move || prepare(&path)
    });
    let ended =
        |error: tokio::task::JoinError| StoreError::Open { path, reason: error.to_string() };
    task.await.map_err(ended)?
}

/// Makes the file, closed to everybody else, and holds a lock beside it while the schema is looked at.
fn prepare(path: &Path) -> Result<File, StoreError> {
    let open = |path: &Path| {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
    };
    let fault =
        |error: io::Error| StoreError::Open { path: path.to_owned(), reason: error.to_string() };
    open(path).map_err(fault)?;
    let lock = open(&beside(path, "-lock")).map_err(fault)?;
    lock.lock().map_err(fault)?;
    Ok(lock)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The files of an older installation may be open to others.
fn close_to_others(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt as _;
    for file in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        match fs::set_permissions(&file, fs::Permissions::from_mode(0o600)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::Open { path: file, reason: error.to_string() });
            }
            _ => {}
        }
    }
    Ok(())
}

fn classify(path: &Path, error: &DbErr) -> StoreError {
    let reason = error.to_string();
    let path = path.to_owned();
    if reason.contains("not a database") || reason.contains("malformed") {
        StoreError::Corrupt { path, reason }
    } else {
        StoreError::Open { path, reason }
    }
}

async fn check(db: &DatabaseConnection, path: &Path) -> Result<(), StoreError> {
    let fault = |error: DbErr| classify(path, &error);
    let ask = |sql: String| db.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql));
    let tables = ask("SELECT name FROM sqlite_master WHERE type = 'table'".to_owned());
    for table in tables.await.map_err(fault)? {
        let table: String = table.try_get_by_index(0).map_err(fault)?;
        if !VITAL.contains(&table.as_str()) {
            continue;
        }
        let rows = ask(format!("PRAGMA quick_check({table})")).await.map_err(fault)?;
        let said: String = match rows.first() {
            Some(row) => row.try_get_by_index(0).map_err(fault)?,
            None => "no answer to quick_check".to_owned(),
        };
        if said != "ok" {
            let reason = format!("table {table}: {said}");
            return Err(StoreError::Corrupt { path: path.to_owned(), reason });
        }
    }
    Ok(())
}
