//! Who exists, with which devices, and with which keys to write to them.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node, NodeRef};

use crate::bundle::key_set_nodes;
use crate::pairing::key_index_list;
use crate::party::Party;
use crate::stanza::nodes;
use crate::world::World;

/// Answers a user query: for each user, each protocol asked for.
pub(crate) fn answer(world: &World, query: &NodeRef<'_>) -> Node {
    let asked = query.get_optional_child("usync");
    let protocols: Vec<String> = asked
        .and_then(|usync| usync.get_optional_child("query"))
        .and_then(NodeRef::children)
        .unwrap_or_default()
        .iter()
        .map(|protocol| protocol.tag.to_string())
        .collect();
    let users: Vec<Node> = asked
        .and_then(|usync| usync.get_optional_child("list"))
        .into_iter()
        .flat_map(|list| list.get_children_by_tag("user"))
        .filter_map(|user| user_node(world, user, &protocols))
        .collect();
    let result = protocols.iter().map(|tag| NodeBuilder::new_dynamic(tag.clone()).build());
    NodeBuilder::new("usync")
        .attr("sid", asked.map(|usync| nodes::text(usync, "sid")).unwrap_or_default())
        .attr("mode", "query")
        .attr("index", "0")
        .attr("last", "true")
        .children([
            NodeBuilder::new("result").children(result).build(),
            NodeBuilder::new("list").children(users).build(),
        ])
        .build()
}

fn user_node(world: &World, user: &NodeRef<'_>, protocols: &[String]) -> Option<Node> {
    let jid = nodes::jid(user, "jid").map(Jid::into_non_ad).or_else(|| {
        let number = user.get_optional_child("contact")?.content_as_string()?;
        Some(Jid::pn(number.trim_start_matches('+')))
    })?;
    let phone = world.phone_of(&jid);
    let children = protocols.iter().filter_map(|protocol| match (protocol.as_str(), &phone) {
        ("devices", Some(phone)) => Some(devices_node(world, phone)),
        ("lid", Some(phone)) => {
            Some(NodeBuilder::new("lid").attr("val", lid_of(world, phone)?).build())
        }
        ("contact", known) => {
            let kind = if known.is_some() { "in" } else { "out" };
            Some(NodeBuilder::new("contact").attr("type", kind).build())
        }
        _ => None,
    });
    let mut builder = NodeBuilder::new("user").attr("jid", &jid);
    if let Some(phone) = phone.as_deref().filter(|_| jid.is_lid()) {
        builder = builder.attr("pn_jid", Jid::pn(phone));
    }
    Some(builder.children(children.collect::<Vec<_>>()).build())
}

fn lid_of(world: &World, phone: &str) -> Option<Jid> {
    let contact = world.contacts.get(phone).map(|contact| contact.lid_jid());
    contact.or_else(|| world.accounts.get(phone).map(|account| account.lid_jid()))
}

/// The devices of a user: the phone, and for an account its linked device.
fn devices_node(world: &World, phone: &str) -> Node {
    let mut devices = vec![NodeBuilder::new("device").attr("id", "0").build()];
    let mut hash = "2:0".to_owned();
    let mut signed_list = None;
    if let Some(account) = world.accounts.get(phone)
        && let Some(device) = &account.device
        && let Some((at, list)) = key_index_list(account)
    {
        let number = device.number.to_string();
        devices.push(
            NodeBuilder::new("device")
                .attr("id", number.as_str())
                .attr("key-index", number.as_str())
                .build(),
        );
        hash = format!("2:{number}");
        signed_list =
            Some(NodeBuilder::new("key-index-list").attr("ts", at.to_string()).bytes(list).build());
    }
    let list = NodeBuilder::new("device-list").attr("hash", hash).children(devices).build();
    let mut children = vec![list];
    children.extend(signed_list);
    NodeBuilder::new("devices").children(children).build()
}

/// Hands out keys of the devices asked for.
pub(crate) fn key_sets(world: &mut World, query: &NodeRef<'_>) -> Node {
    let asked: Vec<Jid> = query
        .get_optional_child("key")
        .into_iter()
        .flat_map(|key| key.get_children_by_tag("user"))
        .filter_map(|user| nodes::jid(user, "jid"))
        .collect();
    let users: Vec<Node> = asked
        .into_iter()
        .map(|jid| {
            let keys = key_set(world, &jid).unwrap_or_else(|| {
                let error = NodeBuilder::new("error")
                    .attr("code", "404")
                    .attr("text", "item-not-found")
                    .build();
                vec![error]
            });
            NodeBuilder::new("user").attr("jid", jid).children(keys).build()
        })
        .collect();
    NodeBuilder::new("list").children(users).build()
}

fn key_set(world: &mut World, jid: &Jid) -> Option<Vec<Node>> {
    let phone = world.phone_of(jid)?;
    if jid.device == 0 {
        let spoiled = world.contacts.get(&phone).is_some_and(|contact| contact.spoils_keys);
        return Some(phone_keys(party(world, &phone)?, spoiled));
    }
    let device = world.accounts.get_mut(&phone)?.device.as_mut()?;
    if device.number != jid.device {
        return None;
    }
    let bundle = device.bundle.as_mut()?;
    let (signed, one_time) = bundle.take();
    let identity = Some(device.signed_identity.as_slice());
    Some(key_set_nodes(bundle.registration_id, &bundle.identity, &signed, one_time, identity))
}

fn phone_keys(party: &mut Party, spoiled: bool) -> Vec<Node> {
    let mut set = party.publish();
    if spoiled {
        set.signed.signature[0] ^= 0xff;
    }
    key_set_nodes(set.registration_id, &set.identity, &set.signed, Some(set.one_time), None)
}

/// The phone with this number, a contact's or an account's.
pub(crate) fn party<'a>(world: &'a mut World, phone: &str) -> Option<&'a mut Party> {
    if let Some(contact) = world.contacts.get_mut(phone) {
        return Some(&mut contact.party);
    }
    world.accounts.get_mut(phone).map(|account| &mut account.party)
}
