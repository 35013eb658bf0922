//! Queries about groups.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node, NodeRef};

use crate::config::Addressing;
use crate::group::{self, Group};
use crate::stanza::{Reaction, nodes};
use crate::world::World;

/// Answers a query of an account's device about groups.
pub(crate) fn react(world: &mut World, phone: &str, query: &NodeRef<'_>) -> Reaction {
    let kind = nodes::text(query, "type");
    let child = query.children().and_then(<[_]>::first);
    let tag = child.map(|child| child.tag.to_string()).unwrap_or_default();
    let answer = match (kind.as_str(), tag.as_str()) {
        ("get", "query") => info(world, phone, query).map(Some),
        ("get", "participating") => Ok(Some(participating(world, phone))),
        ("set", "create") => child.ok_or(400).and_then(|child| create(world, phone, child)),
        ("set", "leave") => child.ok_or(400).and_then(|child| leave(world, phone, child)),
        ("set", "add" | "remove") => {
            child.ok_or(400).and_then(|child| change(world, phone, query, child))
        }
        ("set", "subject") => child.ok_or(400).and_then(|child| rename(world, phone, query, child)),
        _ => Ok(None),
    };
    Reaction::reply(match answer {
        Ok(child) => nodes::result(query, child),
        Err(403) => nodes::refusal(query, "403", "forbidden"),
        Err(404) => nodes::refusal(query, "404", "item-not-found"),
        Err(_) => nodes::refusal(query, "400", "bad-request"),
    })
}

/// The group a query is about, if the account is in it.
fn asked<'a>(world: &'a World, phone: &str, query: &NodeRef<'_>) -> Result<&'a Group, u16> {
    let jid = nodes::jid(query, "to").ok_or(400u16)?;
    let group = world.groups.get(jid.user.as_str()).ok_or(404u16)?;
    if group.has(phone) { Ok(group) } else { Err(403) }
}

fn info(world: &World, phone: &str, query: &NodeRef<'_>) -> Result<Node, u16> {
    Ok(describe(world, asked(world, phone, query)?))
}

fn participating(world: &World, phone: &str) -> Node {
    let mut groups: Vec<&Group> = world.groups.values().filter(|group| group.has(phone)).collect();
    groups.sort_by_key(|group| &group.id);
    NodeBuilder::new("groups")
        .children(groups.into_iter().map(|group| describe(world, group)))
        .build()
}

fn create(world: &mut World, phone: &str, request: &NodeRef<'_>) -> Result<Option<Node>, u16> {
    let mut members = vec![phone.to_owned()];
    members.extend(participants(world, request));
    let addressing = world.config.addressing;
    let subject = nodes::text(request, "subject");
    let group = group::create(world, &subject, members, addressing).map_err(|_| 400u16)?;
    let group = world.groups.get(&group.id).ok_or(404u16)?;
    Ok(Some(describe(world, group)))
}

fn leave(world: &mut World, phone: &str, request: &NodeRef<'_>) -> Result<Option<Node>, u16> {
    for group in request.get_children_by_tag("group") {
        let id = nodes::jid(group, "id").ok_or(400u16)?;
        group::remove(world, &id.user, phone).map_err(|_| 404u16)?;
    }
    Ok(Some(NodeBuilder::new("leave").build()))
}

fn change(
    world: &mut World,
    phone: &str,
    query: &NodeRef<'_>,
    request: &NodeRef<'_>,
) -> Result<Option<Node>, u16> {
    let (id, addressing) =
        asked(world, phone, query).map(|group| (group.id.clone(), group.addressing))?;
    let adds = &*request.tag == "add";
    let mut changed = Vec::new();
    for member in participants(world, request) {
        let done =
            if adds { group::add(world, &id, &member) } else { group::remove(world, &id, &member) };
        let mut node = NodeBuilder::new("participant")
            .attr("jid", world.jid_of(&member, addressing).ok_or(404u16)?);
        if done.is_err() {
            node = node.attr("error", "404");
        }
        changed.push(node.build());
    }
    let tag = if adds { "add" } else { "remove" };
    Ok(Some(NodeBuilder::new(tag).children(changed).build()))
}

fn rename(
    world: &mut World,
    phone: &str,
    query: &NodeRef<'_>,
    request: &NodeRef<'_>,
) -> Result<Option<Node>, u16> {
    let id = asked(world, phone, query)?.id.clone();
    let subject = request.content_as_string().ok_or(400u16)?.to_string();
    world.group_mut(&id).map_err(|_| 404u16)?.subject = subject;
    Ok(None)
}

fn participants(world: &World, request: &NodeRef<'_>) -> Vec<String> {
    let jids =
        request.get_children_by_tag("participant").filter_map(|node| nodes::jid(node, "jid"));
    jids.filter_map(|jid| world.phone_of(&jid)).collect()
}

/// The `<group>` element.
fn describe(world: &World, group: &Group) -> Node {
    let other = match group.addressing {
        Addressing::PhoneNumber => Addressing::Lid,
        Addressing::Lid => Addressing::PhoneNumber,
    };
    let members = group.members.iter().filter_map(|phone| {
        let mut node =
            NodeBuilder::new("participant").attr("jid", world.jid_of(phone, group.addressing)?);
        let name = match group.addressing {
            Addressing::PhoneNumber => "lid",
            Addressing::Lid => "phone_number",
        };
        node = node.attr(name, world.jid_of(phone, other)?);
        if *phone == group.creator {
            node = node.attr("type", "superadmin");
        }
        Some(node.build())
    });
    let creator = world.jid_of(&group.creator, group.addressing);
    let created = group.created.to_string();
    let mut builder = NodeBuilder::new("group")
        .attr("id", group.id.as_str())
        .attr("subject", group.subject.as_str())
        .attr("addressing_mode", mode(group.addressing))
        .attr("creation", created.as_str())
        .attr("s_t", created.as_str())
        .attr("size", group.members.len().to_string());
    if let Some(creator) = creator {
        builder = builder.attr("creator", creator);
    }
    builder.children(members.collect::<Vec<_>>()).build()
}

/// The word for a namespace in stanzas.
pub(crate) fn mode(addressing: Addressing) -> &'static str {
    match addressing {
        Addressing::PhoneNumber => "pn",
        Addressing::Lid => "lid",
    }
}

/// News for devices of a group's accounts: somebody came or went.
pub(crate) fn changed(
    world: &World,
    id: &str,
    group: &Group,
    action: &'static str,
    phone: &str,
) -> Option<Node> {
    let member: Jid = world.jid_of(phone, group.addressing)?;
    let participant = NodeBuilder::new("participant").attr("jid", &member).build();
    let action = NodeBuilder::new(action).children([participant]).build();
    let mut news = nodes::notification(id, "w:gp2", group.jid(), action);
    news.attrs.insert("participant", world.jid_of(&group.creator, group.addressing)?);
    Some(news)
}
