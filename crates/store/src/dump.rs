//! Reading a whole database at one moment, page by page.

use sea_orm::sea_query::{Alias, Asterisk, Expr, ExprTrait as _, Order, Query};
use sea_orm::{ConnectionTrait as _, DbErr, Statement};
use serde::{Deserialize, Serialize};

use crate::db::Transaction;
use crate::row::Row;
use crate::tables::Table;
use crate::{Store, StoreError};

/// So many rows are in memory at a time.
const PAGE: u64 = 200;

/// All tables as they are at the moment of the first question, whatever is changed meanwhile.
pub struct Snapshot {
    transaction: Transaction,
}

/// How many rows a table has, and the sum of their sums: the same on both databases, in whatever order the
/// rows come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// How many rows.
    pub rows: u64,
    /// The first 128 bits of each row's SHA-256, added up.
    #[serde(with = "digits")]
    pub sum: u128,
}

impl Sum {
    /// Adds a row.
    pub fn add(&mut self, row: &Row) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(row.sum());
    }
}

/// A sum as 32 hexadecimal digits: numbers of JSON are too short for it.
mod digits {
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(sum: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{sum:032x}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map_err(de::Error::custom)
    }
}

impl Store {
    /// Looks at the whole database at one moment.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let transaction = self.db.view_long().await?;
        // SQLite chooses the moment with the first table that is read.
        transaction.execute_unprepared("SELECT 1 FROM seaql_migrations").await?;
        Ok(Snapshot { transaction })
    }
}

impl Snapshot {
    /// The rows after `last`, in the order of the primary key; none when there are no more.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn page(&self, table: &Table, last: Option<&Row>) -> Result<Vec<Row>, StoreError> {
        Ok(page(&self.transaction, table, last).await?)
    }

    /// How many rows a table has.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn count(&self, table: &Table) -> Result<u64, StoreError> {
        Ok(count(&self.transaction, table).await?)
    }

    /// The last number that the database gave to a row of a table that it numbers, whether the row is still
    /// there or not.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn last_number(&self, table: &Table) -> Result<Option<i64>, StoreError> {
        Ok(last_number(&self.transaction, table).await?)
    }
}

/// See [`Snapshot::page`].
pub(crate) async fn page(
    transaction: &Transaction,
    table: &Table,
    last: Option<&Row>,
) -> Result<Vec<Row>, DbErr> {
    let key = |name: &String| Expr::col(Alias::new(name));
    let mut select = Query::select();
    select.columns(table.columns.iter().map(|column| Alias::new(&column.name)));
    select.from(Alias::new(&table.name)).limit(PAGE);
    for name in &table.key {
        select.order_by(Alias::new(name), Order::Asc);
    }
    if let Some(last) = last {
        let values = table.key.iter().filter_map(|name| {
            let at = table.columns.iter().position(|column| column.name == *name)?;
            last.0.get(at).cloned().map(Expr::value)
        });
        let names = Expr::tuple(table.key.iter().map(key));
        select.and_where(names.gt(Expr::tuple(values)));
    }
    let found = transaction.query_all(&select).await?;
    found.iter().map(|row| Row::read(row, table)).collect()
}

/// See [`Snapshot::count`].
pub(crate) async fn count(transaction: &Transaction, table: &Table) -> Result<u64, DbErr> {
    let mut select = Query::select();
    select.expr(Expr::col(Asterisk).count()).from(Alias::new(&table.name));
    let found = transaction.query_one(&select).await?;
    let count: i64 = found.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(count.cast_unsigned())
}

/// The sum of a table's rows.
pub(crate) async fn sum(transaction: &Transaction, table: &Table) -> Result<Sum, DbErr> {
    let mut sum = Sum::default();
    let mut last = None;
    loop {
        let rows = page(transaction, table, last.as_ref()).await?;
        rows.iter().for_each(|row| sum.add(row));
        last = rows.into_iter().next_back();
        if last.is_none() {
            return Ok(sum);
        }
    }
}

/// See [`Snapshot::last_number`].
pub(crate) async fn last_number(
    transaction: &Transaction,
    table: &Table,
) -> Result<Option<i64>, DbErr> {
    let Some(column) = &table.numbered else { return Ok(None) };
    let backend = transaction.get_database_backend();
    let statement = if transaction.is_postgres() {
        let sequence = sequence(transaction, &table.name, column).await?;
        // A sequence that has not given a number yet has a `last_value` all the same.
        let sql = format!("SELECT CASE WHEN is_called THEN last_value END FROM {sequence}");
        Statement::from_string(backend, sql)
    } else {
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = ?";
        Statement::from_sql_and_values(backend, sql, [table.name.clone().into()])
    };
    let found = transaction.query_one_raw(statement).await?;
    found.map_or(Ok(None), |row| row.try_get_by_index(0))
}

/// The quoted name of the sequence that numbers a column.
pub(crate) async fn sequence(
    transaction: &Transaction,
    table: &str,
    column: &str,
) -> Result<String, DbErr> {
    let statement = Statement::from_sql_and_values(
        transaction.get_database_backend(),
        "SELECT pg_get_serial_sequence($1, $2)",
        [format!("\"{table}\"").into(), column.into()],
    );
    let found = transaction.query_one_raw(statement).await?;
    let name: Option<String> = found.map_or(Ok(None), |row| row.try_get_by_index(0))?;
    name.ok_or_else(|| DbErr::Custom(format!("nothing numbers {table}.{column}")))
}
