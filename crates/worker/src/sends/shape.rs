//! What only messages from outside have: an answer to a message, a reaction, a file's name.

use serde::{Deserialize, Serialize};
use whatsapp_rust::buffa::MessageField;
use whatsapp_rust::wacore::proto_helpers::{
    MessageBuilderExt, build_quote_context, build_reaction_message,
};
use whatsapp_rust::waproto::whatsapp::{ContextInfo, Message, MessageKey};

/// It, as it is kept beside an outbox row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// The message that is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// The reaction that the message is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaction: Option<ReactionTo>,
    /// The name that a document is shown with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
}

/// A message that is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Its id.
    pub message_id: String,
    /// The address of who wrote it.
    pub author: String,
    /// Its text.
    pub text: String,
}

/// A reaction to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionTo {
    /// The message's id.
    pub message_id: String,
    /// Whether the bot wrote it.
    pub from_me: bool,
    /// Who wrote it, in a group.
    pub participant: Option<String>,
    /// The emoji; empty takes an earlier one back.
    pub emoji: String,
}

impl Shape {
    /// A message of text.
    pub(crate) fn text(&self, chat: &str, text: &str) -> Message {
        if let Some(reaction) = &self.reaction {
            let key = MessageKey {
                remote_jid: Some(chat.to_owned()),
                from_me: Some(reaction.from_me),
                id: Some(reaction.message_id.clone()),
                participant: reaction.participant.clone(),
            };
            let now = chrono::Utc::now().timestamp_millis();
            return build_reaction_message(key, reaction.emoji.as_str(), now);
        }
        match self.context() {
            Some(context) => Message::text_with_context(text, context),
            None => Message::text(text),
        }
    }

    /// A message of a file.
    pub(crate) fn file(&self, mut message: Message) -> Message {
        if let (Some(name), Some(document)) =
            (&self.file_name, message.document_message.as_option_mut())
        {
            document.file_name = Some(name.clone());
        }
        let Some(context) = self.context() else { return message };
        let context = MessageField::some(context);
        if let Some(image) = message.image_message.as_option_mut() {
            image.context_info = context;
        } else if let Some(video) = message.video_message.as_option_mut() {
            video.context_info = context;
        } else if let Some(audio) = message.audio_message.as_option_mut() {
            audio.context_info = context;
        } else if let Some(document) = message.document_message.as_option_mut() {
            document.context_info = context;
        }
        message
    }

    fn context(&self) -> Option<ContextInfo> {
        let quote = self.quote.as_ref()?;
        let quoted = Message::text(quote.text.as_str());
        Some(build_quote_context(quote.message_id.as_str(), quote.author.as_str(), &quoted))
    }
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::waproto::whatsapp::message::DocumentMessage;

    use super::*;

    #[test]
    fn a_plain_text_stays_plain() {
        let message = Shape::default().text("1@lid", "hi");
        assert_eq!(message.conversation.as_deref(), Some("hi"));
    }

    #[test]
    fn an_answer_names_what_it_answers() {
        let quote = Quote { message_id: "A".into(), author: "1@lid".into(), text: "where?".into() };
        let shape = Shape { quote: Some(quote), file_name: Some("m.pdf".into()), reaction: None };
        let text = shape.text("1@lid", "here");
        let text = text.extended_text_message.as_option().unwrap();
        let context = text.context_info.as_option().unwrap();
        assert_eq!((text.text.as_deref(), context.stanza_id.as_deref()), (Some("here"), Some("A")));
        assert_eq!(context.participant.as_deref(), Some("1@lid"));
        let document = MessageField::some(DocumentMessage::default());
        let file = shape.file(Message { document_message: document, ..Message::default() });
        let document = file.document_message.as_option().unwrap();
        assert_eq!(document.file_name.as_deref(), Some("m.pdf"));
        let quoted = document.context_info.as_option().unwrap().quoted_message.as_option().unwrap();
        assert_eq!(quoted.conversation.as_deref(), Some("where?"));
    }

    #[test]
    fn a_reaction_names_its_message() {
        let reaction = ReactionTo {
            message_id: "A".into(),
            from_me: false,
            participant: None,
            emoji: "x".into(),
        };
        let shape = Shape { reaction: Some(reaction), ..Shape::default() };
        let message = shape.text("1@lid", "[reaction] x");
        let reaction = message.reaction_message.as_option().unwrap();
        let key = reaction.key.as_option().unwrap();
        assert_eq!((reaction.text.as_deref(), key.id.as_deref()), (Some("x"), Some("A")));
        assert_eq!((key.remote_jid.as_deref(), key.from_me), (Some("1@lid"), Some(false)));
    }
}
