//! Messages that a bot sends to a group.
//!
//! The content is encrypted once for all. Beside it are copies of the key to it, each
//! for one device that does not have it yet.

use wacore::messages::decode_plaintext;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node, NodeRef};
use waproto::whatsapp as wa;

use crate::account::{Origin, Queued, device_address};
use crate::content;
use crate::delivery;
use crate::error::SimError;
use crate::event::SimEvent;
use crate::group::key_in;
use crate::stanza::message::PADDING_VERSION;
use crate::stanza::{groups, nodes, usync};
use crate::world::World;

/// A message for a group.
pub(crate) struct GroupMessage<'a> {
    /// The account that sends.
    pub(crate) phone: &'a str,
    /// Its device that sends.
    pub(crate) sender: u16,
    /// The group.
    pub(crate) chat: &'a Jid,
    pub(crate) stanza: &'a NodeRef<'a>,
}

impl GroupMessage<'_> {
    /// Whether the account may write there.
    pub(crate) fn is_allowed(&self, world: &World) -> bool {
        world.groups.get(self.chat.user.as_str()).is_some_and(|group| group.has(self.phone))
    }

    /// Delivers the message; the result is what its recipients answer at once.
    pub(crate) fn deliver(&self, world: &mut World) -> Vec<Node> {
        let Some(group) = world.groups.get(self.chat.user.as_str()) else {
            return Vec::new();
        };
        let members = group.members.clone();
        let copies = self.stanza.get_optional_child("participants");
        let copies: Vec<(Jid, &NodeRef<'_>)> = copies
            .into_iter()
            .flat_map(|copies| copies.get_children_by_tag("to"))
            .filter_map(|copy| Some((nodes::jid(copy, "jid")?, copy.get_optional_child("enc")?)))
            .collect();
        for (to, enc) in copies.iter().filter(|(to, _)| to.device == 0) {
            self.hand_over_key(world, to, enc);
        }
        let Some(enc) = self.stanza.get_optional_child("enc") else {
            return Vec::new();
        };
        if nodes::text(enc, "type") != "skmsg" {
            return self.deliver_to_one(world, enc).into_iter().collect();
        }
        let mut answers = Vec::new();
        for member in members.iter().filter(|member| *member != self.phone) {
            if world.contacts.contains_key(member) {
                answers.extend(self.deliver_to_member(world, member, enc));
            } else {
                self.pass_on(world, member, &copies, enc);
            }
        }
        answers
    }

    /// The name under which recipients keep the sending device's key.
    fn sender_name(&self) -> String {
        device_address(self.phone, self.sender).to_string()
    }

    fn hand_over_key(&self, world: &mut World, to: &Jid, enc: &NodeRef<'_>) {
        let Some(recipient) = world.phone_of(to) else {
            return;
        };
        if let Err(error) = self.unseal_copy(world, &recipient, enc) {
            tracing::warn!(%error, %recipient, "a key for a group cannot be read");
        }
    }

    /// Reads a copy for one phone, and learns the key in it if there is one.
    fn unseal_copy(
        &self,
        world: &mut World,
        recipient: &str,
        enc: &NodeRef<'_>,
    ) -> Result<wa::Message, SimError> {
        let party = usync::party(world, recipient)
            .ok_or_else(|| SimError::UnknownContact(recipient.to_owned()))?;
        let address = device_address(self.phone, self.sender);
        let bytes = enc.content_bytes().unwrap_or_default();
        let message = decoded(&party.unseal(&address, &nodes::text(enc, "type"), bytes)?)?;
        if let Some(key) = key_in(&message) {
            party.learn_sender_key(&self.chat.to_string(), &self.sender_name(), key)?;
        }
        Ok(message)
    }

    /// A message encrypted anew for the one member who could not read it.
    fn deliver_to_one(&self, world: &mut World, enc: &NodeRef<'_>) -> Option<Node> {
        let to = nodes::jid(self.stanza, "participant")?;
        let recipient = world.phone_of(&to)?;
        match self.unseal_copy(world, &recipient, enc) {
            Ok(message) => self.receive(world, &recipient, &message),
            Err(error) => self.ask_again(world, &recipient, &error),
        }
    }

    fn deliver_to_member(
        &self,
        world: &mut World,
        member: &str,
        enc: &NodeRef<'_>,
    ) -> Option<Node> {
        let party = &mut world.contacts.get_mut(member)?.party;
        let bytes = enc.content_bytes().unwrap_or_default();
        let message = party
            .unseal_from_group(&self.chat.to_string(), &self.sender_name(), bytes)
            .and_then(|padded| decoded(&padded));
        match message {
            Ok(message) => self.receive(world, member, &message),
            Err(error) => self.ask_again(world, member, &error),
        }
    }

    fn receive(&self, world: &mut World, member: &str, message: &wa::Message) -> Option<Node> {
        let id = nodes::text(self.stanza, "id");
        let participant = self.address_of(world, member)?;
        let contact = world.contacts.get_mut(member)?;
        let receipts = world.config.delivery_receipts && !contact.withholds;
        let content = content::read(&world.media.blobs, message)?;
        if contact.receive(&id, self.phone, self.chat, content) {
            world.emit(SimEvent::Received {
                contact: member.to_owned(),
                from: self.phone.to_owned(),
                id: id.clone(),
            });
        }
        receipts.then(|| nodes::receipt(self.chat.clone(), Some(participant), &id, None))
    }

    fn ask_again(&self, world: &mut World, member: &str, error: &SimError) -> Option<Node> {
        tracing::debug!(%error, %member, "a member cannot read a message of its group");
        let participant = self.address_of(world, member)?;
        let registration = usync::party(world, member)?.registration_id();
        let id = nodes::text(self.stanza, "id");
        let mut request = nodes::retry_receipt(self.chat.clone(), &id, registration);
        request.attrs.insert("participant", participant);
        Some(request)
    }

    fn address_of(&self, world: &World, member: &str) -> Option<Jid> {
        let group = world.groups.get(self.chat.user.as_str())?;
        world.jid_of(member, group.addressing)
    }

    /// Another account's device gets the ciphertexts as they are.
    fn pass_on(
        &self,
        world: &mut World,
        member: &str,
        copies: &[(Jid, &NodeRef<'_>)],
        enc: &NodeRef<'_>,
    ) {
        let device = world.accounts.get(member).and_then(|account| account.device.as_ref());
        let (Some(device), Some(from)) =
            (device.map(|device| device.number), self.address_of(world, self.phone))
        else {
            return;
        };
        let Some(group) = world.groups.get(self.chat.user.as_str()) else {
            return;
        };
        let addressing = group.addressing;
        let key = copies
            .iter()
            .find(|(to, _)| to.device == device && world.phone_of(to).as_deref() == Some(member));
        let mut children: Vec<Node> = key.into_iter().map(|(_, enc)| (*enc).to_owned()).collect();
        children.push(enc.to_owned());
        children.extend(self.stanza.get_optional_child("device-identity").map(NodeRef::to_owned));
        let id = nodes::text(self.stanza, "id");
        let stanza = NodeBuilder::new("message")
            .attr("id", id.as_str())
            .attr("type", nodes::text(self.stanza, "type"))
            .attr("t", crate::clock::unix_seconds().to_string())
            .attr("from", self.chat)
            .attr("participant", from.with_device(self.sender))
            .attr("addressing_mode", groups::mode(addressing))
            .children(children)
            .build();
        let queued = Queued { id, origin: Origin::Elsewhere, stanza };
        if let Err(error) = delivery::enqueue(world, member, queued) {
            tracing::debug!(%error, "a group message for a linked device is dropped");
        }
    }
}

fn decoded(padded: &[u8]) -> Result<wa::Message, SimError> {
    decode_plaintext(padded, PADDING_VERSION).map_err(|error| SimError::Signal(error.to_string()))
}
