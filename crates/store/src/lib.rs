//! The store: what must outlive every process, in one SQL database that the control plane alone opens.
//!
//! [`Store`] has one method a question or change; `query/` holds them by topic, `entity/` the tables,
//! `migration/` the history of the schema. The same queries run on SQLite and on PostgreSQL; what the two differ in stands in
//! `open/`, `db` and `lock`.

mod chain;
mod copy;
mod db;
mod dump;
mod entity;
mod error;
mod event;
mod gate;
mod load;
mod lock;
mod migration;
mod observe;
mod open;
mod people;
mod query;
mod record;
mod row;
mod schema;
mod tables;
mod words;

#[cfg(test)]
mod tests;

pub use copy::{Copied, Step, copy};
pub use dump::{Snapshot, Sum};
pub use error::{ConnectFault, StoreError};
pub use event::{EventSelection, NewEvent};
pub use load::Loader;
pub use observe::StatementKind;
pub use open::{Store, check_url};
pub use people::{BrowserSession, KeyRecord, LinkKind, UserRecord};
pub use query::{AuditSelection, MessageSelection};
pub use record::{
    BrandRecord, Deletion, Enqueued, LoggedMessage, Logo, NewAudit, NewOutgoing, NewTenant,
    NewUpload, Observed, SessionRecord, TakenIn, TenantChange, TenantRecord, WorkerRecord,
};
pub use row::{Row, RowError};
pub use schema::{DatabaseAbout, DatabaseStatus, Schema, TableStatus, knows_schema, latest_schema};
pub use tables::{Column, Kind, Table, tables};
