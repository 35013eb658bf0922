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
    #[error(
        "DATABASE_URL {0:?} is not supported; use sqlite:/path/of/the/file.db or postgres://user:password@host/database"
    )]
    UnsupportedUrl(String),
    /// The address of a PostgreSQL database cannot be understood. Its text is not repeated: it may hold a password.
    #[error("DATABASE_URL is no address of a PostgreSQL database: {0}")]
    Url(String),
    /// The server of the database cannot be used.
    #[error("the database {place} cannot be used: {reason}; {}", fault.remedy())]
    Connect {
        /// `database at host:port as user`.
        place: String,
        /// What is in the way.
        fault: ConnectFault,
        /// What the server or the system said.
        reason: String,
    },
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
    /// The database's schema is not up to date, and was to be left as it is.
    #[error(
        "the database's schema ({schema:?}) is older than this program's ({pending} migrations are to be made); run `tenantry db migrate`, or use the program that its server runs"
    )]
    Pending {
        /// The version that it has.
        schema: String,
        /// How many migrations are to be made.
        pending: usize,
    },
    /// The database that was to be filled is not empty.
    #[error("the database is not empty: its table {table} has {rows} rows; name one that is new")]
    NotEmpty {
        /// A table that has rows.
        table: String,
        /// How many.
        rows: u64,
    },
    /// What was put into a database is not what was read back from it.
    #[error(
        "table {table} is not as it was: {rows} rows were put in and {found} read back, or one of them differs; nothing was kept"
    )]
    Differs {
        /// The table.
        table: String,
        /// How many rows were put in.
        rows: u64,
        /// How many were read back.
        found: u64,
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

/// Why a database's server cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectFault {
    /// Nothing answers at the address.
    Unreachable,
    /// The user or the password is wrong, or the server lets this user in from elsewhere alone.
    Login,
    /// There is no such database.
    NoDatabase,
    /// The user may not do what is needed.
    Privileges,
    /// The server wants encryption and we do not, or the other way round, or its certificate is not trusted.
    Encryption,
    /// The server has no connection left for us.
    Full,
    /// The database cannot hold every text.
    Encoding,
    /// The database only lets itself be read: it is a copy of another.
    ReadOnly,
    /// Something else.
    Other,
}

impl ConnectFault {
    /// What to do.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Unreachable => {
                "check that PostgreSQL runs there, and host and port in DATABASE_URL"
            }
            Self::Login => {
                "correct user and password in DATABASE_URL (characters such as @ : / ? # % are written as %40 %3A %2F %3F %23 %25), and check pg_hba.conf of the server"
            }
            Self::NoDatabase => {
                "make it with `createdb --encoding=UTF8 NAME` on the server, or correct the name in DATABASE_URL"
            }
            Self::Privileges => {
                "make the user the owner of the database (ALTER DATABASE name OWNER TO user), which lets it make tables in it"
            }
            Self::Encryption => {
                "correct sslmode in DATABASE_URL (disable, prefer, require, verify-ca or verify-full) and, for the last two, sslrootcert"
            }
            Self::Full => {
                "raise max_connections of the server, or end other programs' connections; Tenantry needs ten"
            }
            Self::Encoding => {
                "make the database anew with `createdb --encoding=UTF8 --template=template0 NAME`"
            }
            Self::ReadOnly => "name the primary server in DATABASE_URL",
            Self::Other => "see the log of the database's server",
        }
    }
}
