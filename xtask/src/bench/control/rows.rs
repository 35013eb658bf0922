//! Many tenants from one: its rows are copied within the database, under new ids and names.
//!
//! Made through the API, each would be a transaction that waits for the disk. Columns are copied as they are,
//! whatever there may be, so that this does not depend on the schema but for ids and names.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::bench::distribution;

/// A table and what must differ in its copies.
const TABLES: [(&str, &str); 4] = [
    (
        "tenant",
        "id = copy_id, name = 'tenant ' || copy_n, slug = 'tenant-' || copy_n, phone = NULL",
    ),
    ("tenant_config", "tenant_id = copy_id"),
    ("whatsapp_session", "tenant_id = copy_id"),
    ("worker_process", "tenant_id = copy_id, name = 'worker-' || copy_n"),
];

/// The database's own client.
enum Client<'a> {
    Sqlite(PathBuf),
    Postgres(&'a str),
}

/// Makes the one tenant of a database `count`.
pub fn multiply(home: &Path, database_url: Option<&str>, count: usize) -> Result<()> {
    let client = Client::of(home, database_url);
    let random = match client {
        Client::Sqlite(_) => "randomblob(16)",
        Client::Postgres(_) => "gen_random_uuid()",
    };
    let mut sql = format!(
        "CREATE TEMP TABLE copies AS WITH RECURSIVE numbers(copy_n) AS (SELECT 1 UNION ALL SELECT copy_n + 1 \
         FROM numbers WHERE copy_n < {}) SELECT copy_n, {random} AS copy_id FROM numbers;",
        count.saturating_sub(1)
    );
    for (table, changes) in TABLES {
        sql.push_str(&format!(
            "CREATE TEMP TABLE of_{table} AS SELECT * FROM {table}, copies; UPDATE of_{table} SET {changes}; \
             ALTER TABLE of_{table} DROP COLUMN copy_n; ALTER TABLE of_{table} DROP COLUMN copy_id;"
        ));
    }
    sql.push_str("BEGIN;");
    for (table, _) in TABLES {
        sql.push_str(&format!("INSERT INTO {table} SELECT * FROM of_{table};"));
    }
    sql.push_str("COMMIT;");
    client.run(&sql).map(|_| ())
}

/// Each tenant's id and its worker's name.
pub fn workers(home: &Path, database_url: Option<&str>) -> Result<Vec<(String, String)>> {
    let client = Client::of(home, database_url);
    let id = match client {
        Client::Sqlite(_) => "lower(hex(tenant_id))",
        Client::Postgres(_) => "replace(tenant_id::text, '-', '')",
    };
    let said = client.run(&format!("SELECT {id}, name FROM worker_process ORDER BY tenant_id;"))?;
    said.lines().map(row).collect()
}

fn row(line: &str) -> Result<(String, String)> {
    let (id, name) = line.split_once('|').with_context(|| format!("no row: {line}"))?;
    let part = |range| id.get(range).with_context(|| format!("no id: {id}"));
    let id = format!(
        "{}-{}-{}-{}-{}",
        part(0..8)?,
        part(8..12)?,
        part(12..16)?,
        part(16..20)?,
        part(20..32)?
    );
    Ok((id, name.to_owned()))
}

impl<'a> Client<'a> {
    fn of(home: &Path, database_url: Option<&'a str>) -> Self {
        match database_url {
            Some(url) => Self::Postgres(url),
            None => Self::Sqlite(home.join("tenantry.db")),
        }
    }

    /// Runs statements, and gives what the last one selects: columns with `|` between them.
    fn run(&self, sql: &str) -> Result<String> {
        let (program, package) = match self {
            Self::Sqlite(_) => ("sqlite3", "sqlite3"),
            Self::Postgres(_) => ("psql", "postgresql-client"),
        };
        if distribution::on_path(program).is_none() {
            distribution::install(package)?;
        }
        let mut command = Command::new(program);
        match self {
            Self::Sqlite(file) => command.arg("-bail").arg(file).arg(sql),
            Self::Postgres(url) => {
                let options =
                    ["--quiet", "--no-align", "--tuples-only", "--set", "ON_ERROR_STOP=1"];
                command.args(options).args(["--command", sql, url])
            }
        };
        let output = command.output().with_context(|| format!("cannot run {program}"))?;
        if !output.status.success() {
            bail!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

#[cfg(test)]
mod tests {
    use super::row;

    #[test]
    fn an_id_gets_its_dashes() {
        let row = row("0123456789abcdef0123456789abcdef|worker-1").unwrap();
        assert_eq!(row.0, "01234567-89ab-cdef-0123-456789abcdef");
        assert_eq!(row.1, "worker-1");
        assert!(super::row("0123|worker-1").is_err());
    }
}
