//! Opening the database: which kind it is, whether it is sound, and its schema.

mod postgres;
mod sqlite;

use std::time::Duration;

use sea_orm::{DatabaseConnection, DbErr};
use sea_orm_migration::{MigratorTrait as _, SchemaManager};

use crate::db::Db;
use crate::error::StoreError;
use crate::migration::Migrator;
use crate::schema::Schema;

/// How long the database may take to say that it is there.
const PING: Duration = Duration::from_secs(3);

/// The database. Clones share one pool of connections.
#[derive(Clone)]
pub struct Store {
    pub(crate) db: Db,
}

impl Store {
    /// Opens the database and brings its schema up to date. An SQLite database is made when it is not there.
    ///
    /// # Errors
    /// [`StoreError::UnsupportedUrl`], [`StoreError::Url`], [`StoreError::Open`], [`StoreError::Corrupt`],
    /// [`StoreError::Connect`], [`StoreError::Newer`].
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, Schema::Latest).await
    }

    /// Opens the database, and does with its schema what is said.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_with(url: &str, schema: Schema<'_>) -> Result<Self, StoreError> {
        let db = if is_postgres(url) {
            postgres::open(url, schema).await?
        } else {
            sqlite::open(url, schema).await?
        };
        Ok(Self { db })
    }

    /// Closes all connections: a database that is a file has no log beside it then.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.db.pool().clone().close().await?)
    }

    /// Asks whether the database answers.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        let late = || DbErr::Custom(format!("no answer within {} s", PING.as_secs()));
        Ok(tokio::time::timeout(PING, self.db.ping()).await.unwrap_or_else(|_| Err(late()))?)
    }
}

/// Looks whether an address is one that [`Store::open`] understands, without going there.
///
/// # Errors
/// [`StoreError::UnsupportedUrl`], [`StoreError::Url`]. Neither repeats the address, which may hold a password.
pub fn check_url(url: &str) -> Result<(), StoreError> {
    if is_postgres(url) { postgres::check_url(url) } else { sqlite::check_url(url) }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Makes the migrations that are to be made.
async fn migrate(db: &DatabaseConnection, schema: Schema<'_>) -> Result<(), DbErr> {
    match schema {
        Schema::AsIs => Ok(()),
        Schema::Latest => Migrator::up(db, None).await,
        Schema::At(version) => {
            Migrator::install(db).await?;
            let made = Migrator::get_migration_models(db).await?.len();
            let all = Migrator::migrations();
            let wanted = all.iter().position(|migration| migration.name() == version);
            let missing = wanted.map_or(0, |at| (at + 1).saturating_sub(made));
            Migrator::up(db, Some(u32::try_from(missing).unwrap_or(0))).await
        }
    }
}

/// A database that a newer program has migrated may mean something else by what looks the same.
async fn refuse_newer(db: &DatabaseConnection) -> Result<(), StoreError> {
    let applied = if SchemaManager::new(db).has_table("seaql_migrations").await? {
        Migrator::get_migration_models(db).await?
    } else {
        Vec::new()
    };
    let known: Vec<_> =
        Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    match applied.into_iter().find(|migration| !known.contains(&migration.version)) {
        Some(unknown) => {
            let known = known.last().cloned().unwrap_or_default();
            Err(StoreError::Newer { found: unknown.version, known })
        }
        None => Ok(()),
    }
}
