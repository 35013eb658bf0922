//! What comes in: each message is in the inbox before WhatsApp hears that it was received.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use whatsapp_rust::anyhow;
use whatsapp_rust::types::durability_hook::InboundMessage;
use whatsapp_rust::types::message::{EditAttribute, MessageCategory, MessageInfo};
use whatsapp_rust::wacore::proto_helpers::MessageExt;
use whatsapp_rust::wacore_binary::JidExt;
use whatsapp_rust::{Client, InboundDurabilityHook};

use crate::store::{BotStore, Incoming};

#[cfg(test)]
mod tests;

/// Messages sent longer than this before the pairing belong to the phone's past: they are not
/// answered.
const BEFORE_PAIRING: Duration = Duration::hours(24);

/// The longest text that is kept, in characters: WhatsApp's own limit. What a modified client sends
/// beyond is cut.
const LONGEST_TEXT: usize = 65_536;

/// The library's hook: it acknowledges a message only when this has stored it.
pub struct Inbound {
    store: Arc<BotStore>,
}

impl Inbound {
    /// A hook that stores into `store`.
    #[must_use]
    pub fn new(store: Arc<BotStore>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl InboundDurabilityHook for Inbound {
    async fn on_messages(
        &self,
        _client: Arc<Client>,
        batch: &[InboundMessage],
    ) -> Result<(), anyhow::Error> {
        let paired_at = self.store.paired_at()?;
        let messages: Vec<Incoming> = batch
            .iter()
            .filter_map(|one| incoming(&one.info, one.message.text_content(), paired_at))
            .collect();
        if messages.is_empty() {
            return Ok(());
        }
        match self.store.receive(&messages, Utc::now()) {
            Ok(new) => {
                tracing::info!(new, known = messages.len() - new, "messages came in");
                Ok(())
            }
            Err(error) => {
                tracing::error!(%error, "cannot store messages; WhatsApp will send them again");
                Err(error.into())
            }
        }
    }
}

/// The message as the inbox takes it; `None` for what is no text of a contact to this bot.
fn incoming(
    info: &MessageInfo,
    text: Option<&str>,
    paired_at: Option<DateTime<Utc>>,
) -> Option<Incoming> {
    let source = &info.source;
    let own = source.is_from_me || info.category == MessageCategory::Peer;
    let chat = &source.chat;
    let person = chat.is_pn() || chat.is_lid();
    if own || source.is_group || !person || info.edit != EditAttribute::Empty || chat.is_bot() {
        return None;
    }
    let text: String = text?.chars().take(LONGEST_TEXT).collect();
    if text.is_empty() {
        return None;
    }
    let past = paired_at.is_some_and(|paired_at| info.timestamp < paired_at - BEFORE_PAIRING);
    Some(Incoming {
        chat: chat.to_string(),
        sender: source.sender.to_string(),
        message_id: info.id.clone(),
        text,
        at: info.timestamp,
        wants_answer: !past,
    })
}
