//! Getting messages to a linked device: encrypt, queue, push, repeat.
//!
//! A message stays queued until the device sends its receipt, and is sent again
//! at every login until then.

use std::collections::HashSet;

use buffa::{Message as _, MessageField};
use wacore::messages::MessageUtils;
use wacore_binary::Jid;
use wacore_libsignal::protocol::PreKeyBundle;
use waproto::whatsapp as wa;

use crate::account::{Account, Device, Held, Link, Origin, Queued, device_address};
use crate::config::Addressing;
use crate::contact::{Contact, Delivery, SentText};
use crate::error::SimError;
use crate::event::SimEvent;
use crate::fault::strike;
use crate::group::{KeyHolder, key_message};
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
    /// A text. As on a phone, `@` and a number mention whoever has it.
    pub(crate) fn text(text: &str) -> Self {
        let numbers = text.split_whitespace().filter_map(|word| word.strip_prefix('@'));
        let numbers = numbers.filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        let mentioned_jid: Vec<String> =
            numbers.map(|number| format!("{number}@s.whatsapp.net")).collect();
        let message = if mentioned_jid.is_empty() {
            wa::Message { conversation: Some(text.to_owned()), ..Default::default() }
        } else {
            let context = wa::ContextInfo { mentioned_jid, ..Default::default() };
            let extended = wa::message::ExtendedTextMessage {
                text: Some(text.to_owned()),
                context_info: MessageField::some(context),
                ..Default::default()
            };
            wa::Message {
                extended_text_message: MessageField::some(extended),
                ..Default::default()
            }
        };
        Self { text: text.to_owned(), media: None, payload: message.encode_to_vec() }
    }
}

/// Where a contact writes.
pub(crate) struct Chat {
    pub(crate) addressing: Addressing,
    /// The group, unless it is a chat of two.
    pub(crate) group: Option<Jid>,
}

impl Chat {
    fn of(world: &World, sent: &SentText) -> Self {
        match world.groups.get(&sent.to) {
            Some(group) => Self { addressing: group.addressing, group: Some(group.jid()) },
            None => Self { addressing: world.config.addressing, group: None },
        }
    }
}

/// Sends a message from a contact to an account or a group; gives the message id.
pub(crate) fn send(
    world: &mut World,
    contact: &str,
    to: &str,
    outgoing: Outgoing,
) -> Result<String, SimError> {
    world.contact(contact)?;
    let recipients = recipients(world, contact, to)?;
    for phone in &recipients {
        let device = world.account(phone)?.device.as_ref();
        let waiting = device.map_or(0, |device| device.queue.len() + device.held.len());
        if waiting >= world.config.queue_limit {
            return Err(SimError::QueueFull(phone.clone()));
        }
    }
    let id = message_id();
    world.contact_mut(contact)?.send(SentText {
        id: id.clone(),
        to: to.to_owned(),
        text: outgoing.text,
        media: outgoing.media,
        at: crate::clock::unix_seconds(),
        delivery: Delivery::Held,
        retries: 0,
        payload: outgoing.payload,
    });
    for phone in &recipients {
        transmit(world, contact, &id, phone)?;
    }
    world.emit(SimEvent::Sent { contact: contact.to_owned(), to: to.to_owned(), id: id.clone() });
    Ok(id)
}

/// The accounts whose devices get what a contact writes there.
fn recipients(world: &World, contact: &str, to: &str) -> Result<Vec<String>, SimError> {
    if let Some(group) = world.groups.get(to) {
        if !group.has(contact) {
            return Err(SimError::NotAMember(contact.to_owned()));
        }
        let linked = group.members.iter().filter(|phone| {
            world.accounts.get(*phone).is_some_and(|account| account.device.is_some())
        });
        return Ok(linked.cloned().collect());
    }
    match world.account(to)?.device {
        Some(_) => Ok(vec![to.to_owned()]),
        None => Err(SimError::NotLinked(to.to_owned())),
    }
}

/// Sends a text that was sent before once more: same id, encrypted anew.
pub(crate) fn redeliver(world: &mut World, contact: &str, id: &str) -> Result<(), SimError> {
    let sent = world.contact(contact)?.sent(id);
    let to = sent.ok_or_else(|| SimError::UnknownMessage(id.to_owned()))?.to.clone();
    recipients(world, contact, &to)?
        .iter()
        .try_for_each(|phone| transmit(world, contact, id, phone))
}

/// Encrypts and queues a noted text for one account, or holds it back while its device
/// has no keys.
fn transmit(world: &mut World, contact: &str, id: &str, phone: &str) -> Result<(), SimError> {
    let sent = world.contact(contact)?.sent(id);
    let sent = sent.ok_or_else(|| SimError::UnknownMessage(id.to_owned()))?.clone();
    let chat = Chat::of(world, &sent);
    let (sender, account, holders) = parties(world, contact, phone, &sent.to)?;
    let device = account.device.as_mut().ok_or_else(|| SimError::NotLinked(phone.to_owned()))?;
    if device.bundle.is_none() {
        device.held.push(Held { contact: contact.to_owned(), id: id.to_owned() });
        return Ok(());
    }
    let mut sealed = Vec::new();
    match (&chat.group, holders) {
        (Some(group), Some(holders)) => {
            let name = group.to_string();
            let key = sender.party.sender_key(&name)?;
            let holder = KeyHolder {
                contact: contact.to_owned(),
                account: phone.to_owned(),
                device: device.number,
            };
            if holders.insert(holder) {
                let message = MessageUtils::encode_and_pad(&key_message(group, key));
                sealed.push(seal(&mut sender.party, phone, device, &message)?);
            }
            sealed.push(sender.party.seal_for_group(&name, &padded(sent.payload.clone()))?);
        }
        _ => sealed.push(seal(&mut sender.party, phone, device, &padded(sent.payload.clone()))?),
    }
    finish(world, contact, phone, &chat, &sent, sealed, None)
}

type Parties<'a> = (&'a mut Contact, &'a mut Account, Option<&'a mut HashSet<KeyHolder>>);

/// The two ends of a message, and who has keys to the group it is for.
fn parties<'a>(
    world: &'a mut World,
    contact: &str,
    phone: &str,
    to: &str,
) -> Result<Parties<'a>, SimError> {
    let sender = world.contacts.get_mut(contact);
    let sender = sender.ok_or_else(|| SimError::UnknownContact(contact.to_owned()))?;
    let account = world.accounts.get_mut(phone);
    let account = account.ok_or_else(|| SimError::UnknownAccount(phone.to_owned()))?;
    Ok((sender, account, world.groups.get_mut(to).map(|group| &mut group.holders)))
}

/// Queues what was sealed for an account.
fn finish(
    world: &mut World,
    contact: &str,
    phone: &str,
    chat: &Chat,
    sent: &SentText,
    mut sealed: Vec<Sealed>,
    retry: Option<u32>,
) -> Result<(), SimError> {
    let sender = world.contact_mut(contact)?;
    sealed.iter_mut().take(1).for_each(|sealed| damage_if_asked(sender, sealed));
    let stanza = nodes::contact_message(sender, chat, sent, sealed, retry);
    if let Some(sent) = sender.sent_mut(&sent.id) {
        sent.delivery = sent.delivery.max(Delivery::Queued);
    }
    let origin = Origin::Contact(contact.to_owned());
    enqueue(world, phone, Queued { id: sent.id.clone(), origin, stanza })
}

/// Encrypts and queues the texts that waited for the device's keys.
pub(crate) fn release_held(world: &mut World, phone: &str) {
    let device = world.accounts.get_mut(phone).and_then(|account| account.device.as_mut());
    let held = device.map(|device| std::mem::take(&mut device.held)).unwrap_or_default();
    for Held { contact, id } in held {
        if let Err(error) = transmit(world, &contact, &id, phone) {
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
    let sent = world.contact_mut(contact)?.sent_mut(id);
    let sent = sent.ok_or_else(|| SimError::UnknownMessage(id.to_owned()))?;
    sent.retries += 1;
    let sent = sent.clone();
    let chat = Chat::of(world, &sent);
    let (sender, account, _) = parties(world, contact, phone, &sent.to)?;
    let device = account.device.as_mut().ok_or_else(|| SimError::NotLinked(phone.to_owned()))?;
    begin(&mut sender.party, phone, device, keys)?;
    let mut payload = sent.payload.clone();
    if let Some(group) = &chat.group {
        // Encodings of messages one after the other are the two merged.
        let key = sender.party.sender_key(&group.to_string())?;
        payload.extend(key_message(group, key).encode_to_vec());
    }
    let sealed = seal(&mut sender.party, phone, device, &padded(payload))?;
    finish(world, contact, phone, &chat, &sent, vec![sealed], Some(count))
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

fn padded(payload: Vec<u8>) -> Vec<u8> {
    MessageUtils::pad_message_v2(payload)
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
