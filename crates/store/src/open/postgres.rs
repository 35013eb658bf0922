//! Opening a database of a PostgreSQL server.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sea_orm::sqlx::{self, AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use sea_orm::{DatabaseConnection, DbErr, RuntimeErr, SqlxPostgresConnector};

use super::refuse_newer;
use crate::db::Db;
use crate::error::{ConnectFault, StoreError};
use crate::gate::Gate;
use crate::lock;
use crate::schema::Schema;

/// Statements are short and the server shares its processors among all of them: more connections would only
/// take its memory.
const CONNECTIONS: u32 = 8;
/// How long a request waits for a connection, also when the server is away: then it is told so.
const ACQUIRE: Duration = Duration::from_secs(3);
/// How long the first connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// After so long the server itself gives a statement up, a lock that it waits for included.
const STATEMENT: Duration = Duration::from_secs(8);
/// After so long without an answer we do not wait for the server to give it up.
const ANSWER: Duration = Duration::from_secs(10);
/// A connection that has not been used for so long is closed, those of a burst among them.
const IDLE: Duration = Duration::from_secs(10 * 60);
/// How long a returned connection may take to show that it is still good.
const RETURN: Duration = Duration::from_secs(2);

/// The parameters of an address that mean something.
const PARAMETERS: [&str; 14] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "port",
    "dbname",
    "user",
    "password",
];

/// Opens the database and brings its schema up to date.
pub(super) async fn open(url: &str, schema: Schema<'_>) -> Result<Db, StoreError> {
    let options = options(url)?;
    let place = place(&options);
    let failed = |error: &sqlx::Error| connect_error(&place, error);
    let connecting = tokio::time::timeout(CONNECT, options.connect());
    let mut first = match connecting.await {
        Ok(connection) => connection.map_err(|error| failed(&error))?,
        Err(_) => return Err(failed(&sqlx::Error::PoolTimedOut)),
    };
    suitable(&mut first, &place).await?;
    // Two programs that start at once on one database migrate it one after the other. The lock goes with the
    // connection, whatever becomes of us.
    let sql = format!("SELECT pg_advisory_lock({})", lock::MIGRATION);
    first.execute(AssertSqlSafe(sql)).await.map_err(|error| failed(&error))?;
    let migrated = migrate(&options, &place, schema).await;
    // It ends either way.
    let _ = first.close().await;
    migrated?;
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(IDLE)
        // A connection to a server that was started again is found out before a request is given to it.
        .test_before_acquire(true)
        // A request that was given up leaves a connection that may never answer. It must not keep its place.
        .after_release(|connection, _| {
            Box::pin(async move {
                Ok(matches!(tokio::time::timeout(RETURN, connection.ping()).await, Ok(Ok(()))))
            })
        })
        .connect_with(
            options.clone().options([("statement_timeout", STATEMENT.as_millis().to_string())]),
        )
        .await
        .map_err(|error| failed(&error))?;
    let gate = Gate::new(Arc::new(move || Box::pin(probe(options.clone()))));
    Ok(Db::bounded(SqlxPostgresConnector::from_sqlx_postgres_pool(pool), ANSWER, gate))
}

/// Connects past the pool, whose places may all be taken by those who wait in vain.
async fn probe(options: PgConnectOptions) -> Result<(), String> {
    let ask = async {
        let mut connection = options.connect().await?;
        connection.ping().await?;
        connection.close().await
    };
    match tokio::time::timeout(CONNECT, ask).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", CONNECT.as_secs())),
    }
}

/// See [`super::check_url`].
pub(super) fn check_url(url: &str) -> Result<(), StoreError> {
    options(url).map(drop)
}

fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    // Unknown parameters would be logged together with their values.
    let (_, parameters) = url.split_once('?').unwrap_or_default();
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        let name = parameter.split('=').next().unwrap_or_default();
        if !PARAMETERS.contains(&name) {
            let known = "sslmode, sslrootcert, sslcert, sslkey, host, port, dbname, user, password";
            return Err(StoreError::Url(format!(
                "what follows the ? may name {known}; write a ? of the password as %3F"
            )));
        }
    }
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let options: PgConnectOptions =
        format!("postgres://{rest}").parse().map_err(|error: sqlx::Error| {
            let reason = match error {
                sqlx::Error::Configuration(reason) => reason.to_string(),
                other => other.to_string(),
            };
            StoreError::Url(format!(
                "{reason}; write postgres://user:password@host:5432/database, with characters such as @ : / ? # % of the password as %40 %3A %2F %3F %23 %25"
            ))
        })?;
    Ok(options.application_name("tenantry").disable_statement_logging())
}

/// Which database it is, without a password.
fn place(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or(options.get_username());
    let host = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => options.get_host().to_owned(),
    };
    format!("{database} at {host}:{} as {}", options.get_port(), options.get_username())
}

/// Looks whether the database is of a kind that we can keep anything in.
async fn suitable(connection: &mut PgConnection, place: &str) -> Result<(), StoreError> {
    let sql = "SELECT current_setting('server_encoding'), pg_is_in_recovery()";
    let (encoding, copy): (String, bool) = sqlx::query_as(sql)
        .fetch_one(connection)
        .await
        .map_err(|error| connect_error(place, &error))?;
    let refuse =
        |fault, reason| Err(StoreError::Connect { place: place.to_owned(), fault, reason });
    if encoding != "UTF8" {
        return refuse(ConnectFault::Encoding, format!("its encoding is {encoding}"));
    }
    if copy {
        return refuse(ConnectFault::ReadOnly, "it is a standby server".to_owned());
    }
    Ok(())
}

/// Brings the schema up to date, which may take as long as it takes.
async fn migrate(
    options: &PgConnectOptions,
    place: &str,
    schema: Schema<'_>,
) -> Result<(), StoreError> {
    let pool = PgPoolOptions::new()
        .max_connections(2)
        .acquire_timeout(CONNECT)
        .connect_with(options.clone())
        .await
        .map_err(|error| connect_error(place, &error))?;
    let db = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
    let migrated = bring_up_to_date(&db, schema).await;
    pool.close().await;
    migrated.map_err(|error| match error {
        StoreError::Database(DbErr::Exec(RuntimeErr::SqlxError(error)))
        | StoreError::Database(DbErr::Query(RuntimeErr::SqlxError(error)))
        | StoreError::Database(DbErr::Conn(RuntimeErr::SqlxError(error))) => {
            connect_error(place, &error)
        }
        error => error,
    })
}

async fn bring_up_to_date(db: &DatabaseConnection, schema: Schema<'_>) -> Result<(), StoreError> {
    refuse_newer(db).await?;
    Ok(super::migrate(db, schema).await?)
}

fn connect_error(place: &str, error: &sqlx::Error) -> StoreError {
    let (fault, reason) = match error {
        sqlx::Error::Database(error) => {
            (fault_of(error.code().as_deref()), error.message().to_owned())
        }
        sqlx::Error::Io(error) => (ConnectFault::Unreachable, error.to_string()),
        sqlx::Error::PoolTimedOut => {
            (ConnectFault::Unreachable, format!("no answer within {} s", CONNECT.as_secs()))
        }
        sqlx::Error::Tls(error) => (ConnectFault::Encryption, error.to_string()),
        error => (ConnectFault::Other, error.to_string()),
    };
    StoreError::Connect { place: place.to_owned(), fault, reason }
}

/// What an SQLSTATE means (PostgreSQL's manual, appendix A).
fn fault_of(code: Option<&str>) -> ConnectFault {
    match code {
        Some("28P01" | "28000") => ConnectFault::Login,
        Some("3D000") => ConnectFault::NoDatabase,
        Some("42501" | "3F000") => ConnectFault::Privileges,
        Some("53300") => ConnectFault::Full,
        // It starts, or is being shut down.
        Some("57P03" | "57P01") => ConnectFault::Unreachable,
        Some(_) | None => ConnectFault::Other,
    }
}
