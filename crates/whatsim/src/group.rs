//! Groups: who is in them, and who has whose key.

use std::collections::HashSet;

use buffa::MessageField;
use serde::Serialize;
use wacore_binary::Jid;
use waproto::whatsapp as wa;

use crate::config::Addressing;
use crate::error::SimError;
use crate::world::World;

/// Digits that ids of groups start with, as on the real service.
const ID_PREFIX: u64 = 120_363_000_000_000_000;

/// A linked device that has a contact's key for the group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct KeyHolder {
    pub(crate) contact: String,
    pub(crate) account: String,
    pub(crate) device: u16,
}

/// A group.
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) addressing: Addressing,
    /// Phone number of the member who made it.
    pub(crate) creator: String,
    pub(crate) created: u64,
    /// Phone numbers, the creator's first.
    pub(crate) members: Vec<String>,
    pub(crate) holders: HashSet<KeyHolder>,
}

/// A group as seen from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupState {
    /// Its id; the address is `<id>@g.us`.
    pub id: String,
    /// Its subject.
    pub subject: String,
    /// In which namespace its members are presented to bots.
    pub addressing: Addressing,
    /// Phone numbers of its members; the first made it.
    pub members: Vec<String>,
}

impl Group {
    pub(crate) fn jid(&self) -> Jid {
        Jid::group(self.id.as_str())
    }

    pub(crate) fn has(&self, phone: &str) -> bool {
        self.members.iter().any(|member| member == phone)
    }

    pub(crate) fn state(&self) -> GroupState {
        GroupState {
            id: self.id.clone(),
            subject: self.subject.clone(),
            addressing: self.addressing,
            members: self.members.clone(),
        }
    }
}

/// Makes a group of accounts and contacts; the first member is its creator.
pub(crate) fn create(
    world: &mut World,
    subject: &str,
    members: Vec<String>,
    addressing: Addressing,
) -> Result<GroupState, SimError> {
    for member in &members {
        world.known(member)?;
    }
    let creator = members.first().ok_or(SimError::EmptyGroup)?.clone();
    let mut unique = Vec::with_capacity(members.len());
    for member in members {
        if !unique.contains(&member) {
            unique.push(member);
        }
    }
    world.last_group += 1;
    let group = Group {
        id: (ID_PREFIX + world.last_group).to_string(),
        subject: subject.to_owned(),
        addressing,
        creator,
        created: crate::clock::unix_seconds(),
        members: unique,
        holders: HashSet::new(),
    };
    let state = group.state();
    world.groups.insert(group.id.clone(), group);
    world.changed();
    Ok(state)
}

/// Adds a member, unless it is one already.
pub(crate) fn add(world: &mut World, id: &str, phone: &str) -> Result<(), SimError> {
    world.known(phone)?;
    let group = world.group_mut(id)?;
    if !group.has(phone) {
        group.members.push(phone.to_owned());
    }
    world.changed();
    Ok(())
}

/// Removes a member. The others take new keys, which it does not have.
pub(crate) fn remove(world: &mut World, id: &str, phone: &str) -> Result<(), SimError> {
    let group = world.group_mut(id)?;
    if !group.has(phone) {
        return Err(SimError::NotAMember(phone.to_owned()));
    }
    group.members.retain(|member| member != phone);
    group.holders.clear();
    let (jid, members) = (group.jid().to_string(), group.members.clone());
    for member in members {
        if let Some(contact) = world.contacts.get_mut(&member) {
            contact.party.renew_sender_key(&jid);
        }
    }
    world.changed();
    Ok(())
}

/// The message that carries a key for a group.
pub(crate) fn key_message(group: &Jid, key: Vec<u8>) -> wa::Message {
    let distribution = wa::message::SenderKeyDistributionMessage {
        group_id: Some(group.to_string()),
        axolotl_sender_key_distribution_message: Some(key),
    };
    wa::Message {
        sender_key_distribution_message: MessageField::some(distribution),
        ..Default::default()
    }
}

/// The key that a message carries.
pub(crate) fn key_in(message: &wa::Message) -> Option<&[u8]> {
    let distribution = message.sender_key_distribution_message.as_option()?;
    distribution.axolotl_sender_key_distribution_message.as_deref()
}
