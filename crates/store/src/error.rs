//! What can go wrong with the store.

use std::path::PathBuf;

use api::phone::Phone;
use api::tenant::TenantId;
use sea_orm::DbErr;
use uuid::Uuid;

/// Why the store did not do what was asked. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address is of a kind that this program does not know.
    #[error("DATABASE_URL {0:?} is not supported; use sqlite:/path/of/the/file.db")]
    UnsupportedUrl(String),
    /// The database's file cannot be made or opened.
    #[error("the database {path} cannot be opened: {reason}; check the path and its permissions")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The file is no database, or a damaged one.
    #[error(
        "the database {path} is damaged ({reason}); restore a backup, or move it away to begin anew"
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The database was made by a newer program.
    #[error(
        "the database is newer than this program (it has {found}, the program knows up to {known}); upgrade tenantry"
    )]
    Newer {
        /// The migration that this program does not know.
        found: String,
        /// The newest migration that it knows.
        known: String,
    },
    /// Another tenant has this number.
    #[error("another tenant has the phone number {0}")]
    PhoneTaken(Phone),
    /// Another account has this address.
    #[error("another account has the address {0}")]
    EmailTaken(String),
    /// There is no such account.
    #[error("no account has the id {0}")]
    UnknownUser(Uuid),
    /// There is no such tenant.
    #[error("no tenant has the id {0}")]
    UnknownTenant(TenantId),
    /// The database did not do its work.
    #[error("the database failed: {0}")]
    Database(#[from] DbErr),
}
