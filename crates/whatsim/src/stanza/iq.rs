//! Information queries of a linked device.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Node, NodeRef};

use crate::account::Link;
use crate::app_state;
use crate::bundle::{Bundle, SignedKey};
use crate::delivery;
use crate::event::SimEvent;
use crate::fault::strike;
use crate::stanza::{Reaction, groups, nodes, usync};
use crate::world::{ConnectionId, World};

/// Answers a query of the account's device.
pub(crate) fn react(
    world: &mut World,
    id: ConnectionId,
    phone: &str,
    query: &NodeRef<'_>,
) -> Reaction {
    let kind = nodes::text(query, "type");
    if kind == "result" || kind == "error" {
        return Reaction::none();
    }
    let namespace = nodes::text(query, "xmlns");
    let child = query.children().and_then(<[_]>::first).map(|child| &*child.tag).unwrap_or("");
    match (namespace.as_str(), kind.as_str(), child) {
        ("passive", "set", "active") => activate(world, id, phone, query),
        ("encrypt", "set", "rotate") => rotate(world, phone, query),
        ("encrypt", "set", _) => publish(world, phone, query),
        ("encrypt", "get", "digest") => digest(world, phone, query),
        ("encrypt", "get", "count") => count(world, phone, query),
        ("encrypt", "get", "key") => {
            let list = usync::key_sets(world, query);
            Reaction::reply(nodes::result(query, Some(list)))
        }
        ("usync", "get", _) => {
            let answer = usync::answer(world, query);
            Reaction::reply(nodes::result(query, Some(answer)))
        }
        ("w:sync:app:state", "set", _) => empty_collections(query),
        ("md", "set", "remove-companion-device") => {
            world.unlink(phone);
            Reaction::last(nodes::result(query, None))
        }
        ("w:m", "set", "media_conn") => {
            let connection = nodes::media_connection(&world.media.host, &world.media.auth);
            Reaction::reply(nodes::result(query, Some(connection)))
        }
        ("w:g2", ..) => groups::react(world, phone, query),
        ("abt", "get", _) => empty(query, "props"),
        ("privacy", "get", _) => empty(query, "privacy"),
        ("blocklist", "get", _) => empty(query, "list"),
        ("w:p", ..) => Reaction::reply(nodes::result(query, None)),
        _ => {
            tracing::debug!(namespace, kind, child, "a query gets an empty answer");
            Reaction::reply(nodes::result(query, None))
        }
    }
}

fn empty(query: &NodeRef<'_>, tag: &'static str) -> Reaction {
    Reaction::reply(nodes::result(query, Some(NodeBuilder::new(tag).build())))
}

/// The device wants its messages: everything unconfirmed is sent again.
fn activate(world: &mut World, id: ConnectionId, phone: &str, query: &NodeRef<'_>) -> Reaction {
    let device = world.accounts.get_mut(phone).and_then(|account| account.device.as_mut());
    let Some(device) = device else {
        return Reaction::close();
    };
    device.link = Link::Online(id);
    let mut receipts = std::mem::take(&mut device.receipts);
    let queued: Vec<Node> = device.queue.iter().map(|queued| queued.stanza.clone()).collect();
    let mut waiting: Vec<Node> =
        queued.into_iter().flat_map(|stanza| strike::disturbed(world, phone, stanza)).collect();
    // Nothing follows that could overtake the last one.
    waiting.append(&mut strike::overtaken(world, phone));
    let receipt_count = receipts.len();
    waiting.append(&mut receipts);
    let mut replies = Vec::with_capacity(waiting.len() + 3);
    replies.push(nodes::result(query, None));
    replies.push(nodes::offline_preview(waiting.len() - receipt_count, receipt_count));
    let end = nodes::offline_end(waiting.len());
    replies.extend(waiting.into_iter().enumerate().map(|(place, mut stanza)| {
        stanza.attrs.insert("offline", place.to_string());
        stanza
    }));
    replies.push(end);
    world.emit(SimEvent::Online { phone: phone.to_owned() });
    strike::at_online(world, phone);
    Reaction { replies, close: false }
}

/// The device publishes its keys. Only now can its phone and contacts write to it.
fn publish(world: &mut World, phone: &str, query: &NodeRef<'_>) -> Reaction {
    let device = world.accounts.get_mut(phone).and_then(|account| account.device.as_mut());
    let (Some(device), Some(bundle)) = (device, Bundle::from_upload(query)) else {
        return Reaction::reply(nodes::refusal(query, "400", "bad-request"));
    };
    device.bundle = Some(bundle);
    app_state::share(world, phone);
    delivery::release_held(world, phone);
    Reaction::reply(nodes::result(query, None))
}

/// The device replaces its signed key.
fn rotate(world: &mut World, phone: &str, query: &NodeRef<'_>) -> Reaction {
    let signed =
        query.get_optional_child_by_tag(&["rotate", "skey"]).and_then(SignedKey::from_node);
    match (bundle(world, phone), signed) {
        (Some(bundle), Some(signed)) => {
            bundle.signed = signed;
            Reaction::reply(nodes::result(query, None))
        }
        _ => Reaction::reply(nodes::refusal(query, "400", "bad-request")),
    }
}

/// The device checks whether the server still has its keys. 404 makes it publish anew.
fn digest(world: &mut World, phone: &str, query: &NodeRef<'_>) -> Reaction {
    Reaction::reply(match bundle(world, phone) {
        Some(bundle) => nodes::result(query, Some(bundle.digest_node())),
        None => nodes::refusal(query, "404", "item-not-found"),
    })
}

fn count(world: &mut World, phone: &str, query: &NodeRef<'_>) -> Reaction {
    let left = bundle(world, phone).map_or(0, |bundle| bundle.one_time_left());
    let count = NodeBuilder::new("count").attr("value", left.to_string()).build();
    Reaction::reply(nodes::result(query, Some(count)))
}

fn bundle<'a>(world: &'a mut World, phone: &str) -> Option<&'a mut Bundle> {
    world.accounts.get_mut(phone)?.device.as_mut()?.bundle.as_mut()
}

/// Every collection of application state is empty.
fn empty_collections(query: &NodeRef<'_>) -> Reaction {
    let asked = query.get_optional_child("sync");
    let collections: Vec<Node> = asked
        .into_iter()
        .flat_map(|sync| sync.get_children_by_tag("collection"))
        .map(|collection| {
            NodeBuilder::new("collection").attr("name", nodes::text(collection, "name")).build()
        })
        .collect();
    let sync = NodeBuilder::new("sync").children(collections).build();
    Reaction::reply(nodes::result(query, Some(sync)))
}
