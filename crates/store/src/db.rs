//! The pool of connections, and what the two kinds of database differ in while it is used.
//!
//! | | SQLite | PostgreSQL |
//! |---|---|---|
//! | writers | one at a time: a transaction whose first statement writes has the database for itself | many: what must not interleave takes a lock of [`crate::lock`] |
//! | a transaction that reads | sees one moment | sees one moment only if it asks for that: [`Db::view`] |
//! | an answer that does not come | cannot be: it is a file | after [`Db::bounded`]'s time the statement has failed |

use std::time::Duration;

use chrono::SubsecRound as _;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    ExecResult, IsolationLevel, QueryResult, RuntimeErr, Statement, TransactionTrait as _, Value,
};
use sea_orm_migration::async_trait;

use crate::gate::Gate;

/// The pool of connections. Clones share it.
#[derive(Clone)]
pub(crate) struct Db {
    pool: DatabaseConnection,
    watch: Watch,
}

/// A transaction; dropped without [`Transaction::commit`], nothing of it was done.
pub(crate) struct Transaction {
    inner: DatabaseTransaction,
    watch: Watch,
}

/// What watches over statements to a server.
#[derive(Clone, Default)]
struct Watch {
    bound: Option<Duration>,
    gate: Option<Gate>,
}

impl Db {
    /// A pool whose statements may take as long as they take.
    pub(crate) fn unbounded(pool: DatabaseConnection) -> Self {
        Self { pool, watch: Watch::default() }
    }

    /// A pool whose statements have failed when there is no answer after `bound`. A server that is cut off
    /// sends nothing, not even that it is gone, and the system's own patience is a quarter of an hour.
    /// `gate` is asked before each of them.
    pub(crate) fn bounded(pool: DatabaseConnection, bound: Duration, gate: Gate) -> Self {
        Self { pool, watch: Watch { bound: Some(bound), gate: Some(gate) } }
    }

    /// The pool itself.
    pub(crate) fn pool(&self) -> &DatabaseConnection {
        &self.pool
    }

    /// Has each statement told, from now on and of clones that are made from now on.
    pub(crate) fn observe(
        &mut self,
        observer: impl Fn(&sea_orm::metric::Info<'_>) + Send + Sync + 'static,
    ) {
        self.pool.set_metric_callback(observer);
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.pool.get_database_backend() == DbBackend::Postgres
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&self) -> Result<Transaction, DbErr> {
        let inner = self.watch.over(self.pool.begin()).await?;
        Ok(Transaction { inner, watch: self.watch.clone() })
    }

    /// Begins a transaction that only reads, and sees all tables as they are at one moment.
    pub(crate) async fn view(&self) -> Result<Transaction, DbErr> {
        if !self.is_postgres() {
            return self.begin().await;
        }
        let begin = self
            .pool
            .begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly));
        Ok(Transaction { inner: self.watch.over(begin).await?, watch: self.watch.clone() })
    }

    /// Begins a transaction for a change that may take long, such as the deletion of a million rows.
    pub(crate) async fn begin_long(&self) -> Result<Transaction, DbErr> {
        let mut transaction = self.begin().await?;
        if self.is_postgres() {
            transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
        }
        transaction.watch.bound = None;
        Ok(transaction)
    }

    /// The same for one that only reads.
    pub(crate) async fn view_long(&self) -> Result<Transaction, DbErr> {
        let mut transaction = self.view().await?;
        if self.is_postgres() {
            transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
        }
        transaction.watch.bound = None;
        Ok(transaction)
    }

    /// Asks whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), DbErr> {
        self.watch.over(self.pool.ping()).await
    }
}

impl Transaction {
    /// Makes what was done last.
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        self.watch.over(self.inner.commit()).await
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.inner.get_database_backend() == DbBackend::Postgres
    }
}

/// Replaces what PostgreSQL cannot keep in a text (a NUL), so that no message of a contact can stop everything that
/// comes after it, and cuts what is shorter than a microsecond from times; on SQLite too, so that both hold the same.
fn storable(mut statement: Statement) -> Statement {
    for value in statement.values.iter_mut().flat_map(|values| &mut values.0) {
        match value {
            Value::String(Some(text)) => without_nul(text),
            Value::Json(Some(json)) => without_nul_inside(json),
            Value::ChronoDateTimeUtc(Some(at)) => *at = at.trunc_subsecs(6),
            _ => {}
        }
    }
    statement
}

fn without_nul(text: &mut String) {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{fffd}");
    }
}

fn without_nul_inside(json: &mut serde_json::Value) {
    match json {
        serde_json::Value::String(text) => without_nul(text),
        serde_json::Value::Array(items) => items.iter_mut().for_each(without_nul_inside),
        serde_json::Value::Object(fields) => {
            if fields.keys().any(|name| name.contains('\0')) {
                let all = std::mem::take(fields).into_iter();
                fields.extend(all.map(|(name, value)| (name.replace('\0', "\u{fffd}"), value)));
            }
            fields.values_mut().for_each(without_nul_inside);
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

impl Watch {
    /// Waits for an answer, at most as long as the bound says, if the server is there to give one.
    async fn over<T>(&self, answer: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        if let Some(gate) = &self.gate {
            gate.pass()?;
        }
        let outcome = match self.bound {
            None => answer.await,
            Some(bound) => tokio::time::timeout(bound, answer).await.unwrap_or_else(|_| {
                let said = format!("the database did not answer within {} s", bound.as_secs());
                Err(DbErr::Conn(RuntimeErr::Internal(said)))
            }),
        };
        if let Some(gate) = &self.gate {
            gate.observe(&outcome);
        }
        outcome
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Db {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.watch.over(self.pool.execute_raw(storable(statement))).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.watch.over(self.pool.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.watch.over(self.pool.query_one_raw(storable(statement))).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.watch.over(self.pool.query_all_raw(storable(statement))).await
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.watch.over(self.inner.execute_raw(storable(statement))).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.watch.over(self.inner.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.watch.over(self.inner.query_one_raw(storable(statement))).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.watch.over(self.inner.query_all_raw(storable(statement))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_a_failure() {
        let never = std::future::pending::<Result<(), DbErr>>();
        let watch = |bound| Watch { bound, gate: None };
        let error = watch(Some(Duration::ZERO)).over(never).await.unwrap_err();
        assert!(error.to_string().contains("did not answer within 0 s"), "{error}");
        assert_eq!(watch(Some(Duration::from_secs(10))).over(async { Ok(7) }).await, Ok(7));
        assert_eq!(watch(None).over(async { Ok(7) }).await, Ok(7));
    }
}
