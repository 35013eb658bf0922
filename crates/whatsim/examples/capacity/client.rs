//! A bare client: it is paired, logs in, and confirms what it gets.

use std::time::Duration;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use buffa::Message as _;
use rand::rngs::StdRng;
use serde_json::json;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node, NodeRef, Server};
use wacore_libsignal::protocol::KeyPair;
use waproto::whatsapp as wa;

use crate::Network;
use crate::wire::Wire;

/// Prefix of what a device signs when it is linked.
const DEVICE_SIGNATURE_PREFIX: [u8; 2] = [6, 1];
/// One-time keys that a client publishes.
const ONE_TIME_KEYS: u32 = 30;
/// How often an idle client asks whether the network is there.
const KEEP_ALIVE: Duration = Duration::from_secs(25);

/// A connected client; its connection ends with it.
pub struct Client {
    /// The phone number it is linked to.
    pub phone: String,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Client {
    /// Pairs a client with an account and logs it in.
    pub async fn connect(network: &Network, phone: String) -> Result<Self> {
        let [noise, identity] = [(); 2].map(|()| fresh_key());
        pair(network, &phone, &noise, &identity).await?;
        let payload = wa::ClientPayload {
            username: Some(phone.parse()?),
            device: Some(1),
            ..Default::default()
        };
        let mut wire = Wire::open(&network.address, &noise, &payload).await?;
        wire.next().await?;
        wire.send(&upload(&identity)?).await?;
        let active = NodeBuilder::new("active").build();
        wire.send(&query("passive", "set", "active", active)).await?;
        // What waited for it, up to its end.
        loop {
            let stanza = wire.next().await?;
            confirm(&mut wire, stanza.get()).await?;
            if stanza.get().get_optional_child("offline").is_some() {
                break;
            }
        }
        let task = tokio::spawn(async move {
            // The network ends first; there is nobody to tell.
            let _ = confirm_all(wire).await;
        });
        Ok(Self { phone, task })
    }
}

/// Confirms every message, until the connection ends.
async fn confirm_all(mut wire: Wire) -> Result<()> {
    let mut keep_alive = tokio::time::interval(KEEP_ALIVE);
    loop {
        let stanza = tokio::select! {
            stanza = wire.next() => stanza?,
            _ = keep_alive.tick() => {
                wire.send(&query("w:p", "get", "ping", NodeBuilder::new("ping").build())).await?;
                continue;
            }
        };
        confirm(&mut wire, stanza.get()).await?;
    }
}

/// Sends the receipt of a message; other stanzas need none.
async fn confirm(wire: &mut Wire, stanza: &NodeRef<'_>) -> Result<()> {
    let from = stanza.get_attr("from").and_then(|from| from.to_jid());
    let Some(from) = from.filter(|_| stanza.tag == "message") else {
        return Ok(());
    };
    let id = text(stanza, "id");
    wire.send(&NodeBuilder::new("receipt").attr("to", from).attr("id", id).build()).await
}

async fn pair(network: &Network, phone: &str, noise: &KeyPair, identity: &KeyPair) -> Result<()> {
    let mut wire = Wire::open(&network.address, noise, &wa::ClientPayload::default()).await?;
    let offer = wire.next().await?;
    let reference = offer
        .get()
        .get_optional_child_by_tag(&["pair-device", "ref"])
        .and_then(NodeRef::content_bytes)
        .context("no reference")?;
    let keys =
        [noise, identity].map(|key| BASE64_STANDARD.encode(key.public_key.public_key_bytes()));
    let secret = BASE64_STANDARD.encode([7; 32]);
    let qr = format!("{},{},{secret},1", String::from_utf8_lossy(reference), keys.join(","));
    let scan = network.post("/scan", json!({ "qr": qr, "phone": phone }));
    let answer = async {
        let success = wire.next().await?;
        let answer = signed(success.get(), identity)?;
        wire.send(&answer).await
    };
    let (scanned, answered) = tokio::join!(scan, answer);
    answered?;
    scanned?;
    Ok(())
}

/// The device's signature below what the account signed.
fn signed(success: &NodeRef<'_>, identity: &KeyPair) -> Result<Node> {
    let container = success
        .get_optional_child_by_tag(&["pair-success", "device-identity"])
        .and_then(NodeRef::content_bytes)
        .context("no device identity")?;
    let container = wa::ADVSignedDeviceIdentityHMAC::decode_from_slice(container)?;
    let mut signed =
        wa::ADVSignedDeviceIdentity::decode_from_slice(&container.details.unwrap_or_default())?;
    let details = signed.details.clone().unwrap_or_default();
    let account = signed.account_signature_key.clone().unwrap_or_default();
    let own = identity.public_key.public_key_bytes();
    let said = [&DEVICE_SIGNATURE_PREFIX[..], &details, own, &account].concat();
    let signature = identity.private_key.calculate_signature(&said, &mut random())?;
    signed.device_signature = Some(signature.to_vec());
    let index = wa::ADVDeviceIdentity::decode_from_slice(&details)?.key_index.unwrap_or_default();
    let identity = NodeBuilder::new("device-identity")
        .attr("key-index", index.to_string())
        .bytes(signed.encode_to_vec())
        .build();
    let sign = NodeBuilder::new("pair-device-sign").children([identity]).build();
    Ok(NodeBuilder::new("iq")
        .attr("to", Jid::new("", Server::Pn))
        .attr("type", "result")
        .attr("id", text(success, "id"))
        .children([sign])
        .build())
}

/// The keys with which others begin to write to this client.
fn upload(identity: &KeyPair) -> Result<Node> {
    let leaf = |tag: &'static str, bytes: Vec<u8>| NodeBuilder::new(tag).bytes(bytes).build();
    let public = |key: &KeyPair| key.public_key.public_key_bytes().to_vec();
    let signed = fresh_key();
    let signature =
        identity.private_key.calculate_signature(&signed.public_key.serialize(), &mut random())?;
    let one_time = (1..=ONE_TIME_KEYS).map(|id| {
        let id = leaf("id", id.to_be_bytes()[1..].to_vec());
        NodeBuilder::new("key").children([id, leaf("value", public(&fresh_key()))]).build()
    });
    let signed = NodeBuilder::new("skey")
        .children([
            leaf("id", vec![0, 0, 1]),
            leaf("value", public(&signed)),
            leaf("signature", signature.to_vec()),
        ])
        .build();
    let children = [
        leaf("registration", vec![0, 0, 1, 1]),
        leaf("type", vec![5]),
        leaf("identity", public(identity)),
        NodeBuilder::new("list").children(one_time).build(),
        signed,
    ];
    let base = NodeBuilder::new("iq")
        .attr("to", Jid::new("", Server::Pn))
        .attr("xmlns", "encrypt")
        .attr("type", "set")
        .attr("id", "upload");
    Ok(base.children(children).build())
}

fn query(xmlns: &'static str, kind: &'static str, id: &'static str, child: Node) -> Node {
    NodeBuilder::new("iq")
        .attr("to", Jid::new("", Server::Pn))
        .attr("xmlns", xmlns)
        .attr("type", kind)
        .attr("id", id)
        .children([child])
        .build()
}

fn text(node: &NodeRef<'_>, name: &str) -> String {
    node.get_attr(name).map(|value| value.as_str().into_owned()).unwrap_or_default()
}

fn fresh_key() -> KeyPair {
    KeyPair::generate(&mut random())
}

fn random() -> StdRng {
    rand::make_rng()
}
