//! Linking a device: references for the QR code, the phone's scan, the signatures.

pub(crate) mod code;

use std::collections::HashMap;
use std::time::Instant;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use buffa::Message;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::oneshot;
use wacore::adv::{AdvValidation, validate_adv_with_identity_key};
use wacore_binary::NodeRef;
use waproto::whatsapp as wa;

use crate::account::{Account, Device};
use crate::error::SimError;
use crate::event::SimEvent;
use crate::fault::{FaultKind, strike};
use crate::party::random;
use crate::server_key::KEY_BYTES;
use crate::stanza::{Reaction, nodes};
use crate::world::{ConnectionId, World};

/// Prefix of what an account signs when it links a device.
const ACCOUNT_SIGNATURE_PREFIX: [u8; 2] = [6, 0];
/// Prefix of what an account signs as its list of linked devices.
const KEY_INDEX_SIGNATURE_PREFIX: [u8; 2] = [6, 2];
/// Random bytes in a reference.
const REFERENCE_BYTES: usize = 33;

/// A linked device, as the scan reports it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LinkedDevice {
    /// Phone number of the account.
    pub phone: String,
    /// Number of the device within the account; never used again.
    pub device: u16,
}

/// The parts of a pairing QR code that matter to the phone.
pub(crate) struct QrCode {
    reference: String,
    noise_key: [u8; KEY_BYTES],
    companion: Companion,
}

/// What a phone has to know about a companion to link it.
pub(crate) struct Companion {
    identity: [u8; KEY_BYTES],
    adv_secret: [u8; KEY_BYTES],
}

/// Outstanding references and scans.
#[derive(Default)]
pub(crate) struct PairingDesk {
    references: HashMap<String, Reference>,
    pending: HashMap<ConnectionId, PendingLink>,
    /// Companions that wait for a code to be typed, by phone number.
    codes: HashMap<String, code::Offer>,
}

struct Reference {
    connection: ConnectionId,
    expires: Instant,
}

struct PendingLink {
    phone: String,
    device: u16,
    iq: String,
    identity: [u8; KEY_BYTES],
    done: oneshot::Sender<Result<LinkedDevice, SimError>>,
}

impl PairingDesk {
    /// Forgets what belongs to a connection that ended.
    pub(crate) fn abandon(&mut self, connection: ConnectionId) {
        self.references.retain(|_, reference| reference.connection != connection);
        self.codes.retain(|_, offer| offer.connection != connection);
        // Dropping the pending scan tells its waiter.
        self.pending.remove(&connection);
    }

    fn redeem(&mut self, reference: &str) -> Result<ConnectionId, SimError> {
        let now = Instant::now();
        let found = self.references.get(reference).filter(|found| found.expires > now);
        let connection = found.ok_or(SimError::QrExpired)?.connection;
        self.references.retain(|_, reference| reference.connection != connection);
        Ok(connection)
    }
}

impl QrCode {
    /// Reads the text of a QR code, with or without the link some clients put before it.
    pub(crate) fn parse(text: &str) -> Result<Self, SimError> {
        let text = text.trim();
        let text = if text.starts_with("http") {
            text.split_once('#').map_or(text, |(_, code)| code)
        } else {
            text
        };
        let mut fields = text.split(',');
        let mut field = |name| {
            fields.next().filter(|field| !field.is_empty()).ok_or(SimError::MalformedQr(name))
        };
        let reference = field("there is no reference")?.to_owned();
        let noise_key = decoded(field("there is no noise key")?)?;
        let identity = decoded(field("there is no identity key")?)?;
        let adv_secret = decoded(field("there is no secret")?)?;
        Ok(Self { reference, noise_key, companion: Companion { identity, adv_secret } })
    }
}

fn decoded(field: &str) -> Result<[u8; KEY_BYTES], SimError> {
    BASE64_STANDARD
        .decode(field)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(SimError::MalformedQr("a key is not 32 bytes of base64"))
}

/// Hands out references to a client that wants to be paired.
pub(crate) fn offer(world: &mut World, connection: ConnectionId) -> wacore_binary::Node {
    let mut expires = Instant::now();
    if !world.codes_expire {
        expires += world.config.qr_first_lifetime;
    }
    let mut references = Vec::with_capacity(world.config.qr_ref_count);
    for _ in 0..world.config.qr_ref_count {
        let bytes: [u8; REFERENCE_BYTES] = rand::random();
        let reference = format!("2@{}", BASE64_STANDARD.encode(bytes));
        world.pairing.references.insert(reference.clone(), Reference { connection, expires });
        references.push(reference);
        if !world.codes_expire {
            expires += world.config.qr_next_lifetime;
        }
    }
    world.emit(SimEvent::PairingOffered);
    nodes::pair_device(&world.stanza_id(), references)
}

/// Makes every code that is out there invalid.
pub(crate) fn expire_codes(world: &mut World) {
    world.pairing.references.clear();
    code::expire(world);
}

/// The phone scans a code: the companion behind it is told, and the receiver
/// hears whether it accepted.
pub(crate) fn scan(
    world: &mut World,
    code: &QrCode,
    phone: &str,
) -> Result<oneshot::Receiver<Result<LinkedDevice, SimError>>, SimError> {
    world.account(phone)?;
    let connection = world.pairing.redeem(&code.reference)?;
    let known_key = world.connections.get(&connection).map(|connection| connection.client_key);
    if known_key != Some(code.noise_key) {
        return Err(SimError::MalformedQr("the code was not made by the client it names"));
    }
    confirm(world, connection, &code.companion, phone)
}

/// The phone links a companion: it is told, and the receiver hears whether it accepted.
pub(crate) fn confirm(
    world: &mut World,
    connection: ConnectionId,
    companion: &Companion,
    phone: &str,
) -> Result<oneshot::Receiver<Result<LinkedDevice, SimError>>, SimError> {
    let iq = world.stanza_id();
    if strike::spend(world, phone, FaultKind::DemandPasskey).is_some() {
        world.push(connection, &nodes::passkey_request(&iq));
        return Err(SimError::PasskeyNeeded);
    }
    let lid_migrated = world.config.lid_migrated;
    let account = world.account_mut(phone)?;
    account.last_device += 1;
    let device = account.last_device;
    let container = identity_container(account, device, companion)?;
    let success = nodes::pair_success(&iq, account, device, container, lid_migrated);
    let (done, outcome) = oneshot::channel();
    let pending =
        PendingLink { phone: phone.to_owned(), device, iq, identity: companion.identity, done };
    world.pairing.pending.insert(connection, pending);
    world.push(connection, &success);
    Ok(outcome)
}

/// What the account signs about its new device, sealed with the code's secret.
fn identity_container(
    account: &Account,
    device: u16,
    companion: &Companion,
) -> Result<Vec<u8>, SimError> {
    let identity = account.party.identity();
    let details = wa::ADVDeviceIdentity {
        raw_id: Some(account.raw_id),
        timestamp: Some(crate::clock::unix_seconds()),
        key_index: Some(u32::from(device)),
        ..Default::default()
    }
    .encode_to_vec();
    let signature = identity.private_key().calculate_signature(
        &[&ACCOUNT_SIGNATURE_PREFIX[..], &details, &companion.identity].concat(),
        &mut random(),
    )?;
    let signed = wa::ADVSignedDeviceIdentity {
        details: Some(details),
        account_signature_key: Some(identity.public_key().public_key_bytes().to_vec()),
        account_signature: Some(signature.to_vec()),
        ..Default::default()
    }
    .encode_to_vec();
    let mut mac = Hmac::<Sha256>::new_from_slice(&companion.adv_secret)
        .map_err(|_| SimError::InvalidKey("the secret of the code"))?;
    mac.update(&signed);
    Ok(wa::ADVSignedDeviceIdentityHMAC {
        hmac: Some(mac.finalize().into_bytes().to_vec()),
        details: Some(signed),
        ..Default::default()
    }
    .encode_to_vec())
}

/// The account's signed list of linked devices; clients ignore an account's
/// devices without it.
pub(crate) fn key_index_list(account: &Account) -> Option<(u64, Vec<u8>)> {
    let device = account.device.as_ref()?;
    let details = wa::ADVKeyIndexList {
        raw_id: Some(account.raw_id),
        timestamp: Some(device.linked_at),
        current_index: Some(u32::from(device.number)),
        valid_indexes: vec![0, u32::from(device.number)],
        ..Default::default()
    }
    .encode_to_vec();
    let identity = account.party.identity();
    let signature = identity
        .private_key()
        .calculate_signature(&[&KEY_INDEX_SIGNATURE_PREFIX[..], &details].concat(), &mut random())
        .ok()?;
    let list = wa::ADVSignedKeyIndexList {
        details: Some(details),
        account_signature: Some(signature.to_vec()),
        ..Default::default()
    };
    Some((device.linked_at, list.encode_to_vec()))
}

/// The companion's answer to a scan.
pub(crate) fn answered(
    world: &mut World,
    connection: ConnectionId,
    answer: &NodeRef<'_>,
) -> Reaction {
    let id = nodes::text(answer, "id");
    let Some(pending) = world.pairing.pending.get(&connection).filter(|pending| pending.iq == id)
    else {
        return Reaction::none();
    };
    let phone = pending.phone.clone();
    let Some(pending) = world.pairing.pending.remove(&connection) else {
        return Reaction::none();
    };
    let verdict = confirmed_identity(world, &pending, answer);
    match verdict {
        Ok(signed_identity) => {
            link(world, connection, &pending, signed_identity);
            let linked = LinkedDevice { phone, device: pending.device };
            // The scan's caller may have given up waiting.
            let _ = pending.done.send(Ok(linked));
            Reaction::last(nodes::stream_error("515", None))
        }
        Err(error) => {
            let _ = pending.done.send(Err(error));
            Reaction::close()
        }
    }
}

fn confirmed_identity(
    world: &World,
    pending: &PendingLink,
    answer: &NodeRef<'_>,
) -> Result<Vec<u8>, SimError> {
    if let Some(error) = answer.get_optional_child("error") {
        return Err(SimError::PairingRefused {
            code: nodes::text(error, "code"),
            text: nodes::text(error, "text"),
        });
    }
    let refused =
        |text: &str| SimError::PairingRefused { code: "400".to_owned(), text: text.to_owned() };
    let bytes = answer
        .get_optional_child_by_tag(&["pair-device-sign", "device-identity"])
        .and_then(NodeRef::content_bytes)
        .ok_or_else(|| refused("the answer holds no device identity"))?;
    let account = world.account(&pending.phone)?;
    let mut account_key = [0; KEY_BYTES];
    account_key.copy_from_slice(account.party.identity().public_key().public_key_bytes());
    match validate_adv_with_identity_key(bytes, &pending.identity, Some(&account_key)) {
        AdvValidation::Valid => Ok(bytes.to_vec()),
        AdvValidation::Invalid | AdvValidation::NoAccountKey => {
            Err(refused("the device identity is not signed as it should be"))
        }
    }
}

/// Installs the device; one linked before is unlinked.
fn link(
    world: &mut World,
    connection: ConnectionId,
    pending: &PendingLink,
    signed_identity: Vec<u8>,
) {
    if let Some(former) = world.unlink(&pending.phone) {
        world.end(former, &nodes::stream_error("401", Some("device_removed")));
    }
    let Some(noise_key) = world.connections.get(&connection).map(|found| found.client_key) else {
        return;
    };
    if let Some(account) = world.accounts.get_mut(&pending.phone) {
        account.device = Some(Device::new(pending.device, noise_key, signed_identity));
        account.screen = None;
    }
    world.emit(SimEvent::Linked { phone: pending.phone.clone(), device: pending.device });
}
