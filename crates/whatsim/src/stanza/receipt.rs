//! Receipts of a bot: a message arrived, was read, or could not be decrypted.

use wacore_binary::NodeRef;

use crate::account::Origin;
use crate::app_state;
use crate::bundle::{OneTimeKey, SignedKey, session_bundle};
use crate::contact::Delivery;
use crate::delivery::{self, FreshKeys};
use crate::event::SimEvent;
use crate::fault::{FaultKind, strike};
use crate::own_message;
use crate::server_key::KEY_BYTES;
use crate::stanza::{Reaction, nodes};
use crate::world::World;

/// Handles a receipt and confirms it.
pub(crate) fn react(world: &mut World, phone: &str, receipt: &NodeRef<'_>) -> Reaction {
    if strike::spend(world, phone, FaultKind::LoseReceipts).is_some() {
        return Reaction::none();
    }
    let kind = nodes::text(receipt, "type");
    if kind == "retry" {
        retry(world, phone, receipt);
    } else {
        let delivery = match kind.as_str() {
            "read" | "played" | "read-self" | "played-self" => Delivery::Read,
            _ => Delivery::Delivered,
        };
        // In a group the receipt names whose message it was.
        let sender = nodes::jid(receipt, "participant").or_else(|| nodes::jid(receipt, "to"));
        let sender = sender.and_then(|sender| world.phone_of(&sender));
        for id in message_ids(receipt) {
            confirm(world, phone, sender.as_deref(), &id, delivery);
        }
    }
    Reaction::reply(nodes::ack("receipt", receipt))
}

/// The message in the stanza itself, and those listed in it.
fn message_ids(receipt: &NodeRef<'_>) -> Vec<String> {
    let mut ids = vec![nodes::text(receipt, "id")];
    let listed = receipt.get_optional_child("list");
    ids.extend(
        listed
            .into_iter()
            .flat_map(|list| list.get_children_by_tag("item"))
            .map(|item| nodes::text(item, "id")),
    );
    ids
}

/// Takes a message off the device's queue and notes how far it came.
fn confirm(world: &mut World, phone: &str, sender: Option<&str>, id: &str, delivery: Delivery) {
    let device = world.accounts.get_mut(phone).and_then(|account| account.device.as_mut());
    if let Some(device) = device
        && let Some(place) = device.queue.iter().position(|queued| queued.id == id)
    {
        device.queue.remove(place);
    }
    let contact = sender.and_then(|sender| world.contacts.get_mut(sender));
    if let Some(contact) = contact
        && let Some(sent) = contact.sent_mut(id)
    {
        sent.delivery = sent.delivery.max(delivery);
        let contact = contact.phone.clone();
        world.emit(SimEvent::Confirmed { contact, id: id.to_owned() });
    } else {
        world.changed();
    }
}

/// The device could not decrypt a message: encrypt it anew in a new session.
fn retry(world: &mut World, phone: &str, receipt: &NodeRef<'_>) {
    let id = nodes::text(receipt, "id");
    let device = world.accounts.get(phone).and_then(|account| account.device.as_ref());
    let Some(device) = device else {
        return;
    };
    let Some(queued) = device.queue.iter().find(|queued| queued.id == id) else {
        tracing::debug!(%id, "a retry for a message that is not queued");
        return;
    };
    let keys = enclosed_keys(receipt, device.number);
    let count = receipt
        .get_optional_child("retry")
        .and_then(|retry| nodes::text(retry, "count").parse().ok())
        .unwrap_or(1);
    let outcome = match queued.origin.clone() {
        Origin::Contact(contact) => delivery::resend(world, phone, &contact, &id, count, keys),
        Origin::OwnPhone => app_state::reshare(world, phone, &id, count, keys),
        Origin::OwnMessage(message) => {
            own_message::resend(world, phone, &id, *message, count, keys)
        }
        Origin::Elsewhere => Ok(()),
    };
    if let Err(error) = outcome {
        tracing::warn!(%error, %id, "a message cannot be encrypted anew");
    }
}

/// Keys a device encloses when it asks again.
fn enclosed_keys(receipt: &NodeRef<'_>, device: u16) -> FreshKeys {
    let read = || {
        let keys = receipt.get_optional_child("keys")?;
        let registration: [u8; 4] =
            receipt.get_optional_child("registration")?.content_bytes()?.try_into().ok()?;
        let identity: [u8; KEY_BYTES] =
            keys.get_optional_child("identity")?.content_bytes()?.try_into().ok()?;
        let signed = SignedKey::from_node(keys.get_optional_child("skey")?)?;
        let one_time = keys.get_optional_child("key").and_then(OneTimeKey::from_node);
        session_bundle(u32::from_be_bytes(registration), device, &identity, &signed, one_time).ok()
    };
    read().map_or(FreshKeys::Published, |bundle| FreshKeys::Enclosed(Box::new(bundle)))
}
