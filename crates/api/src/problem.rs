//! Errors on the wire: RFC 9457 problem documents with a stable `code`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A problem document (`application/problem+json`, RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// The problem's type as a relative address: `/problems/<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short summary that is the same for every problem of this code.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened to what, and what to do next.
    pub detail: String,
    /// The stable word that a program can match on, such as `worker_already_running`.
    pub code: String,
    /// The fields of the request that were refused, all of them at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// The last lines of the log of the process that this is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log_tail: Vec<String>,
}

/// One field of a request that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// The field's name in the request.
    pub field: String,
    /// What is wrong with it and what would be right.
    pub message: String,
}
