//! Getting messages to a linked device: encrypt, queue, push, repeat.
//!
//! A message stays queued until the device sends its receipt, and is sent again
//! at every login until then.

use buffa::Message as _;
use wacore::messages::MessageUtils;
use wacore_libsignal::protocol::PreKeyBundle;
use waproto::whatsapp as wa;

use crate::account::{Account, Device, Held, Link, Origin, Queued, device_address};
use crate::contact::{Contact, Delivery, SentText};
use crate::error::SimError;
use crate::fault::strike;
use crate::media::MediaKind;
use crate::party::{Party, Sealed};
use crate::stanza::nodes;
use crate::world::World;

/// This far from the end is ciphertext in both kinds of message: the check code
/// takes 8 bytes and the ids behind it in a first message at most 10.
const DAMAGED_BYTE_FROM_END: usize = 20;

/// Where the keys of a new session come from.
pub(crate) enum FreshKeys {
    /// The bundle the device published.
    Published,
    /// Keys the device enclosed when it asked for a message again.
    Enclosed(Box<PreKeyBundle>),
}

/// What a contact sends.
pub(crate) struct Outgoing {
    /// The text, or the caption of a file.
    pub(crate) text: String,
    pub(crate) media: Option<MediaKind>,
    /// The encoded message.
    pub(crate) payload: Vec<u8>,
}

impl Outgoing {
    pub(crate) fn text(text: &str) -> Self {
        let message = wa::Message { conversation: Some(text.to_owned()), ..Default::default() };
        Self { text: text.to_owned(), media: None, payload: message.encode_to_vec() }
    }
}

/// Sends a message from a contact to an account; gives the message id.
pub(crate) fn send(
    world: &mut World,
    contact: &str,
    account: &str,
    outgoing: Outgoing,
) -> Result<String, SimError> {
    world.contact(contact)?;
    let device = world.account(account)?.device.as_ref();
    let device = device.ok_or_else(|| SimError::NotLinked(account.to_owned()))?;
    if device.queue.len() + device.held.len() >= world.config.queue_limit {
        return Err(SimError::QueueFull(account.to_owned()));
    }
    let id = message_id();
    world.contact_mut(contact)?.send(SentText {
        id: id.clone(),
        to: account.to_owned(),
        text: outgoing.text,
        media: outgoing.media,
        at: crate::clock::unix_seconds(),
        delivery: Delivery::Held,
        retries: 0,
        payload: outgoing.payload,
    });
    transmit(world, contact, &id)?;
    Ok(id)
}

/// Sends a text that was sent before once more: same id, encrypted anew.
pub(crate) fn redeliver(world: &mut World, contact: &str, id: &str) -> Result<(), SimError> {
    world.contact(contact)?.sent(id).ok_or_else(|| SimError::UnknownMessage(id.to_owned()))?;
    transmit(world, contact, id)
}

/// Encrypts and queues a noted text, or holds it back while the device has no keys.
fn transmit(world: &mut World, contact: &str, id: &str) -> Result<(), SimError> {
    let addressing = world.config.addressing;
    let sender = world
        .contacts
        .get_mut(contact)
        .ok_or_else(|| SimError::UnknownContact(contact.to_owned()))?;
    let sent = sender.sent(id).ok_or_else(|| SimError::UnknownMessage(id.to_owned()))?.clone();
    let account = world
        .accounts
        .get_mut(&sent.to)
        .ok_or_else(|| SimError::UnknownAccount(sent.to.clone()))?;
    let device =
        account.device.as_mut().ok_or_else(|| SimError::NotLinked(account.phone.clone()))?;
    if device.bundle.is_none() {
        device.held.push(Held { contact: contact.to_owned(), id: id.to_owned() });
        return Ok(());
    }
    let mut sealed = seal(&mut sender.party, &account.phone, device, &padded(&sent))?;
    damage_if_asked(sender, &mut sealed);
    let stanza = nodes::contact_message(sender, addressing, &sent, sealed, None);
    if let Some(sent) = sender.sent_mut(id) {
        sent.delivery = sent.delivery.max(Delivery::Queued);
    }
    let origin = Origin::Contact(contact.to_owned());
    enqueue(world, &sent.to, Queued { id: id.to_owned(), origin, stanza })
}

/// Encrypts and queues the texts that waited for the device's keys.
pub(crate) fn release_held(world: &mut World, phone: &str) {
    let device = world.accounts.get_mut(phone).and_then(|account| account.device.as_mut());
    let held = device.map(|device| std::mem::take(&mut device.held)).unwrap_or_default();
    for Held { contact, id } in held {
        if let Err(error) = transmit(world, &contact, &id) {
            tracing::warn!(%error, %id, "a held text cannot be sent");
        }
    }
}

/// Encrypts a text anew in a new session, because the device could not decrypt it.
pub(crate) fn resend(
    world: &mut World,
    phone: &str,
    contact: &str,
    id: &str,
    count: u32,
    keys: FreshKeys,
) -> Result<(), SimError> {
    let addressing = world.config.addressing;
    let (Some(sender), Some(account)) =
        (world.contacts.get_mut(contact), world.accounts.get_mut(phone))
    else {
        return Err(SimError::UnknownContact(contact.to_owned()));
    };
    let device = account.device.as_mut().ok_or_else(|| SimError::NotLinked(phone.to_owned()))?;
    let sent = sender.sent_mut(id).ok_or_else(|| SimError::UnknownMessage(id.to_owned()))?;
    sent.retries += 1;
    let sent = sent.clone();
    begin(&mut sender.party, phone, device, keys)?;
    let mut sealed = seal(&mut sender.party, phone, device, &padded(&sent))?;
    damage_if_asked(sender, &mut sealed);
    let stanza = nodes::contact_message(sender, addressing, &sent, sealed, Some(count));
    let origin = Origin::Contact(contact.to_owned());
    enqueue(world, phone, Queued { id: id.to_owned(), origin, stanza })
}

/// Queues a message for an account's device and pushes it if the device is online.
/// A message with the same id that is still queued is replaced.
pub(crate) fn enqueue(world: &mut World, phone: &str, queued: Queued) -> Result<(), SimError> {
    let limit = world.config.queue_limit;
    let account: &mut Account = world.account_mut(phone)?;
    let device = account.device.as_mut().ok_or_else(|| SimError::NotLinked(phone.to_owned()))?;
    let stanza = queued.stanza.clone();
    let full = device.queue.len() >= limit;
    match device.queue.iter_mut().find(|earlier| earlier.id == queued.id) {
        Some(earlier) => *earlier = queued,
        None if full => return Err(SimError::QueueFull(phone.to_owned())),
        None => device.queue.push_back(queued),
    }
    if let Link::Online(connection) = device.link {
        for stanza in strike::disturbed(world, phone, stanza) {
            world.push(connection, &stanza);
        }
    }
    Ok(())
}

/// Starts a new session with a device, whatever there was before.
pub(crate) fn begin(
    party: &mut Party,
    phone: &str,
    device: &mut Device,
    keys: FreshKeys,
) -> Result<(), SimError> {
    let address = device_address(phone, device.number);
    party.forget(&address);
    let bundle = match keys {
        FreshKeys::Enclosed(bundle) => *bundle,
        FreshKeys::Published => device
            .bundle
            .as_mut()
            .ok_or_else(|| SimError::NotLinked(phone.to_owned()))?
            .take_for_session(device.number)?,
    };
    party.begin(&address, &bundle)
}

/// Encrypts a message for a device, in a new session if there is none.
pub(crate) fn seal(
    party: &mut Party,
    phone: &str,
    device: &mut Device,
    plaintext: &[u8],
) -> Result<Sealed, SimError> {
    let address = device_address(phone, device.number);
    if !party.knows(&address) {
        begin(party, phone, device, FreshKeys::Published)?;
    }
    party.seal(&address, plaintext)
}

fn padded(sent: &SentText) -> Vec<u8> {
    MessageUtils::pad_message_v2(sent.payload.clone())
}

fn damage_if_asked(contact: &mut Contact, sealed: &mut Sealed) {
    if !std::mem::take(&mut contact.corrupt_next) {
        return;
    }
    let place = sealed.bytes.len().saturating_sub(DAMAGED_BYTE_FROM_END);
    if let Some(byte) = sealed.bytes.get_mut(place) {
        *byte ^= 0xff;
    }
}

/// An id in the form phones use: 32 upper-case hexadecimal digits.
pub(crate) fn message_id() -> String {
    format!("{:032X}", rand::random::<u128>())
}
