//! What the owner of an account writes on the phone: the chat gets it, and the linked
//! device gets a copy.

use buffa::{Message as _, MessageField};
use wacore::messages::MessageUtils;
use wacore_binary::Jid;
use waproto::whatsapp as wa;

use crate::account::{Origin, Queued};
use crate::config::Addressing;
use crate::content::Content;
use crate::delivery::{FreshKeys, begin, enqueue, message_id, seal};
use crate::error::SimError;
use crate::event::SimEvent;
use crate::stanza::nodes;
use crate::world::World;

/// A message that the owner wrote on the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnMessage {
    chat: Jid,
    payload: Vec<u8>,
}

/// The owner of an account writes to a contact on the phone; gives the message id.
pub(crate) fn write(
    world: &mut World,
    account: &str,
    contact: &str,
    text: &str,
) -> Result<String, SimError> {
    world.account(account)?;
    let addressing =
        if world.config.lid_migrated { Addressing::Lid } else { Addressing::PhoneNumber };
    let chat = world.jid_of(contact, addressing);
    let chat = chat.ok_or_else(|| SimError::UnknownContact(contact.to_owned()))?;
    let id = message_id();
    let content = Content { text: text.to_owned(), ..Content::default() };
    world.contact_mut(contact)?.receive(&id, account, &chat, content);
    world.emit(SimEvent::Received {
        contact: contact.to_owned(),
        from: account.to_owned(),
        id: id.clone(),
    });
    let written = wa::Message { conversation: Some(text.to_owned()), ..Default::default() };
    let copy = wa::Message {
        device_sent_message: MessageField::some(wa::message::DeviceSentMessage {
            destination_jid: Some(chat.to_string()),
            message: MessageField::some(written),
            ..Default::default()
        }),
        ..Default::default()
    };
    let has_keys = |device: &crate::account::Device| device.bundle.is_some();
    // A device that is linked later learns of it from the history, which there is none of here.
    if world.account(account)?.device.as_ref().is_some_and(has_keys) {
        let message = OwnMessage { chat, payload: copy.encode_to_vec() };
        copy_to_device(world, account, &id, message, None)?;
    }
    Ok(id)
}

/// Encrypts a copy anew, because the device could not decrypt it.
pub(crate) fn resend(
    world: &mut World,
    account: &str,
    id: &str,
    message: OwnMessage,
    count: u32,
    keys: FreshKeys,
) -> Result<(), SimError> {
    copy_to_device(world, account, id, message, Some((count, keys)))
}

fn copy_to_device(
    world: &mut World,
    phone: &str,
    id: &str,
    message: OwnMessage,
    retry: Option<(u32, FreshKeys)>,
) -> Result<(), SimError> {
    let account = world.account_mut(phone)?;
    let device = account.device.as_mut().ok_or_else(|| SimError::NotLinked(phone.to_owned()))?;
    let mut count = None;
    if let Some((times, keys)) = retry {
        count = Some(times);
        begin(&mut account.party, phone, device, keys)?;
    }
    let padded = MessageUtils::pad_message_v2(message.payload.clone());
    let sealed = seal(&mut account.party, phone, device, &padded)?;
    let stanza = nodes::own_copy(account, &message.chat, id, sealed, count);
    let origin = Origin::OwnMessage(Box::new(message));
    enqueue(world, phone, Queued { id: id.to_owned(), origin, stanza })
}
