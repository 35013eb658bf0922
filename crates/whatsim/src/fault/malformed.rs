//! Stanzas that no sound server would send.

use serde::{Deserialize, Serialize};
use wacore_binary::Jid;
use wacore_binary::builder::NodeBuilder;

use crate::stanza::nodes;

/// What is wrong with a stanza.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Malformed {
    /// Properly encrypted bytes that are no stanza.
    Garbage,
    /// A stanza of a kind that nobody knows.
    UnknownStanza,
    /// A message that does not say who sent it.
    NoSender,
    /// A message without an id.
    NoId,
    /// A message with nothing encrypted in it.
    NoCiphertext,
    /// A message whose ciphertext is of a kind that nobody knows.
    UnknownCiphertext,
    /// A message whose ciphertext cannot be one.
    SenselessCiphertext,
}

impl Malformed {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Garbage,
        Self::UnknownStanza,
        Self::NoSender,
        Self::NoId,
        Self::NoCiphertext,
        Self::UnknownCiphertext,
        Self::SenselessCiphertext,
    ];

    /// The bytes of such a stanza; a message claims to be from `sender`.
    pub(crate) fn bytes(self, id: &str, sender: Jid) -> Option<Vec<u8>> {
        if self == Self::Garbage {
            // A list of sixty things, of which none follows.
            return Some(vec![0, 248, 60]);
        }
        if self == Self::UnknownStanza {
            return nodes::marshalled(&NodeBuilder::new("telegram").attr("id", id).build());
        }
        let mut builder = NodeBuilder::new("message")
            .attr("type", "text")
            .attr("t", crate::clock::unix_seconds().to_string());
        if self != Self::NoId {
            builder = builder.attr("id", id);
        }
        if self != Self::NoSender {
            builder = builder.attr("from", sender);
        }
        let kind = if self == Self::UnknownCiphertext { "telegram" } else { "msg" };
        let enc = NodeBuilder::new("enc").attr("v", "2").attr("type", kind).bytes([7; 40]).build();
        let builder = if self == Self::NoCiphertext { builder } else { builder.children([enc]) };
        nodes::marshalled(&builder.build())
    }
}
