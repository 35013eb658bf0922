//! The installation itself: what it is made of, what its doctor says, and its backups.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::worker::RuntimeKind;

/// The installation, as `GET /admin/system` tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SystemView {
    /// The program's version.
    pub version: String,
    /// When the control plane was started.
    pub started_at: DateTime<Utc>,
    /// The folder that everything stands in.
    pub home: String,
    /// Where people reach the server: what links begin with.
    pub public_url: String,
    /// Whether the server itself speaks TLS.
    pub tls: bool,
    /// Whether letters can be sent.
    pub mail: bool,
    /// The name of the identity provider, where one is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oidc: Option<String>,
    /// The database.
    pub database: DatabaseView,
    /// Where workers run: those that are in use.
    pub runtimes: Vec<RuntimeView>,
    /// How many tenants there are.
    pub tenants: u64,
    /// How many accounts there are.
    pub users: u64,
}

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DatabaseKind {
    /// A file in the home.
    Sqlite,
    /// A server.
    Postgres,
}

/// The database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DatabaseView {
    /// Its kind.
    pub kind: DatabaseKind,
    /// The version of SQLite's library or of PostgreSQL's server.
    pub version: String,
    /// What it takes on the disk, where that can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// The version of the schema: the name of the newest migration.
    pub schema: String,
    /// How many migrations were made.
    pub migrations: u64,
}

/// How a runtime is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RuntimeState {
    /// It answers, and all of its workers are known.
    Ok,
    /// It answers, but has not yet told what runs in it.
    Connecting,
    /// It does not answer.
    Unreachable,
}

/// A place where workers run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuntimeView {
    /// Its kind.
    pub kind: RuntimeKind,
    /// How it is.
    pub state: RuntimeState,
    /// Why it does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// How many processes it has, workers and others, as far as it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processes: Option<u64>,
    /// How many of the workers have a process there, as last seen.
    pub workers: u64,
    /// Its version, as far as it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What `tenantry doctor` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DoctorReport {
    /// How many of the findings are problems.
    pub problems: u64,
    /// How many are warnings.
    pub warnings: u64,
    /// Everything that was looked at.
    pub findings: Vec<Finding>,
}

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingLevel {
    /// It is well.
    Ok,
    /// It works, but something is not enforced, or will become a problem.
    Warning,
    /// Something does not work, or is not safe.
    Problem,
}

/// One thing that the doctor looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// What was looked at: a stable name for programs.
    pub check: String,
    /// How well it is.
    pub level: FindingLevel,
    /// What was found.
    pub found: String,
    /// What that means for tenants.
    pub meaning: String,
    /// What to do; absent when there is nothing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// The body of `POST /admin/backups`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateBackup {
    /// Public keys of age (`age1…`): only whoever has the secret key of one of them can read the backup.
    /// Without any it is not encrypted, and whoever has the file has every tenant's login.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
}

/// A backup in the home's folder `backups/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupView {
    /// The file's name.
    pub name: String,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// What could not be taken as it should be; told when the backup is made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}
