//! What the server does with a stanza. No input or output happens here: a stanza
//! and the state of the network go in, replies and a changed state come out.

pub(crate) mod group_message;
pub(crate) mod groups;
pub(crate) mod iq;
pub(crate) mod login;
pub(crate) mod message;
pub(crate) mod nodes;
pub(crate) mod presence;
pub(crate) mod receipt;
pub(crate) mod usync;

use wacore_binary::{Node, NodeRef};

use crate::pairing;
use crate::world::{ConnectionId, Role, World};

/// What goes back to the client that sent a stanza.
pub(crate) struct Reaction {
    pub(crate) replies: Vec<Node>,
    /// Whether the connection ends after the replies.
    pub(crate) close: bool,
}

impl Reaction {
    pub(crate) fn none() -> Self {
        Self { replies: Vec::new(), close: false }
    }

    pub(crate) fn reply(node: Node) -> Self {
        Self { replies: vec![node], close: false }
    }

    pub(crate) fn last(node: Node) -> Self {
        Self { replies: vec![node], close: true }
    }

    pub(crate) fn close() -> Self {
        Self { replies: Vec::new(), close: true }
    }
}

/// Handles one stanza from a connection.
pub(crate) fn react(world: &mut World, id: ConnectionId, stanza: &NodeRef<'_>) -> Reaction {
    let Some(role) = world.connections.get(&id).map(|connection| connection.role.clone()) else {
        return Reaction::close();
    };
    let tag: &str = &stanza.tag;
    match (role, tag) {
        (Role::Stranger, _) => Reaction::none(),
        (Role::Pairing, "iq") => match nodes::text(stanza, "type").as_str() {
            "result" | "error" => pairing::answered(world, id, stanza),
            _ if stanza.get_optional_child("link_code_companion_reg").is_some() => {
                pairing::code::react(world, id, stanza)
            }
            _ => Reaction::reply(nodes::result(stanza, None)),
        },
        (Role::Pairing, _) => Reaction::none(),
        (Role::Device(phone), "iq") => iq::react(world, id, &phone, stanza),
        (Role::Device(phone), "message") => message::react(world, &phone, stanza),
        (Role::Device(phone), "receipt") => receipt::react(world, &phone, stanza),
        (Role::Device(phone), "presence") => presence::react(world, &phone, stanza),
        (Role::Device(phone), "chatstate") => presence::bot_sign(world, &phone, stanza),
        // Acknowledgements need no answer.
        (Role::Device(_), _) => Reaction::none(),
    }
}
