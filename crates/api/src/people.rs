//! People: accounts, how they sign in, and who of them belongs to which tenant.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::{OperatorRole, Permission, TenantRole};
use crate::tenant::TenantId;

/// The header that a browser's request with a session cookie proves itself with when it changes
/// something.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserView {
    /// Its id.
    pub id: Uuid,
    /// The address that the person signs in with; unique.
    pub email: String,
    /// What the person is called.
    pub name: String,
    /// What the person may do with every tenant; absent for a tenant's own people.
    pub role: Option<OperatorRole>,
    /// The tenants whose people the person belongs to.
    pub tenants: Vec<MembershipView>,
    /// Whether the person has set a password.
    pub has_password: bool,
    /// Whether signing in asks for a code as well.
    pub has_totp: bool,
    /// Whether the account is locked by an administrator.
    pub disabled: bool,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// When the person last signed in.
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

/// A place among a tenant's own people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MembershipView {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The tenant's display name.
    pub name: String,
    /// What the person may do with it.
    pub role: TenantRole,
}

/// A place among a tenant's own people, as it is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// The tenant: its id or slug.
    pub tenant: String,
    /// What the person may do with it.
    pub role: TenantRole,
}

/// The body of `POST /admin/users`: somebody is invited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteUser {
    /// The address that the person will sign in with.
    pub email: String,
    /// What the person is called, at most 120 characters; the address when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A role among the operator's people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<OperatorRole>,
    /// Places among tenants' own people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<Membership>,
}

/// The body of `PATCH /admin/users/{user}`: what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateUser {
    /// The new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The new role among the operator's people; `NONE` takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleChange>,
    /// All places among tenants' own people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenants: Option<Vec<Membership>>,
    /// Whether the account is locked. Locking it ends its sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// A new role, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RoleChange {
    /// See [`OperatorRole::Admin`].
    Admin,
    /// See [`OperatorRole::Operator`].
    Operator,
    /// See [`OperatorRole::Viewer`].
    Viewer,
    /// No role.
    None,
}

impl RoleChange {
    /// The role that comes of it.
    #[must_use]
    pub const fn role(self) -> Option<OperatorRole> {
        match self {
            Self::Admin => Some(OperatorRole::Admin),
            Self::Operator => Some(OperatorRole::Operator),
            Self::Viewer => Some(OperatorRole::Viewer),
            Self::None => None,
        }
    }
}

/// A link that is good once: for an invitation, or for a new password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OneTimeLink {
    /// The address to open.
    pub url: String,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
}

/// Without the address, which is a secret.
impl fmt::Debug for OneTimeLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTimeLink").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// The answer to an invitation, or to a reset of a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    /// The account.
    pub user: UserView,
    /// Whether the link went out by e-mail.
    pub mailed: bool,
    /// The link to hand over, where no e-mail went out and the account needs one. It is not shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<OneTimeLink>,
}

/// The body of `POST /portal/tenant/current/people`: somebody is let in to the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPerson {
    /// The address that the person signs in with.
    pub email: String,
    /// What the person is called, at most 120 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the person may do.
    pub role: TenantRole,
}

/// One of a tenant's own people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonView {
    /// The account's id.
    pub id: Uuid,
    /// The account's address.
    pub email: String,
    /// What the person is called.
    pub name: String,
    /// What the person may do.
    pub role: TenantRole,
}

/// The body of `POST /auth/setup`: the first administrator.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUp {
    /// What the set-up link holds, from the server's console.
    pub token: String,
    /// The address that the administrator will sign in with.
    pub email: String,
    /// What the administrator is called, at most 120 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// 12 to 128 characters.
    pub password: String,
}

/// The body of `POST /auth/sign-in`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The account's address.
    pub email: String,
    /// Its password.
    pub password: String,
    /// The six digits that the person's authenticator shows, where the account asks for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// The body of `POST /auth/accept`: an invitation or a reset is used.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptLink {
    /// What the link holds.
    pub token: String,
    /// The new password: 12 to 128 characters.
    pub password: String,
    /// What the person wants to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The body of `POST /auth/forgot`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForgotPassword {
    /// The account's address.
    pub email: String,
}

/// The body of `POST /auth/password`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The present password.
    pub current: String,
    /// The new one: 12 to 128 characters. All other sessions end.
    pub new: String,
}

/// The body of `POST /auth/totp`, `POST /auth/totp/remove`: the person proves to be there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvePassword {
    /// The account's password.
    pub password: String,
}

/// The answer of `POST /auth/totp`: what the authenticator needs. It counts from its confirmation on.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TotpSecret {
    /// The secret, in base 32.
    pub secret: String,
    /// The same as an address, which authenticators read from a QR code.
    pub url: String,
    /// That QR code, as an SVG document.
    pub qr_svg: String,
}

/// The body of `POST /auth/totp/confirm`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmTotp {
    /// The six digits that the authenticator shows.
    pub code: String,
}

/// Who asks, as `GET /auth/session` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionInfo {
    /// Who, as the audit log names it: `user amina@example.com`, `key deploy`, `admin-token`.
    pub actor: String,
    /// The account, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserView>,
    /// What may be done.
    pub grants: Vec<GrantView>,
    /// What to send as `x-csrf-token` with each request that changes something; for a browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csrf_token: Option<String>,
    /// When the session ends at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// What may be done where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GrantView {
    /// The tenant; absent: the whole fleet.
    pub tenant_id: Option<TenantId>,
    /// What may be done.
    pub permissions: Vec<Permission>,
}

/// A browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignedInView {
    /// The session's id.
    pub id: Uuid,
    /// Whether it is the one that asks.
    pub current: bool,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub seen_at: DateTime<Utc>,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
    /// The address that it was begun from.
    pub address: Option<String>,
    /// What the browser calls itself.
    pub agent: Option<String>,
}

/// How one may sign in, as `GET /auth/methods` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignInMethods {
    /// Whether nobody is an administrator yet: see the server's console for the set-up link.
    pub setup_needed: bool,
    /// The name of the identity provider, where one is configured.
    pub oidc: Option<String>,
    /// Whether a forgotten password can be renewed by e-mail.
    pub mail: bool,
}
