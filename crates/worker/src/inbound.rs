//! What comes in: each message is in the inbox before WhatsApp hears that it was received.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use rules::Media;
use whatsapp_rust::anyhow;
use whatsapp_rust::types::durability_hook::InboundMessage;
use whatsapp_rust::types::message::{EditAttribute, MessageCategory, MessageInfo};
use whatsapp_rust::wacore::proto_helpers::MessageExt;
use whatsapp_rust::wacore_binary::JidExt;
use whatsapp_rust::waproto::whatsapp::Message;
use whatsapp_rust::{Client, InboundDurabilityHook, Jid};

use crate::store::{BotStore, Incoming, StoreError};

#[cfg(test)]
mod tests;

/// Messages sent longer than this before the pairing belong to the phone's past: they are not
/// answered.
const BEFORE_PAIRING: Duration = Duration::hours(24);

/// The longest text that is kept, in characters: WhatsApp's own limit. What a modified client sends
/// beyond is cut.
const LONGEST_TEXT: usize = 65_536;

/// The longest name that is kept, in characters.
const LONGEST_NAME: usize = 100;

/// Rung when what came in could not be stored, with the reason.
pub type Alarm = Box<dyn Fn(&str) + Send + Sync>;

/// The library's hook: it acknowledges a message only when this has stored it.
pub struct Inbound {
    store: Arc<BotStore>,
    alarm: Alarm,
}

impl Inbound {
    /// A hook that stores into `store`, and rings `alarm` when it cannot: WhatsApp sends a message that was not
    /// acknowledged again on the next connection, not before.
    #[must_use]
    pub fn new(store: Arc<BotStore>, alarm: Alarm) -> Self {
        Self { store, alarm }
    }
}

#[async_trait]
impl InboundDurabilityHook for Inbound {
    async fn on_messages(
        &self,
        _client: Arc<Client>,
        batch: &[InboundMessage],
    ) -> Result<(), anyhow::Error> {
        let stored = self.keep(batch);
        if let Err(error) = &stored {
            (self.alarm)(&error.to_string());
        }
        Ok(stored?)
    }
}

impl Inbound {
    fn keep(&self, batch: &[InboundMessage]) -> Result<(), StoreError> {
        let paired_at = self.store.paired_at()?;
        let messages: Vec<Incoming> = batch
            .iter()
            .filter_map(|one| incoming(&one.info, content(&one.message), paired_at))
            .collect();
        if messages.is_empty() {
            return Ok(());
        }
        let new = self.store.receive(&messages, Utc::now())?;
        tracing::info!(new, known = messages.len() - new, "messages came in");
        Ok(())
    }
}

/// What kind of message it is, and its text or caption; `None` for what says nothing to the bot:
/// reactions, deletions, votes and the like.
fn content(message: &Message) -> Option<(Media, &str)> {
    if let Some(text) = message.text_content() {
        return Some((Media::Text, text));
    }
    let base = message.get_base_message();
    let media = if base.image_message.is_set() {
        Media::Image
    } else if base.video_message.is_set() || base.ptv_message.is_set() {
        Media::Video
    } else if let Some(audio) = base.audio_message.as_option() {
        if audio.ptt == Some(true) { Media::Voice } else { Media::Audio }
    } else if base.document_message.is_set() {
        Media::Document
    } else if base.sticker_message.is_set() || base.lottie_sticker_message.is_set() {
        Media::Sticker
    } else if base.location_message.is_set() || base.live_location_message.is_set() {
        Media::Location
    } else if base.contact_message.is_set() || base.contacts_array_message.is_set() {
        Media::Contact
    } else {
        return None;
    };
    Some((media, message.get_caption().unwrap_or_default()))
}

/// The message as the inbox takes it; `None` for what is no message of a contact to this bot.
fn incoming(
    info: &MessageInfo,
    content: Option<(Media, &str)>,
    paired_at: Option<DateTime<Utc>>,
) -> Option<Incoming> {
    let source = &info.source;
    let own = source.is_from_me || info.category == MessageCategory::Peer;
    let chat = &source.chat;
    let person = chat.is_pn() || chat.is_lid();
    if own || source.is_group || !person || info.edit != EditAttribute::Empty || chat.is_bot() {
        return None;
    }
    let (media, text) = content?;
    let text: String = text.chars().take(LONGEST_TEXT).collect();
    if text.is_empty() && media == Media::Text {
        return None;
    }
    let past = paired_at.is_some_and(|paired_at| info.timestamp < paired_at - BEFORE_PAIRING);
    let other = source.sender_alt.as_ref().filter(|alias| alias.is_pn() || alias.is_lid());
    Some(Incoming {
        chat: chat.to_string(),
        alias: other.map(Jid::to_non_ad_string).filter(|alias| *alias != chat.to_string()),
        sender: source.sender.to_string(),
        message_id: info.id.clone(),
        media,
        text,
        name: info.push_name.chars().take(LONGEST_NAME).collect(),
        at: info.timestamp,
        wants_answer: !past,
    })
}
