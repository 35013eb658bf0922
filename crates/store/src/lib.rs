//! The store: what must outlive every process, in one SQL database that the control plane alone opens.
//!
//! [`Store`] has one method a question or change; `query/` holds them by topic, `entity/` the tables,
//! `migration/` the history of the schema. SQLite's own settings stand in [`open`](Store::open) alone,
//! so that the same queries run on another database.

mod chain;
mod entity;
mod error;
mod event;
mod migration;
mod observe;
mod open;
mod query;
mod record;
mod words;

#[cfg(test)]
mod tests;

pub use error::StoreError;
pub use event::{EventSelection, NewEvent};
pub use observe::StatementKind;
pub use open::Store;
pub use query::AuditSelection;
pub use record::{
    Deletion, Enqueued, LoggedMessage, NewAudit, NewOutgoing, NewTenant, NewUpload, Observed,
    SessionRecord, TakenIn, TenantChange, TenantRecord, WorkerRecord,
};
