//! One end of the end-to-end encryption: a contact's phone or an account's phone.

mod sender_keys;

use std::future::Future;

use futures::FutureExt;
use rand::RngExt;
use rand::rngs::StdRng;
use wacore_libsignal::protocol::{
    CiphertextMessage, CiphertextMessageType, GenericSignedPreKey, IdentityKeyPair, KeyPair,
    PreKeyBundle, PreKeyRecord, PreKeySignalMessage, ProtocolAddress, SignalMessage,
    SignedPreKeyRecord, Timestamp, UsePQRatchet, message_decrypt, message_encrypt,
    process_prekey_bundle,
};

use crate::bundle::{OneTimeKey, SignedKey, wire_id};
use crate::error::SimError;
use crate::server_key::{KEY_BYTES, public_bytes};
use crate::signal_store::{Identity, OneTimeKeys, SenderKeys, Sessions, SignedKeys};

/// The only signed key of a party has this id.
const SIGNED_KEY_ID: u32 = 1;

/// A phone's keys and sessions.
pub(crate) struct Party {
    identity: Identity,
    signed: SignedKeys,
    signed_wire: SignedKey,
    sessions: Sessions,
    one_time: OneTimeKeys,
    next_one_time: u32,
    sender_keys: SenderKeys,
}

/// An encrypted text and its kind on the wire.
pub(crate) struct Sealed {
    /// `pkmsg` while the peer may not know the session, `msg` afterwards, `skmsg` in a
    /// group.
    pub(crate) kind: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// The key set a party hands to somebody who wants to write to it.
pub(crate) struct KeySet {
    pub(crate) registration_id: [u8; 4],
    pub(crate) identity: [u8; KEY_BYTES],
    pub(crate) signed: SignedKey,
    pub(crate) one_time: OneTimeKey,
}

impl Party {
    /// A party with fresh keys.
    pub(crate) fn generate() -> Result<Self, SimError> {
        let mut random = random();
        let keys = IdentityKeyPair::generate(&mut random);
        let signed = KeyPair::generate(&mut random);
        let signature =
            keys.private_key().calculate_signature(&signed.public_key.serialize(), &mut random)?;
        let record = SignedPreKeyRecord::new(
            SIGNED_KEY_ID.into(),
            Timestamp::from_epoch_millis(crate::clock::since_epoch().as_secs() * 1000),
            &signed,
            &signature,
        );
        Ok(Self {
            // The protocol keeps registration ids below 2^14.
            identity: Identity { keys, registration_id: random.random_range(1..16_380) },
            signed: SignedKeys(record),
            signed_wire: SignedKey {
                id: wire_id(SIGNED_KEY_ID),
                public: public_bytes(&signed),
                signature,
            },
            sessions: Sessions::default(),
            one_time: OneTimeKeys::default(),
            next_one_time: 1,
            sender_keys: SenderKeys::default(),
        })
    }

    /// The identity key pair, which also signs linked devices.
    pub(crate) fn identity(&self) -> &IdentityKeyPair {
        &self.identity.keys
    }

    /// The registration id as it goes over the wire.
    pub(crate) fn registration_id(&self) -> [u8; 4] {
        self.identity.registration_id.to_be_bytes()
    }

    /// Hands out a key set with a new one-time key.
    pub(crate) fn publish(&mut self) -> KeySet {
        let id = self.next_one_time;
        self.next_one_time += 1;
        let pair = KeyPair::generate(&mut random());
        self.one_time.0.insert(id.into(), PreKeyRecord::new(id.into(), &pair));
        let mut identity = [0; KEY_BYTES];
        identity.copy_from_slice(self.identity.keys.public_key().public_key_bytes());
        KeySet {
            registration_id: self.registration_id(),
            identity,
            signed: self.signed_wire.clone(),
            one_time: OneTimeKey { id: wire_id(id), public: public_bytes(&pair) },
        }
    }

    /// Whether a session with this peer exists.
    pub(crate) fn knows(&self, peer: &ProtocolAddress) -> bool {
        self.sessions.0.contains_key(peer)
    }

    /// Forgets the session with this peer.
    pub(crate) fn forget(&mut self, peer: &ProtocolAddress) {
        self.sessions.0.remove(peer);
    }

    /// Starts a session from the peer's published keys.
    pub(crate) fn begin(
        &mut self,
        peer: &ProtocolAddress,
        bundle: &PreKeyBundle,
    ) -> Result<(), SimError> {
        at_once(process_prekey_bundle(
            peer,
            &mut self.sessions,
            &mut self.identity,
            bundle,
            &mut random(),
            UsePQRatchet::No,
        ))?;
        Ok(())
    }

    /// Encrypts a padded plaintext for a peer there is a session with.
    pub(crate) fn seal(
        &mut self,
        peer: &ProtocolAddress,
        plaintext: &[u8],
    ) -> Result<Sealed, SimError> {
        let sealed =
            at_once(message_encrypt(plaintext, peer, &mut self.sessions, &mut self.identity))?;
        let kind = match sealed.message_type() {
            CiphertextMessageType::PreKey => "pkmsg",
            CiphertextMessageType::Whisper
            | CiphertextMessageType::SenderKey
            | CiphertextMessageType::Plaintext => "msg",
        };
        Ok(Sealed { kind, bytes: sealed.serialize().to_vec() })
    }

    /// Decrypts what a peer sent; the result is still padded.
    pub(crate) fn unseal(
        &mut self,
        peer: &ProtocolAddress,
        kind: &str,
        bytes: &[u8],
    ) -> Result<Vec<u8>, SimError> {
        let sealed = match kind {
            "pkmsg" => {
                CiphertextMessage::PreKeySignalMessage(PreKeySignalMessage::try_from(bytes)?)
            }
            "msg" => CiphertextMessage::SignalMessage(SignalMessage::try_from(bytes)?),
            other => {
                return Err(SimError::Signal(format!("unknown kind of ciphertext {other}")));
            }
        };
        let result = at_once(message_decrypt(
            &sealed,
            peer,
            &mut self.sessions,
            &mut self.identity,
            &mut self.one_time,
            &self.signed,
            &mut random(),
            UsePQRatchet::No,
        ))?;
        if let Some(used) = result.consumed_prekey_id {
            self.one_time.0.remove(&used);
        }
        Ok(result.plaintext)
    }
}

/// A cryptographic random source.
pub(crate) fn random() -> StdRng {
    rand::make_rng()
}

/// Runs a library future over stores that never suspend.
fn at_once<T>(
    future: impl Future<Output = wacore_libsignal::protocol::error::Result<T>>,
) -> Result<T, SimError> {
    future
        .now_or_never()
        .ok_or_else(|| SimError::Signal("a store in memory suspended".to_owned()))?
        .map_err(SimError::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::session_bundle;

    #[test]
    fn two_parties_talk_in_both_directions() {
        let (mut alice, mut bob) = (Party::generate().unwrap(), Party::generate().unwrap());
        let alice_address = ProtocolAddress::new("alice", 0.into());
        let bob_address = ProtocolAddress::new("bob", 0.into());
        let set = bob.publish();
        let bundle = session_bundle(
            u32::from_be_bytes(set.registration_id),
            0,
            &set.identity,
            &set.signed,
            Some(set.one_time),
        )
        .unwrap();
        alice.begin(&bob_address, &bundle).unwrap();

        let hello = alice.seal(&bob_address, b"hello").unwrap();
        assert_eq!(hello.kind, "pkmsg");
        assert_eq!(bob.unseal(&alice_address, hello.kind, &hello.bytes).unwrap(), b"hello");
        assert!(bob.one_time.0.is_empty(), "a used one-time key is kept");

        let reply = bob.seal(&alice_address, b"hi").unwrap();
        assert_eq!(reply.kind, "msg");
        assert_eq!(alice.unseal(&bob_address, reply.kind, &reply.bytes).unwrap(), b"hi");
        assert_eq!(alice.seal(&bob_address, b"again").unwrap().kind, "msg");
    }
}
