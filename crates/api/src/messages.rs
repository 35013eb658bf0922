//! Messages that are sent from outside: what a program asks for, and what becomes of it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::records::MessageState;
use crate::tenant::TenantId;

/// The header that names a request, so that a repeated one sends nothing a second time.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The largest file that is sent, in bytes.
pub const MAX_MEDIA: usize = 16 * 1024 * 1024;

/// The body of `POST /v1/tenants/{tenant}/messages`: one of `text`, `media` and `reaction`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
    /// To whom: a telephone number with its country code (`+254…` or `254…`), a WhatsApp address
    /// (`…@s.whatsapp.net`, `…@lid`), or a group's (`…@g.us`).
    pub to: String,
    /// A text, at most 65,536 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// A file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<SendMedia>,
    /// A reaction to a message of the chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaction: Option<Reaction>,
    /// WhatsApp's id of the message of the chat that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// After so many seconds it is not sent any more, but fails: 1 to 2,592,000 (30 days); a day when
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
}

/// A file to be sent: either its address, or an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendMedia {
    /// What it is shown as.
    pub kind: MediaKind,
    /// Where it is fetched from when the message goes out: `https://…` or `http://…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The id of an upload ([`Upload`]); each is good for one message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<Uuid>,
    /// The text below it; not with audio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// The name that a document is shown with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
}

/// What a file is shown as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A video.
    Video,
    /// A sound.
    Audio,
    /// Any file.
    Document,
}

impl MediaKind {
    /// The kind in one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
        }
    }
}

/// A reaction to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reaction {
    /// WhatsApp's id of the message.
    pub message_id: String,
    /// The emoji; an empty one takes an earlier reaction back.
    pub emoji: String,
}

/// The answer of `POST /v1/tenants/{tenant}/media`: a file that waits for its message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Upload {
    /// What a message names it by.
    pub id: Uuid,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// When it is deleted, unless a message names it before.
    pub expires_at: DateTime<Utc>,
}

/// A message from outside, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SentMessage {
    /// Its id: a `UUIDv7`.
    pub id: Uuid,
    /// The tenant whose number sends it.
    pub tenant_id: TenantId,
    /// The WhatsApp address that it goes to.
    pub to: String,
    /// How far it has come.
    pub state: MessageState,
    /// Why it failed: a stable word such as `not_on_whatsapp`.
    pub reason: Option<String>,
    /// The same in words.
    pub detail: Option<String>,
    /// WhatsApp's id of the message, once the worker has it.
    pub message_id: Option<String>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it is given up, if WhatsApp does not have it by then.
    pub expires_at: DateTime<Utc>,
    /// When WhatsApp took it.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it reached the recipient's phone.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When the recipient read it.
    pub read_at: Option<DateTime<Utc>>,
    /// When it failed.
    pub failed_at: Option<DateTime<Utc>>,
}

impl SentMessage {
    /// Whether WhatsApp has it, or never will; see [`MessageState`] for the one exception.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.state != MessageState::Queued
    }
}
