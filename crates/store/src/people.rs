//! People and keys, in the words of the rest of the program.

use std::fmt;

use api::access::{OperatorRole, Permission, TenantRole};
use api::tenant::TenantId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An account.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// The id.
    pub id: Uuid,
    /// The address that the person signs in with, in small letters; unique.
    pub email: String,
    /// What the person is called.
    pub name: String,
    /// A role among the operator's people.
    pub role: Option<OperatorRole>,
    /// Places among tenants' own people.
    pub memberships: Vec<(TenantId, TenantRole)>,
    /// The password, hashed with argon2id (PHC string); none: it was never set.
    pub password_hash: Option<String>,
    /// The authenticator's secret, encrypted; none: no code is asked for.
    pub totp_secret: Option<String>,
    /// The last time step whose code was used.
    pub totp_step: u64,
    /// Whether the account is locked.
    pub disabled: bool,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// When the person last signed in.
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

/// Without hash and secret.
impl fmt::Debug for UserRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRecord")
            .field("id", &self.id)
            .field("email", &self.email)
            .field("role", &self.role)
            .field("memberships", &self.memberships)
            .finish_non_exhaustive()
    }
}

/// A browser that is signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct BrowserSession {
    /// The id.
    pub id: Uuid,
    /// The account.
    pub user: Uuid,
    /// The SHA-256 of the cookie in hexadecimal digits.
    pub hash: String,
    /// The address that it was begun from.
    pub address: Option<String>,
    /// What the browser calls itself.
    pub agent: Option<String>,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When it was last used.
    pub seen_at: DateTime<Utc>,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
}

/// What a one-time link is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// To set the first password of an account.
    Invitation,
    /// To set another one.
    Reset,
}

/// A key for a program.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// The id.
    pub id: Uuid,
    /// What its maker calls it.
    pub name: String,
    /// How its secret begins.
    pub prefix: String,
    /// The SHA-256 of the key in hexadecimal digits.
    pub hash: String,
    /// What it may do.
    pub scopes: Vec<Permission>,
    /// The tenant that it is good for; none: all.
    pub tenant: Option<TenantId>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// From when on it is no longer good.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used.
    pub last_used_at: Option<DateTime<Utc>>,
}
