//! Which messages in groups are for the bot.

use rules::Groups;
use whatsapp_rust::Jid;
use whatsapp_rust::wacore::proto_helpers::MessageExt;
use whatsapp_rust::waproto::whatsapp::{ContextInfo, Message};

use crate::store::Incoming;

/// The bot's own addresses: the user parts of its number and its LID.
pub(super) struct Own(Vec<String>);

impl Own {
    pub(super) fn new<'a>(own: impl Iterator<Item = &'a Jid>) -> Self {
        Self(own.map(|jid| jid.user.to_string()).collect())
    }

    /// Whether a message in a group is for the bot.
    pub(super) fn is_meant(&self, message: &Message, groups: Groups) -> bool {
        match groups {
            Groups::Ignore => false,
            Groups::All => true,
            Groups::Mentions => context(message).is_some_and(|context| {
                let answered = context.participant.iter();
                context.mentioned_jid.iter().chain(answered).any(|address| self.is_own(address))
            }),
        }
    }

    fn is_own(&self, address: &str) -> bool {
        address.parse::<Jid>().is_ok_and(|jid| self.0.iter().any(|own| *own == jid.user.as_str()))
    }

    /// The message without the mention of the bot, which says nothing to the rules.
    pub(super) fn unaddressed(&self, mut message: Incoming) -> Incoming {
        for own in &self.0 {
            let mention = format!("@{own}");
            if message.text.contains(&mention) {
                message.text = message.text.replace(&mention, "").trim().to_owned();
            }
        }
        message
    }
}

/// What the message says about others: whom it mentions, and which message it answers.
fn context(message: &Message) -> Option<&ContextInfo> {
    let base = message.get_base_message();
    macro_rules! first_of {
        ($($kind:ident),+) => {
            None$(.or_else(|| base.$kind.as_option().and_then(|it| it.context_info.as_option())))+
        };
    }
    first_of!(
        extended_text_message,
        image_message,
        video_message,
        ptv_message,
        audio_message,
        document_message,
        sticker_message,
        location_message,
        contact_message
    )
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::wacore::proto_helpers::MessageBuilderExt as _;

    use super::*;

    fn own() -> Own {
        let jids: [Jid; 2] =
            ["254700000009:3@s.whatsapp.net", "900:3@lid"].map(|jid| jid.parse().unwrap());
        Own::new(jids.iter())
    }

    #[test]
    fn mentions_by_either_address_and_answers_to_the_bot_are_meant() {
        let mentioning = |jids: &[&str]| {
            let mentioned_jid = jids.iter().map(|jid| (*jid).to_owned()).collect();
            Message::text_with_context("hi", ContextInfo { mentioned_jid, ..Default::default() })
        };
        let answering = |author: &str| {
            let participant = Some(author.to_owned());
            Message::text_with_context("hi", ContextInfo { participant, ..Default::default() })
        };
        let meant = |message: Message| own().is_meant(&message, Groups::Mentions);
        assert!(meant(mentioning(&["1@lid", "900@lid"])));
        assert!(meant(mentioning(&["254700000009@s.whatsapp.net"])));
        assert!(meant(answering("900:3@lid")));
        assert!(!meant(mentioning(&["1@lid"])) && !meant(answering("1@lid")));
        assert!(!meant(Message::text("hi")) && own().is_meant(&Message::text("hi"), Groups::All));
        assert!(!own().is_meant(&mentioning(&["900@lid"]), Groups::Ignore));
    }

    #[test]
    fn the_mention_is_taken_out_of_the_text() {
        let incoming = |text: &str| Incoming {
            group: Some("1@g.us".to_owned()),
            author: "1@lid".to_owned(),
            alias: None,
            message_id: "A".to_owned(),
            media: rules::Media::Text,
            text: text.to_owned(),
            name: String::new(),
            at: chrono::Utc::now(),
            wants_answer: true,
        };
        for (text, left) in [("@900 price", "price"), ("@1 price", "@1 price"), ("stop", "stop")] {
            assert_eq!(own().unaddressed(incoming(text)).text, left);
        }
    }
}
