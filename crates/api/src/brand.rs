//! How the operator appears to tenants: a name, a colour and a logo.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The name while the operator has set none.
pub const DEFAULT_NAME: &str = "Tenantry";
/// The longest name, in characters.
pub const MAX_NAME: usize = 60;
/// The largest logo, in bytes.
pub const MAX_LOGO: usize = 256 * 1024;

/// The operator's name, colour and logo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Brand {
    /// The name, `Tenantry` until another one is set.
    pub name: String,
    /// The colour, as `#rrggbb` in small letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
    /// Where the logo is, relative to the server: `/brand/logo?v=…`. Another logo has another address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
}

/// The body of `PUT /admin/brand`. The logo has routes of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetBrand {
    /// The name: 1 to 60 characters.
    #[schema(min_length = 1, max_length = 60)]
    pub name: String,
    /// The colour: `#` and six hexadecimal digits; absent: none of one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^#[0-9A-Fa-f]{6}$")]
    pub colour: Option<String>,
}
