//! Stanzas the server sends, and how attributes are read.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node, NodeRef, Server};

use crate::account::Account;
use crate::config::Addressing;
use crate::contact::{Contact, SentText};
use crate::delivery::Chat;
use crate::party::Sealed;

/// The reason of a login refusal that ends by itself.
const TEMPORARY_BAN: u16 = 402;

/// The server's own address.
pub(crate) fn server() -> Jid {
    Jid::new("", Server::Pn)
}

/// An attribute as text; empty when it is missing.
pub(crate) fn text(node: &NodeRef<'_>, name: &str) -> String {
    node.get_attr(name).map(|value| value.as_str().into_owned()).unwrap_or_default()
}

/// An attribute as an address.
pub(crate) fn jid(node: &NodeRef<'_>, name: &str) -> Option<Jid> {
    node.get_attr(name)?.to_jid()
}

/// The bytes of a stanza; `None`, with a complaint in the log, when it has no form.
pub(crate) fn marshalled(node: &Node) -> Option<Vec<u8>> {
    wacore_binary::marshal::marshal(node)
        .inspect_err(|error| tracing::error!(%error, tag = %node.tag, "a stanza cannot be encoded"))
        .ok()
}

fn now() -> String {
    crate::clock::unix_seconds().to_string()
}

/// A successful answer to an information query.
pub(crate) fn result(query: &NodeRef<'_>, child: Option<Node>) -> Node {
    let builder = NodeBuilder::new("iq")
        .attr("from", server())
        .attr("type", "result")
        .attr("id", text(query, "id"));
    match child {
        Some(child) => builder.children([child]).build(),
        None => builder.build(),
    }
}

/// A refusal of an information query.
pub(crate) fn refusal(query: &NodeRef<'_>, code: &str, reason: &str) -> Node {
    let error = NodeBuilder::new("error").attr("code", code).attr("text", reason).build();
    NodeBuilder::new("iq")
        .attr("from", server())
        .attr("type", "error")
        .attr("id", text(query, "id"))
        .children([error])
        .build()
}

/// References for the QR code.
pub(crate) fn pair_device(id: &str, references: Vec<String>) -> Node {
    let references = references
        .into_iter()
        .map(|reference| NodeBuilder::new("ref").bytes(reference.into_bytes()).build());
    let offer = NodeBuilder::new("pair-device").children(references).build();
    NodeBuilder::new("iq")
        .attr("from", server())
        .attr("type", "set")
        .attr("id", id)
        .attr("xmlns", "md")
        .children([offer])
        .build()
}

/// Names a request for a pairing code.
pub(crate) fn link_code_reference(reference: &[u8]) -> Node {
    let reference = NodeBuilder::new("link_code_pairing_ref").bytes(reference).build();
    NodeBuilder::new("link_code_companion_reg").children([reference]).build()
}

/// A code was typed into the phone.
pub(crate) fn primary_hello(id: &str, reference: &[u8], half: &[u8], identity: &[u8]) -> Node {
    let stage = NodeBuilder::new("link_code_companion_reg")
        .attr("stage", "primary_hello")
        .children([
            NodeBuilder::new("link_code_pairing_wrapped_primary_ephemeral_pub").bytes(half).build(),
            NodeBuilder::new("primary_identity_pub").bytes(identity).build(),
            NodeBuilder::new("link_code_pairing_ref").bytes(reference).build(),
        ])
        .build();
    notification(id, "link_code_companion_reg", server(), stage)
}

/// A pairing code is no longer good.
pub(crate) fn refresh_code(id: &str, reference: &[u8]) -> Node {
    let stage = NodeBuilder::new("link_code_companion_reg")
        .attr("stage", "refresh_code")
        .children([NodeBuilder::new("link_code_pairing_ref").bytes(reference).build()])
        .build();
    notification(id, "link_code_companion_reg", server(), stage)
}

/// The phone wants a passkey before it links the companion.
pub(crate) fn passkey_request(id: &str) -> Node {
    // What a browser's `navigator.credentials.get` would be given.
    let options = r#"{"publicKey":{"challenge":"c2ltdWxhdGVk","rpId":"whatsapp.com","userVerification":"required","timeout":60000,"allowCredentials":[]}}"#;
    let options = NodeBuilder::new("passkey_request_options").bytes(options.as_bytes()).build();
    notification(id, "passkey_prologue_request", server(), options)
}

/// News for a device.
pub(crate) fn notification(id: &str, kind: &'static str, from: Jid, child: Node) -> Node {
    NodeBuilder::new("notification")
        .attr("id", id)
        .attr("type", kind)
        .attr("from", from)
        .attr("t", now())
        .children([child])
        .build()
}

/// The news that a phone scanned the code.
pub(crate) fn pair_success(
    id: &str,
    account: &Account,
    device: u16,
    container: Vec<u8>,
    lid_migrated: bool,
) -> Node {
    let mut children = vec![
        NodeBuilder::new("device-identity").bytes(container).build(),
        NodeBuilder::new("biz").attr("name", account.name.as_str()).build(),
        NodeBuilder::new("device")
            .attr("jid", account.phone_jid().with_device(device))
            .attr("lid", account.lid_jid().with_device(device))
            .build(),
        NodeBuilder::new("platform").attr("name", "android").build(),
    ];
    if lid_migrated {
        use buffa::Message as _;
        let props = waproto::whatsapp::ClientPairingProps {
            is_chat_db_lid_migrated: Some(true),
            ..Default::default()
        };
        children.push(NodeBuilder::new("client-props").bytes(props.encode_to_vec()).build());
    }
    let success = NodeBuilder::new("pair-success").children(children).build();
    NodeBuilder::new("iq")
        .attr("from", server())
        .attr("type", "set")
        .attr("id", id)
        .attr("xmlns", "md")
        .attr("t", now())
        .children([success])
        .build()
}

/// The last word on a stream, with the kind of conflict if there is one.
pub(crate) fn stream_error(code: &str, conflict: Option<&'static str>) -> Node {
    let mut builder = NodeBuilder::new("stream:error");
    if !code.is_empty() {
        builder = builder.attr("code", code);
    }
    if let Some(kind) = conflict {
        builder = builder.children([NodeBuilder::new("conflict").attr("type", kind).build()]);
    }
    builder.build()
}

/// A login is accepted.
pub(crate) fn success(account: &Account, device: u16) -> Node {
    NodeBuilder::new("success")
        .attr("t", now())
        .attr("lid", account.lid_jid().with_device(device))
        .build()
}

/// A login is refused. A temporary ban tells its reason and how many seconds it lasts.
pub(crate) fn failure(reason: u16) -> Node {
    let builder =
        NodeBuilder::new("failure").attr("reason", reason.to_string()).attr("location", "sim");
    match reason {
        TEMPORARY_BAN => builder.attr("code", "101").attr("expire", "3600").build(),
        _ => builder.build(),
    }
}

/// Announces so many queued messages and receipts.
pub(crate) fn offline_preview(messages: usize, receipts: usize) -> Node {
    let count = (messages + receipts).to_string();
    info(
        NodeBuilder::new("offline_preview")
            .attr("count", count.as_str())
            .attr("message", messages.to_string())
            .attr("receipt", receipts.to_string())
            .attr("notification", "0")
            .attr("appdata", "0")
            .build(),
    )
}

/// Ends the queued messages.
pub(crate) fn offline_end(messages: usize) -> Node {
    info(NodeBuilder::new("offline").attr("count", messages.to_string()).build())
}

fn info(child: Node) -> Node {
    NodeBuilder::new("ib").attr("from", server()).children([child]).build()
}

fn enc(sealed: Sealed, retry: Option<u32>) -> Node {
    let builder = NodeBuilder::new("enc").attr("v", "2").attr("type", sealed.kind);
    let builder = match retry {
        Some(count) => builder.attr("count", count.to_string()),
        None => builder,
    };
    builder.bytes(sealed.bytes).build()
}

/// A contact's message to a bot. `retry` counts how often it was encrypted anew on request.
pub(crate) fn contact_message(
    contact: &Contact,
    chat: &Chat,
    sent: &SentText,
    sealed: Vec<Sealed>,
    retry: Option<u32>,
) -> Node {
    let builder = NodeBuilder::new("message")
        .attr("id", sent.id.as_str())
        .attr("type", if sent.media.is_some() { "media" } else { "text" })
        .attr("t", sent.at.to_string())
        .attr("notify", contact.name.as_str());
    let (pn, lid) = (contact.phone_jid(), contact.lid_jid());
    let builder = match (&chat.group, chat.addressing) {
        (None, Addressing::PhoneNumber) => {
            builder.attr("from", pn).attr("addressing_mode", "pn").attr("sender_lid", lid)
        }
        (None, Addressing::Lid) => {
            builder.attr("from", lid).attr("addressing_mode", "lid").attr("sender_pn", pn)
        }
        (Some(group), Addressing::PhoneNumber) => builder
            .attr("from", group)
            .attr("participant", pn)
            .attr("addressing_mode", "pn")
            .attr("participant_lid", lid),
        (Some(group), Addressing::Lid) => builder
            .attr("from", group)
            .attr("participant", lid)
            .attr("addressing_mode", "lid")
            .attr("participant_pn", pn),
    };
    let encs = sealed.into_iter().map(|sealed| {
        let mut enc = enc(sealed, retry);
        if let Some(kind) = sent.media {
            enc.attrs.insert("mediatype", kind.word());
        }
        enc
    });
    builder.children(encs).build()
}

/// Where files are uploaded and downloaded, and the right to do so.
pub(crate) fn media_connection(host: &str, auth: &str) -> Node {
    let host = NodeBuilder::new("host")
        .attr("hostname", host)
        .attr("type", "primary")
        .children([NodeBuilder::new("upload").build(), NodeBuilder::new("download").build()])
        .build();
    NodeBuilder::new("media_conn")
        .attr("auth", auth)
        .attr("ttl", "3600")
        .attr("auth_ttl", "21600")
        .attr("max_buckets", "12")
        .children([host])
        .build()
}

/// A phone's message to its own linked device.
pub(crate) fn peer_message(
    account: &Account,
    id: &str,
    sealed: Sealed,
    retry: Option<u32>,
) -> Node {
    NodeBuilder::new("message")
        .attr("id", id)
        .attr("type", "text")
        .attr("category", "peer")
        .attr("t", now())
        .attr("from", account.phone_jid())
        .children([enc(sealed, retry)])
        .build()
}

/// A linked device's copy of what its account wrote on the phone.
pub(crate) fn own_copy(
    account: &Account,
    chat: &Jid,
    id: &str,
    sealed: Sealed,
    retry: Option<u32>,
) -> Node {
    let from = if chat.is_lid() { account.lid_jid() } else { account.phone_jid() };
    NodeBuilder::new("message")
        .attr("id", id)
        .attr("type", "text")
        .attr("t", now())
        .attr("from", from)
        .attr("recipient", chat)
        .children([enc(sealed, retry)])
        .build()
}

/// Confirms that the server has a stanza: `from` is where the stanza went.
pub(crate) fn ack(class: &'static str, stanza: &NodeRef<'_>) -> Node {
    let mut builder = NodeBuilder::new("ack")
        .attr("class", class)
        .attr("id", text(stanza, "id"))
        .attr("t", now());
    if let Some(to) = jid(stanza, "to") {
        builder = builder.attr("from", to);
    }
    if let Some(participant) = jid(stanza, "participant") {
        builder = builder.attr("participant", participant);
    }
    if class != "message" && stanza.get_attr("type").is_some() {
        builder = builder.attr("type", text(stanza, "type"));
    }
    builder.build()
}

/// Refuses a message with an error code.
pub(crate) fn nack(stanza: &NodeRef<'_>, code: u16) -> Node {
    let mut ack = ack("message", stanza);
    ack.attrs.insert("error", code.to_string());
    ack
}

/// A contact's phone has a bot's message, or with a kind: what became of it. In a
/// group it says whose phone.
pub(crate) fn receipt(chat: Jid, participant: Option<Jid>, id: &str, kind: Option<&str>) -> Node {
    let mut builder =
        NodeBuilder::new("receipt").attr("from", chat).attr("id", id).attr("t", now());
    if let Some(participant) = participant {
        builder = builder.attr("participant", participant);
    }
    if let Some(kind) = kind {
        builder = builder.attr("type", kind);
    }
    builder.build()
}

/// A contact's phone cannot decrypt a bot's message and asks for it anew.
pub(crate) fn retry_receipt(chat: Jid, id: &str, registration_id: [u8; 4]) -> Node {
    let retry = NodeBuilder::new("retry")
        .attr("v", "1")
        .attr("count", "1")
        .attr("id", id)
        .attr("t", now())
        .build();
    let registration = NodeBuilder::new("registration").bytes(registration_id).build();
    NodeBuilder::new("receipt")
        .attr("from", chat)
        .attr("id", id)
        .attr("type", "retry")
        .attr("t", now())
        .children([retry, registration])
        .build()
}
