//! The audit log: who did what, in a chain that shows when an entry was changed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::tenant::TenantId;

/// One entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditView {
    /// The entry's number; grows.
    pub seq: i64,
    /// Who: `admin-token`, `admin-password`, `portal`, `system`, or somebody with a name.
    pub actor: String,
    /// What: `tenant.create`, `worker.start`, …
    pub action: String,
    /// The tenant that it was done to.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub tenant_id: Option<TenantId>,
    /// `ok`, or the code of the problem that it ended in.
    pub result: String,
    /// More in words.
    pub detail: String,
    /// When, in microseconds.
    pub at: DateTime<Utc>,
    /// The hash of the entry before; 64 zeros in the first.
    #[serde(default)]
    pub prev_hash: String,
    /// SHA-256 over the entry and `prev_hash` (`docs/audit.md` says how), in hexadecimal digits.
    #[serde(default)]
    pub hash: String,
}

/// The answer of `GET /admin/audit/verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditVerification {
    /// Whether every entry is what was written, none is missing, and the head that was given is one of them.
    pub ok: bool,
    /// How many entries were found to be right, from the first on.
    pub entries: u64,
    /// The number of the newest of them; 0: there is none.
    pub head_seq: i64,
    /// Its hash. Written down elsewhere it proves later that nothing up to it was changed.
    pub head: String,
    /// The first thing that is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<BrokenEntry>,
    /// The number of the entry that has the hash that was asked for; none: no entry has it, or none was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_seq: Option<i64>,
}

/// An entry that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BrokenEntry {
    /// Its number.
    pub seq: i64,
    /// What is wrong with it, in words.
    pub reason: String,
}
