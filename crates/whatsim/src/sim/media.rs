//! Files and other messages from contacts, and what they received.

use buffa::Message as _;
use waproto::whatsapp as wa;

use crate::delivery::{self, Outgoing};
use crate::error::SimError;
use crate::media::{self, Media};
use crate::sim::Sim;

impl Sim {
    /// A contact uploads a file and sends it to an account or a group; gives the message id.
    ///
    /// # Errors
    /// When one of them is unknown, no device is linked, its queue is full, or the file
    /// cannot be sealed.
    pub fn send_media(&self, contact: &str, to: &str, media: &Media) -> Result<String, SimError> {
        let host = self.network.world().media.host.clone();
        // Encryption takes its time: not while the network is locked.
        let sealed = media::seal(media, &host)?;
        let outgoing = Outgoing {
            text: media.caption.clone().unwrap_or_default(),
            media: Some(media.kind),
            payload: sealed.message.encode_to_vec(),
        };
        let mut world = self.network.world();
        if let Some(blob) = sealed.blob {
            world.media.blobs.put(&sealed.token, blob);
        }
        delivery::send(&mut world, contact, to, outgoing)
    }

    /// A contact sends any encoded `Message`, such as one of a kind that nobody knows;
    /// gives the message id.
    ///
    /// # Errors
    /// When one of them is unknown, no device is linked or its queue is full.
    pub fn send_raw(&self, contact: &str, to: &str, payload: Vec<u8>) -> Result<String, SimError> {
        let outgoing = Outgoing { text: String::new(), media: None, payload };
        delivery::send(&mut self.network.world(), contact, to, outgoing)
    }

    /// A contact reacts to a message of an account with an emoji; an empty one takes
    /// the reaction back. Gives the message id.
    ///
    /// # Errors
    /// When one of them is unknown, no device is linked or its queue is full.
    pub fn react(
        &self,
        contact: &str,
        account: &str,
        message: &str,
        emoji: &str,
    ) -> Result<String, SimError> {
        let reaction = wa::message::ReactionMessage {
            key: buffa::MessageField::some(wa::MessageKey {
                remote_jid: Some(format!("{account}@s.whatsapp.net")),
                from_me: Some(false),
                id: Some(message.to_owned()),
                ..Default::default()
            }),
            text: Some(emoji.to_owned()),
            sender_timestamp_ms: i64::try_from(crate::clock::since_epoch().as_millis()).ok(),
            ..Default::default()
        };
        let message = wa::Message {
            reaction_message: buffa::MessageField::some(reaction),
            ..Default::default()
        };
        self.send_raw(contact, account, message.encode_to_vec())
    }

    /// The file in the text with this index ([`crate::ReceivedText::index`]), fetched and
    /// decrypted by the contact.
    ///
    /// # Errors
    /// When the contact is unknown, there is no such file, or a key or hash is wrong.
    pub fn received_media(&self, contact: &str, index: u64) -> Result<Vec<u8>, SimError> {
        let world = self.network.world();
        let text = world.contact(contact)?.received_from(index).filter(|text| text.index == index);
        let media = text.and_then(|text| text.media.as_ref());
        let media = media.ok_or_else(|| SimError::UnknownMessage(index.to_string()))?;
        media::open(&world.media.blobs, &media.reference)
    }

    /// Forgets all files, as the real service does after some weeks.
    pub fn forget_media(&self) {
        self.network.world().media.blobs.clear();
    }
}
