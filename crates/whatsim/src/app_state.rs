//! The key to an account's application state, which its phone gives to a new device.

use buffa::MessageField;
use rand::RngExt;
use wacore::messages::MessageUtils;
use waproto::whatsapp as wa;
use waproto::whatsapp::message::protocol_message;

use crate::account::{Origin, Queued};
use crate::delivery::{FreshKeys, begin, enqueue, message_id, seal};
use crate::error::SimError;
use crate::stanza::nodes;
use crate::world::World;

/// Bytes of an app-state key id and of the key.
const APP_STATE_KEY_ID_BYTES: usize = 6;
const APP_STATE_KEY_BYTES: usize = 32;

/// The phone gives a newly linked device the key to its application state.
pub(crate) fn share(world: &mut World, phone: &str) {
    if !world.config.share_app_state_key {
        return;
    }
    let device = world.accounts.get_mut(phone).and_then(|account| account.device.as_mut());
    let Some(device) = device.filter(|device| !device.key_shared) else {
        return;
    };
    device.key_shared = true;
    if let Err(error) = send(world, phone, &message_id(), None, None) {
        tracing::warn!(%error, "the app-state key cannot be shared");
    }
}

/// Shares an app-state key again, because the device could not decrypt it.
pub(crate) fn reshare(
    world: &mut World,
    phone: &str,
    id: &str,
    count: u32,
    keys: FreshKeys,
) -> Result<(), SimError> {
    send(world, phone, id, Some(count), Some(keys))
}

fn send(
    world: &mut World,
    phone: &str,
    id: &str,
    retry: Option<u32>,
    keys: Option<FreshKeys>,
) -> Result<(), SimError> {
    let account = world.account_mut(phone)?;
    let message = app_state_key_share(account.raw_id);
    let device = account.device.as_mut().ok_or_else(|| SimError::NotLinked(phone.to_owned()))?;
    if let Some(keys) = keys {
        begin(&mut account.party, phone, device, keys)?;
    }
    let sealed = seal(&mut account.party, phone, device, &MessageUtils::encode_and_pad(&message))?;
    let stanza = nodes::peer_message(account, id, sealed, retry);
    enqueue(world, phone, Queued { id: id.to_owned(), origin: Origin::OwnPhone, stanza })
}

fn app_state_key_share(raw_id: u32) -> wa::Message {
    let mut random = crate::party::random();
    let key_id: [u8; APP_STATE_KEY_ID_BYTES] = random.random();
    let key: [u8; APP_STATE_KEY_BYTES] = random.random();
    // Clients refuse a key without a fingerprint.
    let fingerprint = wa::message::AppStateSyncKeyFingerprint {
        raw_id: Some(raw_id),
        current_index: Some(0),
        device_indexes: vec![0],
    };
    let key = wa::message::AppStateSyncKey {
        key_id: MessageField::some(wa::message::AppStateSyncKeyId {
            key_id: Some(key_id.to_vec()),
        }),
        key_data: MessageField::some(wa::message::AppStateSyncKeyData {
            key_data: Some(key.to_vec()),
            fingerprint: MessageField::some(fingerprint),
            timestamp: Some(crate::clock::since_epoch().as_secs().cast_signed()),
        }),
    };
    wa::Message {
        protocol_message: MessageField::some(wa::message::ProtocolMessage {
            r#type: Some(protocol_message::Type::APP_STATE_SYNC_KEY_SHARE),
            app_state_sync_key_share: MessageField::some(wa::message::AppStateSyncKeyShare {
                keys: vec![key],
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}
