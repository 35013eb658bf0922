//! What a person sees of a message.

use waproto::whatsapp as wa;

use crate::media::blobs::Blobs;
use crate::media::{self, ReceivedMedia};

/// The visible parts of a message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Content {
    /// The text, a file's caption, or the emoji of a reaction.
    pub(crate) text: String,
    pub(crate) media: Option<ReceivedMedia>,
    /// The message that this one quotes.
    pub(crate) reply_to: Option<String>,
    /// The message that this one reacts to.
    pub(crate) reacts_to: Option<String>,
}

/// Reads a message; `None` when there is nothing to see, as in messages between devices.
pub(crate) fn read(blobs: &Blobs, message: &wa::Message) -> Option<Content> {
    let wrapped = [&message.document_with_caption_message, &message.ephemeral_message]
        .into_iter()
        .find_map(|wrapper| wrapper.as_option()?.message.as_option());
    let message = wrapped.unwrap_or(message);
    if let Some(reaction) = message.reaction_message.as_option() {
        let reacts_to = reaction.key.as_option().and_then(|key| key.id.clone());
        let text = reaction.text.clone().unwrap_or_default();
        return Some(Content { text, reacts_to, ..Content::default() });
    }
    if let Some((media, caption)) = media::received(blobs, message) {
        let text = caption.unwrap_or_default();
        return Some(Content { text, media: Some(media), ..Content::default() });
    }
    if let Some(text) = &message.conversation {
        return Some(Content { text: text.clone(), ..Content::default() });
    }
    let extended = message.extended_text_message.as_option()?;
    let quoted = extended.context_info.as_option().and_then(|context| context.stanza_id.clone());
    let text = extended.text.clone()?;
    Some(Content { text, reply_to: quoted, ..Content::default() })
}
