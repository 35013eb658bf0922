//! Messages that a bot sends.

use wacore::messages::decode_plaintext;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, JidExt as _, Node, NodeRef, Server};
use waproto::whatsapp as wa;

use crate::account::{Origin, Queued, device_address};
use crate::content;
use crate::delivery;
use crate::error::SimError;
use crate::event::SimEvent;
use crate::fault::{Fault, FaultKind, strike};
use crate::stanza::group_message::GroupMessage;
use crate::stanza::{Reaction, nodes, usync};
use crate::world::World;

/// Padding scheme of every message with `v="2"`.
pub(crate) const PADDING_VERSION: u8 = 2;

/// Refuses a message to a number that nobody has.
const NOT_FOUND: u16 = 404;
/// Refuses a message to a group that the account is not in.
const NOT_A_MEMBER: u16 = 403;

/// Passes a bot's message on to everybody it is encrypted for, and confirms it.
pub(crate) fn react(world: &mut World, phone: &str, stanza: &NodeRef<'_>) -> Reaction {
    if strike::spend(world, phone, FaultKind::LoseMessages).is_some() {
        return Reaction::none();
    }
    if let Some(Fault::Nack { code }) = strike::spend(world, phone, FaultKind::Nack) {
        return Reaction::reply(nodes::nack(stanza, code));
    }
    let mut reaction = match strike::spend(world, phone, FaultKind::LoseAcks) {
        Some(_) => Reaction::none(),
        None => Reaction::reply(nodes::ack("message", stanza)),
    };
    let Some(chat) = nodes::jid(stanza, "to") else {
        return reaction;
    };
    let Some(sender) = sender_device(world, phone) else {
        return Reaction::close();
    };
    let is_person = matches!(chat.server, Server::Pn | Server::Lid);
    if is_person && world.phone_of(&chat).is_none() {
        return Reaction::reply(nodes::nack(stanza, NOT_FOUND));
    }
    if chat.is_group() {
        let message = GroupMessage { phone, sender, chat: &chat, stanza };
        if !message.is_allowed(world) {
            return Reaction::reply(nodes::nack(stanza, NOT_A_MEMBER));
        }
        reaction.replies.extend(message.deliver(world));
        return reaction;
    }
    if let Some(participants) = stanza.get_optional_child("participants") {
        for copy in participants.get_children_by_tag("to") {
            if let (Some(to), Some(enc)) = (nodes::jid(copy, "jid"), copy.get_optional_child("enc"))
            {
                let copy = Copy { phone, sender, chat: &chat, to: &to, enc, stanza };
                reaction.replies.extend(copy.deliver(world));
            }
        }
    } else if let Some(enc) = stanza.get_optional_child("enc") {
        let copy = Copy { phone, sender, chat: &chat, to: &chat, enc, stanza };
        reaction.replies.extend(copy.deliver(world));
    }
    reaction
}

fn sender_device(world: &World, phone: &str) -> Option<u16> {
    Some(world.accounts.get(phone)?.device.as_ref()?.number)
}

/// One recipient's copy of a message.
struct Copy<'a> {
    /// The account that sends.
    phone: &'a str,
    /// Its device that sends.
    sender: u16,
    /// The chat the message is for.
    chat: &'a Jid,
    /// The device this copy is for.
    to: &'a Jid,
    enc: &'a NodeRef<'a>,
    stanza: &'a NodeRef<'a>,
}

impl Copy<'_> {
    /// Delivers the copy; the result is what the recipient answers at once.
    fn deliver(&self, world: &mut World) -> Option<Node> {
        let recipient = world.phone_of(self.to)?;
        if self.to.device != 0 {
            self.pass_on(world, &recipient);
            return None;
        }
        match self.read(world, &recipient) {
            Ok(message) => self.receive(world, &recipient, &message),
            Err(error) => {
                tracing::warn!(%error, %recipient, "a message cannot be read by its recipient");
                let registration = usync::party(world, &recipient)?.registration_id();
                let id = nodes::text(self.stanza, "id");
                Some(nodes::retry_receipt(self.chat.clone(), &id, registration))
            }
        }
    }

    fn read(&self, world: &mut World, recipient: &str) -> Result<wa::Message, SimError> {
        let sender = device_address(self.phone, self.sender);
        let party = usync::party(world, recipient)
            .ok_or_else(|| SimError::UnknownContact(recipient.to_owned()))?;
        let bytes = self.enc.content_bytes().unwrap_or_default();
        let padded = party.unseal(&sender, &nodes::text(self.enc, "type"), bytes)?;
        decode_plaintext(&padded, PADDING_VERSION)
            .map_err(|error| SimError::Signal(error.to_string()))
    }

    /// A contact reads its copy. The copy for the account's own phone, and what
    /// other accounts' phones get, only had to be readable.
    fn receive(&self, world: &mut World, recipient: &str, message: &wa::Message) -> Option<Node> {
        let id = nodes::text(self.stanza, "id");
        let contact = world.contacts.get_mut(recipient)?;
        let receipts = world.config.delivery_receipts && !contact.withholds;
        let Some(content) = content::read(&world.media.blobs, message) else {
            tracing::debug!(%recipient, "a message without a text");
            return None;
        };
        if contact.receive(&id, self.phone, self.chat, content) {
            world.emit(SimEvent::Received {
                contact: recipient.to_owned(),
                from: self.phone.to_owned(),
                id: id.clone(),
            });
        }
        receipts.then(|| nodes::receipt(self.chat.clone(), None, &id, None))
    }

    /// Another linked device gets the ciphertext as it is.
    fn pass_on(&self, world: &mut World, recipient: &str) {
        let from = Jid::pn_device(self.phone, self.sender);
        let mut children = vec![self.enc.to_owned()];
        children.extend(self.stanza.get_optional_child("device-identity").map(NodeRef::to_owned));
        let id = nodes::text(self.stanza, "id");
        let mut builder = NodeBuilder::new("message")
            .attr("id", id.as_str())
            .attr("type", "text")
            .attr("t", crate::clock::unix_seconds().to_string())
            .attr("from", from);
        if recipient == self.phone {
            builder = builder.attr("recipient", self.chat);
        }
        let stanza = builder.children(children).build();
        let queued = Queued { id, origin: Origin::Elsewhere, stanza };
        if let Err(error) = delivery::enqueue(world, recipient, queued) {
            tracing::debug!(%error, "a copy for a linked device is dropped");
        }
    }
}
