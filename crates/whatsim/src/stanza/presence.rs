//! Signs of life, in both directions.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, JidExt as _, Node, NodeRef};

use crate::event::SimEvent;
use crate::presence::{BotSign, SIGN_LIMIT, Sign};
use crate::stanza::{Reaction, nodes};
use crate::world::World;

/// Notes whether a bot is available, or answers what it asks about a contact.
pub(crate) fn react(world: &mut World, phone: &str, stanza: &NodeRef<'_>) -> Reaction {
    let available = match nodes::text(stanza, "type").as_str() {
        "subscribe" => return Reaction { replies: watched(world, stanza), close: false },
        "unsubscribe" => return Reaction::none(),
        "unavailable" => false,
        _ => true,
    };
    if let Some(account) = world.accounts.get_mut(phone) {
        account.available = available;
    }
    world.emit(SimEvent::Presence { phone: phone.to_owned(), available });
    Reaction::none()
}

/// How the contact is that a bot wants to watch.
fn watched(world: &World, stanza: &NodeRef<'_>) -> Vec<Node> {
    let Some(jid) = nodes::jid(stanza, "to") else {
        return Vec::new();
    };
    let contact = world.phone_of(&jid).and_then(|phone| world.contacts.get(&phone));
    contact.map(|contact| presence(jid, contact.available)).into_iter().collect()
}

/// Whether a contact is there.
pub(crate) fn presence(from: Jid, available: bool) -> Node {
    let builder = NodeBuilder::new("presence").attr("from", from);
    match available {
        true => builder.build(),
        false => builder
            .attr("type", "unavailable")
            .attr("last", crate::clock::unix_seconds().to_string())
            .build(),
    }
}

/// Notes that a bot types.
pub(crate) fn bot_sign(world: &mut World, phone: &str, stanza: &NodeRef<'_>) -> Reaction {
    let chat = nodes::jid(stanza, "to").and_then(|chat| match chat.is_group() {
        true => Some(chat.user.to_string()),
        false => world.phone_of(&chat),
    });
    let child = stanza.children().and_then(<[_]>::first);
    let (Some(chat), Some(child)) = (chat, child) else {
        return Reaction::none();
    };
    let sign = match (&*child.tag, nodes::text(child, "media").as_str()) {
        ("composing", "audio") => Sign::Recording,
        ("composing", _) => Sign::Composing,
        _ => Sign::Paused,
    };
    if let Some(account) = world.accounts.get_mut(phone) {
        if account.signs.len() == SIGN_LIMIT {
            account.signs.pop_front();
        }
        let at_ms = crate::clock::since_epoch().as_millis().try_into().unwrap_or(u64::MAX);
        account.signs.push_back(BotSign { chat: chat.clone(), sign, at_ms });
    }
    world.emit(SimEvent::Typing { phone: phone.to_owned(), chat, sign });
    Reaction::none()
}

/// A contact types, in a chat of two or as a participant of a group.
pub(crate) fn contact_sign(from: Jid, participant: Option<Jid>, sign: Sign) -> Node {
    let child = match sign {
        Sign::Composing => NodeBuilder::new("composing").build(),
        Sign::Recording => NodeBuilder::new("composing").attr("media", "audio").build(),
        Sign::Paused => NodeBuilder::new("paused").build(),
    };
    let mut builder = NodeBuilder::new("chatstate").attr("from", from);
    if let Some(participant) = participant {
        builder = builder.attr("participant", participant);
    }
    builder.children([child]).build()
}
