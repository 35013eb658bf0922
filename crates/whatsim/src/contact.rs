//! People who write to bots, and what was said.

use std::collections::VecDeque;

use serde::Serialize;
use tokio::sync::watch;
use wacore_binary::{Jid, JidExt as _};

use crate::content::Content;
use crate::media::{MediaKind, ReceivedMedia};
use crate::party::Party;

/// How far a text sent to a bot has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// The bot's device has not published keys yet, so nothing could be encrypted.
    Held,
    /// Encrypted and queued for the device; it has not confirmed it.
    Queued,
    /// The bot's device confirmed it.
    Delivered,
    /// The bot marked it as read.
    Read,
}

/// A text that a contact sent to a bot.
#[derive(Debug, Clone, Serialize)]
pub struct SentText {
    /// Message id; a repeated delivery has the same one.
    pub id: String,
    /// Phone number of the account, or id of the group, it was sent to.
    pub to: String,
    /// The text, or the caption of a file.
    pub text: String,
    /// What kind of file was sent, if it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaKind>,
    /// When it was sent, in seconds since the Unix epoch.
    pub at: u64,
    /// How far it has come.
    pub delivery: Delivery,
    /// How often the bot's device asked for it to be encrypted anew.
    pub retries: u32,
    /// The encoded message, to encrypt it again on request.
    #[serde(skip)]
    pub(crate) payload: Vec<u8>,
}

/// A text that a contact received from a bot.
#[derive(Debug, Clone, Serialize)]
pub struct ReceivedText {
    /// Its place among all texts the contact received, counted from 0.
    pub index: u64,
    /// Message id chosen by the bot.
    pub id: String,
    /// Phone number of the account it came from.
    pub from: String,
    /// Id of the group it was written in, if it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The text, the caption of a file, or the emoji of a reaction.
    pub text: String,
    /// The file, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<ReceivedMedia>,
    /// Id of the message that it quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// Id of the message that it is a reaction to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reacts_to: Option<String>,
    /// When it arrived, in seconds since the Unix epoch.
    pub at: u64,
    /// How often a message with this id arrived; a phone shows it once.
    pub copies: u32,
    /// The chat as the bot addressed it.
    #[serde(skip)]
    pub(crate) chat: Jid,
}

/// Everything a contact and the bots said to each other, as far as remembered.
#[derive(Debug, Clone, Serialize)]
pub struct Conversation {
    /// Texts received since the contact was added, forgotten ones included.
    pub received_total: u64,
    /// Texts received from bots, oldest first.
    pub received: Vec<ReceivedText>,
    /// Texts sent to bots, oldest first.
    pub sent: Vec<SentText>,
}

/// A contact with its phone's keys.
pub(crate) struct Contact {
    pub(crate) name: String,
    pub(crate) phone: String,
    pub(crate) lid: String,
    pub(crate) party: Party,
    /// Whether it is there.
    pub(crate) available: bool,
    /// Whether it keeps delivery receipts to itself.
    pub(crate) withholds: bool,
    /// Whether it publishes keys whose signature is wrong.
    pub(crate) spoils_keys: bool,
    /// Whether the next ciphertext to a bot is damaged on the way.
    pub(crate) corrupt_next: bool,
    received: VecDeque<ReceivedText>,
    sent: VecDeque<SentText>,
    arrivals: watch::Sender<u64>,
    history_limit: usize,
}

impl Contact {
    pub(crate) fn new(
        name: String,
        phone: String,
        lid: String,
        party: Party,
        history_limit: usize,
    ) -> Self {
        Self {
            name,
            phone,
            lid,
            party,
            available: true,
            withholds: false,
            spoils_keys: false,
            corrupt_next: false,
            received: VecDeque::new(),
            sent: VecDeque::new(),
            arrivals: watch::Sender::new(0),
            history_limit: history_limit.max(1),
        }
    }

    pub(crate) fn phone_jid(&self) -> Jid {
        Jid::pn(self.phone.as_str())
    }

    pub(crate) fn lid_jid(&self) -> Jid {
        Jid::lid(self.lid.as_str())
    }

    /// Notes a text from a bot; `false` when a message with this id was here before.
    pub(crate) fn receive(&mut self, id: &str, from: &str, chat: &Jid, content: Content) -> bool {
        let earlier =
            self.received.iter_mut().rev().find(|text| text.id == id && text.from == from);
        if let Some(earlier) = earlier {
            earlier.copies += 1;
            return false;
        }
        if self.received.len() == self.history_limit {
            self.received.pop_front();
        }
        let index = self.received_total();
        self.received.push_back(ReceivedText {
            index,
            id: id.to_owned(),
            from: from.to_owned(),
            group: chat.is_group().then(|| chat.user.to_string()),
            text: content.text,
            media: content.media,
            reply_to: content.reply_to,
            reacts_to: content.reacts_to,
            at: crate::clock::unix_seconds(),
            copies: 1,
            chat: chat.clone(),
        });
        self.arrivals.send_replace(index + 1);
        true
    }

    /// Notes a text sent to a bot.
    pub(crate) fn send(&mut self, text: SentText) {
        if self.sent.len() == self.history_limit {
            self.sent.pop_front();
        }
        self.sent.push_back(text);
    }

    pub(crate) fn sent(&self, id: &str) -> Option<&SentText> {
        self.sent.iter().rev().find(|text| text.id == id)
    }

    pub(crate) fn sent_mut(&mut self, id: &str) -> Option<&mut SentText> {
        self.sent.iter_mut().rev().find(|text| text.id == id)
    }

    /// The text with this id, received from a bot.
    pub(crate) fn received(&self, id: &str) -> Option<&ReceivedText> {
        self.received.iter().rev().find(|text| text.id == id)
    }

    /// Texts received so far, forgotten ones included.
    pub(crate) fn received_total(&self) -> u64 {
        *self.arrivals.borrow()
    }

    /// Number of texts sent and still remembered.
    pub(crate) fn sent_count(&self) -> usize {
        self.sent.len()
    }

    /// The first text whose index is `index` or more.
    pub(crate) fn received_from(&self, index: u64) -> Option<&ReceivedText> {
        let at = self.received.partition_point(|text| text.index < index);
        self.received.get(at)
    }

    /// Changes with every text received.
    pub(crate) fn arrivals(&self) -> watch::Receiver<u64> {
        self.arrivals.subscribe()
    }

    pub(crate) fn conversation(&self) -> Conversation {
        Conversation {
            received_total: self.received_total(),
            received: self.received.iter().cloned().collect(),
            sent: self.sent.iter().cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_message_is_counted_and_old_ones_are_forgotten() {
        let mut contact = Contact::new(
            "Ann".to_owned(),
            "15550001".to_owned(),
            "1".to_owned(),
            Party::generate().unwrap(),
            2,
        );
        let chat = Jid::pn("15550001");
        let text = |text: &str| Content { text: text.to_owned(), ..Content::default() };
        assert!(contact.receive("a", "4412345", &chat, text("one")));
        assert!(!contact.receive("a", "4412345", &chat, text("one")));
        assert!(contact.receive("b", "4412345", &chat, text("two")));
        assert!(contact.receive("c", "4412345", &chat, text("three")));
        let said = contact.conversation();
        assert_eq!(said.received_total, 3);
        assert_eq!(said.received.iter().map(|text| text.index).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(contact.received_from(0).unwrap().text, "two");
        assert_eq!(contact.received_from(2).unwrap().text, "three");
        assert!(contact.received_from(3).is_none());
    }
}
