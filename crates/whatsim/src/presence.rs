//! Who is there and who is typing.

use serde::{Deserialize, Serialize};

/// Signs of bots that are remembered for each account.
pub(crate) const SIGN_LIMIT: usize = 1_000;

/// What a person sees of somebody who is about to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Is typing.
    Composing,
    /// Is recording sound.
    Recording,
    /// Stopped.
    Paused,
}

/// A sign that a bot gave in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BotSign {
    /// Phone number of the contact, or id of the group.
    pub chat: String,
    /// The sign.
    pub sign: Sign,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
}

/// What a contact's phone says about a message that it got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// It has the message.
    Delivered,
    /// The message was read.
    Read,
    /// Sound or a film was played.
    Played,
}

impl ReceiptKind {
    /// The word for it in stanzas; a delivery has none.
    pub(crate) fn word(self) -> Option<&'static str> {
        match self {
            Self::Delivered => None,
            Self::Read => Some("read"),
            Self::Played => Some("played"),
        }
    }
}
