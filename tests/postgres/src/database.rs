//! A database of one's own, in the server that the tests of a run share.

use std::process::Command;
use std::sync::OnceLock;

use uuid::Uuid;

use crate::programs::path;
use crate::{Cluster, VARIABLE};

/// An empty database, dropped when this is.
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// Makes one.
    ///
    /// # Panics
    /// When there is no server and none can be started.
    #[must_use]
    pub fn new() -> Self {
        Self::with("")
    }

    /// Makes one with further words of `CREATE DATABASE`.
    ///
    /// # Panics
    /// As [`Self::new`].
    #[must_use]
    pub fn with(words: &str) -> Self {
        let database = Self { server: server(), name: format!("t_{}", Uuid::now_v7().simple()) };
        psql(&database.at("postgres"), &format!("CREATE DATABASE {} {words}", database.name));
        database
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        self.at(&self.name)
    }

    /// The address of another database of the server.
    #[must_use]
    pub fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.server)
    }

    /// Carries out SQL in it, past the program under test, and gives what comes of it: a line a row.
    ///
    /// # Panics
    /// When it fails.
    pub fn sql(&self, sql: &str) -> String {
        psql(&self.url(), sql)
    }
}

impl Default for Database {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The server may be gone before its tests.
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let _ = Command::new(path("psql")).args(["-qX", "-c", &sql, &self.at("postgres")]).output();
    }
}

/// The address of the shared server, without a database.
fn server() -> String {
    static OWN: OnceLock<Cluster> = OnceLock::new();
    let url = match std::env::var(VARIABLE) {
        Ok(url) => url,
        Err(_) => OWN.get_or_init(Cluster::start).url("postgres"),
    };
    url.strip_suffix("/postgres").unwrap_or(&url).to_owned()
}

fn psql(url: &str, sql: &str) -> String {
    let mut command = Command::new(path("psql"));
    let output = command.args(["-qXAt", "-v", "ON_ERROR_STOP=1", "-c", sql, url]).output();
    let output = output.expect("psql runs");
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
