//! The key bundle a companion device publishes, kept the way it came: raw bytes.

use std::collections::VecDeque;

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Node, NodeRef};
use wacore_libsignal::protocol::{IdentityKey, PreKeyBundle, PublicKey};

use crate::error::SimError;
use crate::server_key::KEY_BYTES;

/// Bytes of a key id on the wire.
const ID_BYTES: usize = 3;
const SIGNATURE_BYTES: usize = 64;
/// Key type octet of Curve25519.
const CURVE_TYPE: u8 = 5;

type KeyBytes = [u8; KEY_BYTES];

/// A one-time key: its 24-bit id and the public key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct OneTimeKey {
    pub(crate) id: [u8; ID_BYTES],
    pub(crate) public: KeyBytes,
}

/// A signed key with its id and the identity's signature.
#[derive(Clone)]
pub(crate) struct SignedKey {
    pub(crate) id: [u8; ID_BYTES],
    pub(crate) public: KeyBytes,
    pub(crate) signature: [u8; SIGNATURE_BYTES],
}

/// What a device published.
pub(crate) struct Bundle {
    pub(crate) registration_id: [u8; 4],
    pub(crate) identity: KeyBytes,
    pub(crate) signed: SignedKey,
    /// One-time keys nobody has fetched yet; 35 bytes each, some 800 per device.
    one_time: VecDeque<OneTimeKey>,
}

impl Bundle {
    /// Reads the upload of a whole bundle.
    pub(crate) fn from_upload(iq: &NodeRef<'_>) -> Option<Self> {
        let one_time = iq
            .get_optional_child("list")?
            .get_children_by_tag("key")
            .filter_map(OneTimeKey::from_node)
            .collect();
        Some(Self {
            registration_id: fixed(iq, "registration")?,
            identity: fixed(iq, "identity")?,
            signed: SignedKey::from_node(iq.get_optional_child("skey")?)?,
            one_time,
        })
    }

    /// Number of one-time keys left.
    pub(crate) fn one_time_left(&self) -> usize {
        self.one_time.len()
    }

    /// Hands out one key set: the oldest one-time key goes with it, if any is left.
    pub(crate) fn take(&mut self) -> (SignedKey, Option<OneTimeKey>) {
        (self.signed.clone(), self.one_time.pop_front())
    }

    /// Takes a key set in the form a Signal session starts from.
    pub(crate) fn take_for_session(&mut self, device: u16) -> Result<PreKeyBundle, SimError> {
        let (signed, one_time) = self.take();
        session_bundle(
            u32::from_be_bytes(self.registration_id),
            device,
            &self.identity,
            &signed,
            one_time,
        )
    }

    /// The answer to a digest request: what the server holds, with a hash over it.
    pub(crate) fn digest_node(&self) -> Node {
        let publics: Vec<&[u8]> = self.one_time.iter().map(|key| key.public.as_slice()).collect();
        let hash = wacore::prekeys::compute_key_bundle_digest(
            &self.identity,
            &self.signed.public,
            &self.signed.signature,
            &publics,
        );
        let ids = self.one_time.iter().map(|key| leaf("id", key.id));
        NodeBuilder::new("digest")
            .children([
                leaf("registration", self.registration_id),
                leaf("type", [CURVE_TYPE]),
                leaf("identity", self.identity),
                self.signed.to_node(),
                NodeBuilder::new("list").children(ids).build(),
                leaf("hash", hash),
            ])
            .build()
    }
}

impl OneTimeKey {
    /// Reads a `<key>` element.
    pub(crate) fn from_node(node: &NodeRef<'_>) -> Option<Self> {
        Some(Self { id: fixed(node, "id")?, public: fixed(node, "value")? })
    }

    fn to_node(self) -> Node {
        NodeBuilder::new("key").children([leaf("id", self.id), leaf("value", self.public)]).build()
    }
}

impl SignedKey {
    /// Reads a `<skey>` element.
    pub(crate) fn from_node(node: &NodeRef<'_>) -> Option<Self> {
        Some(Self {
            id: fixed(node, "id")?,
            public: fixed(node, "value")?,
            signature: fixed(node, "signature")?,
        })
    }

    fn to_node(&self) -> Node {
        NodeBuilder::new("skey")
            .children([
                leaf("id", self.id),
                leaf("value", self.public),
                leaf("signature", self.signature),
            ])
            .build()
    }
}

/// Turns wire keys into the form a Signal session starts from.
pub(crate) fn session_bundle(
    registration_id: u32,
    device: u16,
    identity: &KeyBytes,
    signed: &SignedKey,
    one_time: Option<OneTimeKey>,
) -> Result<PreKeyBundle, SimError> {
    let one_time = one_time
        .map(|key| {
            PublicKey::from_djb_public_key_bytes(&key.public)
                .map(|public| (short_id(key.id).into(), public))
        })
        .transpose()?;
    Ok(PreKeyBundle::new(
        registration_id,
        u32::from(device).into(),
        one_time,
        short_id(signed.id).into(),
        PublicKey::from_djb_public_key_bytes(&signed.public)?,
        signed.signature.to_vec(),
        IdentityKey::new(PublicKey::from_djb_public_key_bytes(identity)?),
    )?)
}

/// The children of a `<user>` element that hands out one key set.
pub(crate) fn key_set_nodes(
    registration_id: [u8; 4],
    identity: &KeyBytes,
    signed: &SignedKey,
    one_time: Option<OneTimeKey>,
    device_identity: Option<&[u8]>,
) -> Vec<Node> {
    let mut nodes = vec![
        leaf("registration", registration_id),
        leaf("type", [CURVE_TYPE]),
        leaf("identity", *identity),
        signed.to_node(),
    ];
    nodes.extend(one_time.map(OneTimeKey::to_node));
    nodes.extend(device_identity.map(|bytes| leaf("device-identity", bytes)));
    nodes
}

/// A 24-bit id in the low bytes of a number.
fn short_id(id: [u8; ID_BYTES]) -> u32 {
    u32::from_be_bytes([0, id[0], id[1], id[2]])
}

/// The 24-bit wire form of an id.
pub(crate) fn wire_id(id: u32) -> [u8; ID_BYTES] {
    let [_, high, middle, low] = id.to_be_bytes();
    [high, middle, low]
}

fn leaf(tag: &'static str, bytes: impl Into<Vec<u8>>) -> Node {
    NodeBuilder::new(tag).bytes(bytes).build()
}

fn fixed<const N: usize>(parent: &NodeRef<'_>, tag: &str) -> Option<[u8; N]> {
    parent.get_optional_child(tag)?.content_bytes()?.try_into().ok()
}
