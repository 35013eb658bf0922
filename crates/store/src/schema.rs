//! How the database is: its kind, the version of its schema, what is in it.

use sea_orm::{ConnectionTrait as _, Statement};
use sea_orm_migration::{MigratorTrait as _, SchemaManager};
use serde::Serialize;

use crate::db::Transaction;
use crate::dump;
use crate::migration::Migrator;
use crate::tables::tables;
use crate::{Store, StoreError};

/// What is to become of the schema when a database is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema<'a> {
    /// It is brought up to date.
    Latest,
    /// It stays as it is, and so does a database that is not there.
    AsIs,
    /// That of an earlier version, for the rows of one. A database that has more is left as it is.
    At(&'a str),
}

/// How a database is.
#[derive(Clone, Debug, Serialize)]
pub struct DatabaseStatus {
    /// `sqlite` or `postgres`.
    pub backend: &'static str,
    /// The newest migration that was made; absent in a database without tables.
    pub schema: Option<String>,
    /// The migrations that are still to be made.
    pub pending: Vec<String>,
    /// The rows of each table that there is.
    pub tables: Vec<TableStatus>,
    /// What it takes on the disk, in bytes.
    pub size: u64,
}

/// A table.
#[derive(Clone, Debug, Serialize)]
pub struct TableStatus {
    /// Its name.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
}

/// The newest version of the schema that this program knows.
#[must_use]
pub fn latest_schema() -> String {
    Migrator::migrations().last().map(|newest| newest.name().to_owned()).unwrap_or_default()
}

/// Whether this program knows a version of the schema.
#[must_use]
pub fn knows_schema(version: &str) -> bool {
    Migrator::migrations().iter().any(|migration| migration.name() == version)
}

/// What a database is, in what costs little to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseAbout {
    /// Whether it is PostgreSQL; else SQLite.
    pub is_postgres: bool,
    /// The version of the server or of the library.
    pub version: String,
    /// What it takes on the disk, in bytes.
    pub size: u64,
    /// The newest migration that was made.
    pub schema: String,
    /// How many were made.
    pub migrations: u64,
}

impl Store {
    /// What the database is.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn about(&self) -> Result<DatabaseAbout, StoreError> {
        let applied = Migrator::get_migration_models(self.db.pool()).await?;
        let view = self.db.view().await?;
        let backend = view.get_database_backend();
        let is_postgres = self.db.is_postgres();
        let sql = if is_postgres {
            "SELECT current_setting('server_version')"
        } else {
            "SELECT sqlite_version()"
        };
        let version = view.query_one_raw(Statement::from_string(backend, sql)).await?;
        Ok(DatabaseAbout {
            is_postgres,
            version: version.map_or_else(|| Ok(String::new()), |row| row.try_get_by_index(0))?,
            size: size(&view, is_postgres).await?,
            schema: applied.last().map(|newest| newest.version.clone()).unwrap_or_default(),
            migrations: applied.len() as u64,
        })
    }

    /// How the database is.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn status(&self) -> Result<DatabaseStatus, StoreError> {
        let manager = SchemaManager::new(self.db.pool());
        let applied = if manager.has_table("seaql_migrations").await? {
            Migrator::get_migration_models(self.db.pool()).await?
        } else {
            Vec::new()
        };
        let all = Migrator::migrations();
        let names = all.iter().map(|migration| migration.name().to_owned());
        let pending = names.filter(|name| applied.iter().all(|made| made.version != *name));
        let view = self.db.view_long().await?;
        let mut found = Vec::new();
        for table in tables() {
            if manager.has_table(&table.name).await? {
                let rows = dump::count(&view, &table).await?;
                found.push(TableStatus { table: table.name, rows });
            }
        }
        let is_postgres = self.db.is_postgres();
        Ok(DatabaseStatus {
            backend: if is_postgres { "postgres" } else { "sqlite" },
            schema: applied.last().map(|newest| newest.version.clone()),
            pending: pending.collect(),
            tables: found,
            size: size(&view, is_postgres).await?,
        })
    }

    /// The version of the schema, of a database that is up to date.
    ///
    /// # Errors
    /// [`StoreError::Pending`] when it is not, [`StoreError::Database`].
    pub async fn require_latest(&self) -> Result<String, StoreError> {
        match self.status_of_schema().await? {
            (schema, 0) => Ok(schema),
            (schema, pending) => Err(StoreError::Pending { schema, pending }),
        }
    }

    async fn status_of_schema(&self) -> Result<(String, usize), StoreError> {
        let manager = SchemaManager::new(self.db.pool());
        if !manager.has_table("seaql_migrations").await? {
            return Ok((String::new(), Migrator::migrations().len()));
        }
        let applied = Migrator::get_migration_models(self.db.pool()).await?;
        let schema = applied.last().map(|newest| newest.version.clone()).unwrap_or_default();
        Ok((schema, Migrator::migrations().len().saturating_sub(applied.len())))
    }

    /// Makes the migrations that are still to be made, after the rows of an earlier version were put in.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn bring_up_to_date(&self) -> Result<(), StoreError> {
        Ok(Migrator::up(self.db.pool(), None).await?)
    }
}

/// What a database takes on the disk, in bytes.
async fn size(view: &Transaction, is_postgres: bool) -> Result<u64, StoreError> {
    let sql = if is_postgres {
        "SELECT pg_database_size(current_database())"
    } else {
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    };
    let statement = Statement::from_string(view.get_database_backend(), sql);
    let size = view.query_one_raw(statement).await?;
    let size: i64 = size.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(size.cast_unsigned())
}
