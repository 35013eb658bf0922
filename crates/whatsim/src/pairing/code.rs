//! Linking by a code that a person types into the phone, instead of a scan.
//!
//! ```text
//! companion ──companion_hello──> server     its half of a key, sealed with the code
//! phone     ──primary_hello────> companion  the phone's half, sealed with what was typed
//! companion ──companion_finish─> phone      its identity, sealed with the common key
//! phone     ──pair-success─────> companion  as after a scan
//! ```
//!
//! Nobody can tell whether the right code was typed until the phone tries to open
//! the companion's identity. The companion itself never hears of a wrong code.

use std::time::Instant;

use tokio::sync::oneshot;
use wacore::crypto::hkdf_sha256_into;
use wacore::pair_code::PairCodeUtils;
use wacore_binary::NodeRef;
use wacore_libsignal::crypto::aes_256_gcm_decrypt;
use wacore_libsignal::protocol::{KeyPair, PrivateKey, PublicKey};

use crate::error::SimError;
use crate::event::SimEvent;
use crate::fault::{Fault, FaultKind, strike};
use crate::pairing::Companion;
use crate::party::random;
use crate::server_key::{KEY_BYTES, public_bytes};
use crate::stanza::{Reaction, nodes};
use crate::world::{ConnectionId, World};

/// A key half sealed with a code: salt, initial vector and ciphertext.
const SEALED_HALF_BYTES: usize = 80;
/// What precedes the ciphertext of the companion's identity.
const SALT_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
/// Companions take no more attempts than this for one code.
const ATTEMPTS: u32 = 3;
/// Random bytes in a reference.
const REFERENCE_BYTES: usize = 16;

/// A companion that waits for its code to be typed.
pub(super) struct Offer {
    pub(super) connection: ConnectionId,
    reference: Vec<u8>,
    sealed_half: [u8; SEALED_HALF_BYTES],
    expires: Instant,
    attempts: u32,
    /// Where the companion's answer to the phone goes.
    finish: Option<oneshot::Sender<Finish>>,
}

/// A companion's answer to the phone.
pub(crate) struct Finish {
    sealed_identity: Vec<u8>,
    identity: [u8; KEY_BYTES],
}

/// One attempt of a phone to link by a code.
pub(crate) struct Attempt {
    reference: Vec<u8>,
    sealed_half: [u8; SEALED_HALF_BYTES],
    phone_identity: KeyHalf,
}

/// The phone's identity, as far as an attempt needs it.
struct KeyHalf {
    public: [u8; KEY_BYTES],
    private: PrivateKey,
}

/// What the phone made from the typed code; nothing of it tells whether it was right.
pub(crate) struct Typed {
    attempt: Attempt,
    own: KeyPair,
    sealed_own_half: [u8; SEALED_HALF_BYTES],
    companion_half: [u8; KEY_BYTES],
}

/// Answers a companion's query of this flow.
pub(crate) fn react(world: &mut World, id: ConnectionId, query: &NodeRef<'_>) -> Reaction {
    let Some(request) = query.get_optional_child("link_code_companion_reg") else {
        return Reaction::reply(nodes::refusal(query, "400", "bad-request"));
    };
    let phone = nodes::jid(request, "jid").and_then(|jid| world.phone_of(&jid));
    let outcome = match (nodes::text(request, "stage").as_str(), phone) {
        ("companion_hello", Some(phone)) => hello(world, id, &phone, request),
        ("companion_finish", Some(phone)) => finish(world, id, &phone, request),
        _ => Err(400),
    };
    Reaction::reply(match outcome {
        Ok(child) => nodes::result(query, child),
        Err(code) => nodes::refusal(query, &code.to_string(), refusal_text(code)),
    })
}

/// Companions only accept a refusal whose text belongs to its code.
fn refusal_text(code: u16) -> &'static str {
    match code {
        403 => "forbidden",
        429 => "rate-overlimit",
        452 => "feature-not-available",
        500 => "internal-server-error",
        _ => "bad-request",
    }
}

fn hello(
    world: &mut World,
    id: ConnectionId,
    phone: &str,
    request: &NodeRef<'_>,
) -> Result<Option<wacore_binary::Node>, u16> {
    if let Some(Fault::RefusePairingCode { code }) =
        strike::spend(world, phone, FaultKind::RefusePairingCode)
    {
        return Err(code);
    }
    world.account(phone).map_err(|_| 400u16)?;
    let sealed_half = bytes(request, "link_code_pairing_wrapped_companion_ephemeral_pub")
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(400u16)?;
    let key = world.connections.get(&id).map(|connection| connection.client_key);
    if bytes(request, "companion_server_auth_key_pub")
        != key.as_ref().map(<[u8; KEY_BYTES]>::as_slice)
    {
        return Err(400);
    }
    let reference = rand::random::<[u8; REFERENCE_BYTES]>().to_vec();
    let mut expires = Instant::now();
    if !world.codes_expire {
        expires += world.config.pairing_code_lifetime;
    }
    let answer = nodes::link_code_reference(&reference);
    let offer =
        Offer { connection: id, reference, sealed_half, expires, attempts: 0, finish: None };
    world.pairing.codes.insert(phone.to_owned(), offer);
    world.emit(SimEvent::CodeRequested { phone: phone.to_owned() });
    Ok(Some(answer))
}

fn finish(
    world: &mut World,
    id: ConnectionId,
    phone: &str,
    request: &NodeRef<'_>,
) -> Result<Option<wacore_binary::Node>, u16> {
    let offer = world.pairing.codes.get_mut(phone).ok_or(400u16)?;
    let fits = offer.connection == id
        && bytes(request, "link_code_pairing_ref") == Some(offer.reference.as_slice());
    let sealed_identity = bytes(request, "link_code_pairing_wrapped_key_bundle");
    let identity = bytes(request, "companion_identity_public").and_then(|key| key.try_into().ok());
    let (Some(sealed_identity), Some(identity), true) = (sealed_identity, identity, fits) else {
        return Err(400);
    };
    if let Some(waiting) = offer.finish.take() {
        // The phone may have given up.
        let _ = waiting.send(Finish { sealed_identity: sealed_identity.to_vec(), identity });
    }
    Ok(None)
}

fn bytes<'a>(request: &'a NodeRef<'_>, tag: &str) -> Option<&'a [u8]> {
    request.get_optional_child(tag)?.content_bytes()
}

/// A person starts to type: there must be a companion that waits for it.
pub(crate) fn begin(world: &World, phone: &str) -> Result<Attempt, SimError> {
    let identity = world.account(phone)?.party.identity();
    let offer = world
        .pairing
        .codes
        .get(phone)
        .filter(|offer| offer.expires > Instant::now() && offer.attempts < ATTEMPTS)
        .ok_or(SimError::CodeExpired)?;
    let mut public = [0; KEY_BYTES];
    public.copy_from_slice(identity.public_key().public_key_bytes());
    Ok(Attempt {
        reference: offer.reference.clone(),
        sealed_half: offer.sealed_half,
        phone_identity: KeyHalf { public, private: identity.private_key().clone() },
    })
}

impl Attempt {
    /// Takes keys from the typed code. Deliberately slow, like the real thing: not
    /// for a task that others wait for.
    pub(crate) fn typed(self, code: &str) -> Result<Typed, SimError> {
        let own = KeyPair::generate(&mut random());
        let companion_half = PairCodeUtils::decrypt_primary_ephemeral_pub(&self.sealed_half, code)
            .map_err(|error| SimError::Signal(error.to_string()))?;
        let sealed_own_half = PairCodeUtils::encrypt_ephemeral_pub(&public_bytes(&own), code);
        Ok(Typed { attempt: self, own, sealed_own_half, companion_half })
    }
}

impl Typed {
    /// Sends the phone's half to the companion; its answer comes to the receiver.
    pub(crate) fn send(
        &self,
        world: &mut World,
        phone: &str,
    ) -> Result<oneshot::Receiver<Finish>, SimError> {
        let id = world.stanza_id();
        let offer = world
            .pairing
            .codes
            .get_mut(phone)
            .filter(|offer| offer.reference == self.attempt.reference)
            .ok_or(SimError::CodeExpired)?;
        offer.attempts += 1;
        let (sender, receiver) = oneshot::channel();
        offer.finish = Some(sender);
        let connection = offer.connection;
        let hello = nodes::primary_hello(
            &id,
            &self.attempt.reference,
            &self.sealed_own_half,
            &self.attempt.phone_identity.public,
        );
        world.push(connection, &hello);
        Ok(receiver)
    }

    /// Opens the companion's answer, which shows whether the code was right.
    pub(crate) fn open(&self, finish: &Finish) -> Result<Companion, SimError> {
        let agree = |private: &PrivateKey, public: &[u8; KEY_BYTES]| {
            let public = PublicKey::from_djb_public_key_bytes(public).ok()?;
            private.calculate_agreement(&public).ok()
        };
        let open = || {
            let shared = agree(&self.own.private_key, &self.companion_half)?;
            let (salt, rest) = finish.sealed_identity.split_at_checked(SALT_BYTES)?;
            let (nonce, sealed) = rest.split_at_checked(NONCE_BYTES)?;
            let mut key = [0; KEY_BYTES];
            let info = b"link_code_pairing_key_bundle_encryption_key";
            hkdf_sha256_into(&shared, Some(salt), info, &mut key).ok()?;
            let mut bundle = Vec::new();
            let nonce = nonce.try_into().ok()?;
            aes_256_gcm_decrypt(&key, nonce, b"", sealed, &mut bundle).ok()?;
            let (identity, rest) = bundle.split_at_checked(KEY_BYTES)?;
            let (phone_identity, random) = rest.split_at_checked(KEY_BYTES)?;
            let own = &self.attempt.phone_identity;
            if identity != finish.identity || phone_identity != own.public {
                return None;
            }
            let identity_shared = agree(&own.private, &finish.identity)?;
            let secrets = [&shared[..], &identity_shared[..], random].concat();
            let mut adv_secret = [0; KEY_BYTES];
            hkdf_sha256_into(&secrets, None, b"adv_secret", &mut adv_secret).ok()?;
            Some(Companion { identity: finish.identity, adv_secret })
        };
        open().ok_or(SimError::WrongCode)
    }

    /// The connection of the companion, if it still waits.
    pub(crate) fn connection(&self, world: &World, phone: &str) -> Result<ConnectionId, SimError> {
        let offer = world.pairing.codes.get(phone);
        offer
            .filter(|offer| offer.reference == self.attempt.reference)
            .map(|offer| offer.connection)
            .ok_or(SimError::CodeExpired)
    }
}

/// Makes every code invalid and tells the companions that show one.
pub(super) fn expire(world: &mut World) {
    for offer in std::mem::take(&mut world.pairing.codes).into_values() {
        let id = world.stanza_id();
        world.push(offer.connection, &nodes::refresh_code(&id, &offer.reference));
    }
}
