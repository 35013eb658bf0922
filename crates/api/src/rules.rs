//! Reply rules on the wire. A rule set itself travels as the JSON document that its tenant wrote
//! (`docs/rules.md`): who decides by it understands it, everybody else hands it on.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The secret by which a tenant's webhook knows that a request is Tenantry's. It is never shown but
/// in the one answer that hands it out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct WebhookSecret(pub String);

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// A tenant's rules, as `GET` and `PUT /admin/tenants/{id}/rules` answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RulesView {
    /// The version of the tenant's settings, which the rules are part of.
    pub version: u64,
    /// The rule set; absent: there are none, and the greeting answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Value>,
    /// The webhook's secret, in the one answer to the request that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_secret: Option<WebhookSecret>,
}

/// The answer to `POST /admin/tenants/{id}/rules/secret`: a new secret for the webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewWebhookSecret {
    /// The secret. It is not shown again.
    pub webhook_secret: WebhookSecret,
}

/// A ready-made set, as `GET /admin/rules/templates` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RulesTemplate {
    /// Its name, such as `booking-sw`.
    pub name: String,
    /// What it is for.
    pub about: String,
    /// The set as TOML, with comments; only where one template is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toml: Option<String>,
    /// The set as JSON; only where one template is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Value>,
}

/// The body of `POST /admin/tenants/{id}/rules/test`: a message that nobody wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesTest {
    /// Its text, or its caption.
    #[serde(default)]
    pub message: String,
    /// What kind it is: `text` when absent, `image`, `voice`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// What the contact calls themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The contact's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// When it comes; now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
    /// Whether it is the contact's first message.
    #[serde(default)]
    pub first_contact: bool,
    /// Whether it is written in a group.
    #[serde(default)]
    pub group: bool,
    /// Whether the contact has opted out.
    #[serde(default)]
    pub opted_out: bool,
    /// Until when the chat is handed over to a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_over_until: Option<DateTime<Utc>>,
    /// Rules to try in the place of the tenant's; nothing is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Value>,
}

/// What the bot would do with a message, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RulesVerdict {
    /// The rule that matched; absent when none did, or none was looked at.
    pub rule: Option<String>,
    /// Why it matched, or why nothing is done.
    pub reasons: Vec<String>,
    /// The rules before it, each with the first condition that did not hold.
    pub passed: Vec<PassedRule>,
    /// What is done.
    pub action: VerdictAction,
    /// What is sent: the text, or the caption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// The address or name of the file that is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// For how many minutes the bot is silent in the chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handover_minutes: Option<u32>,
}

/// A rule that did not match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PassedRule {
    /// Its name.
    pub rule: String,
    /// The first condition that did not hold.
    pub because: String,
}

/// What is done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictAction {
    /// A text is sent.
    Reply,
    /// A file is sent.
    Media,
    /// The chat is handed over to a person.
    HandOver,
    /// The webhook is asked.
    Webhook,
    /// Nothing, because the rule says so.
    Ignore,
    /// The contact opts out; that is confirmed.
    OptOut,
    /// The contact opts in again; that is confirmed.
    OptIn,
    /// Nothing.
    Silent,
}
