//! Filling an empty database.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait as _, Statement};

use crate::db::Transaction;
use crate::dump::{self, Sum};
use crate::row::Row;
use crate::tables::Table;
use crate::{Store, StoreError};

/// Tables whose one row is there from the beginning: it says how far another table has come.
const HEADS: [&str; 2] = ["audit_head", "event_head"];

/// Rows that are put into an empty database, all of them or none: what is dropped without
/// [`Loader::commit`] leaves it as empty as it was.
pub struct Loader {
    transaction: Transaction,
}

impl Store {
    /// Begins to fill the database.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`] when one of `tables` has a row, [`StoreError::Database`].
    pub async fn loader(&self, tables: &[Table]) -> Result<Loader, StoreError> {
        let transaction = self.db.begin_long().await?;
        for table in tables {
            if HEADS.contains(&table.name.as_str()) {
                let mut empty = Query::delete();
                empty.from_table(Alias::new(&table.name));
                transaction.execute(&empty).await?;
                continue;
            }
            let rows = dump::count(&transaction, table).await?;
            if rows > 0 {
                return Err(StoreError::NotEmpty { table: table.name.clone(), rows });
            }
        }
        Ok(Loader { transaction })
    }
}

impl Loader {
    /// Inserts rows. Those that others refer to have to come before.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn insert(&self, table: &Table, rows: &[Row]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut insert = Query::insert();
        insert.into_table(Alias::new(&table.name));
        insert.columns(table.columns.iter().map(|column| Alias::new(&column.name)));
        for row in rows {
            insert.values_panic(row.0.iter().cloned().map(Expr::value));
        }
        self.transaction.execute(&insert).await?;
        Ok(())
    }

    /// Lets the database go on after the number that was last given to a row of the table.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn go_on_after(&self, table: &Table, last: i64) -> Result<(), StoreError> {
        let Some(column) = &table.numbered else { return Ok(()) };
        let transaction = &self.transaction;
        let backend = transaction.get_database_backend();
        if transaction.is_postgres() {
            let sequence = dump::sequence(transaction, &table.name, column).await?;
            let sql = "SELECT setval($1::regclass, $2)";
            let values = [sequence.into(), last.into()];
            transaction.query_one_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
            return Ok(());
        }
        for sql in [
            "DELETE FROM sqlite_sequence WHERE name = ?1",
            "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)",
        ] {
            let values = [table.name.clone().into(), last.into()];
            let values = values.into_iter().take(sql.matches('?').count());
            transaction.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
        }
        Ok(())
    }

    /// The sum of what a table holds now, read back.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn sum(&self, table: &Table) -> Result<Sum, StoreError> {
        Ok(dump::sum(&self.transaction, table).await?)
    }

    /// Has no worker wanted to run. Gives how many were.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn want_no_worker(&self) -> Result<u64, StoreError> {
        let stopped = "STOPPED";
        let mut update = Query::update();
        update.table(Alias::new("worker_process")).value(Alias::new("desired"), stopped);
        update.and_where(ExprTrait::ne(Expr::col(Alias::new("desired")), stopped));
        Ok(self.transaction.execute(&update).await?.rows_affected())
    }

    /// Makes what was done last.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.transaction.commit().await?)
    }
}
