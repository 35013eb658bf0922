//! Groups of accounts and contacts. Their ids stand where numbers of accounts do when
//! contacts write.

use crate::config::Addressing;
use crate::error::SimError;
use crate::group::{self, GroupState};
use crate::sim::Sim;
use crate::stanza::groups;
use crate::world::World;

impl Sim {
    /// Makes a group of accounts and contacts, by phone number; the first one is its
    /// creator. Contacts write to it by its id, as they write to an account.
    ///
    /// # Errors
    /// When there is nobody in it, or a number is unknown.
    pub fn create_group(
        &self,
        subject: &str,
        members: &[&str],
        addressing: Addressing,
    ) -> Result<GroupState, SimError> {
        let members = members.iter().map(|phone| (*phone).to_owned()).collect();
        group::create(&mut self.network.world(), subject, members, addressing)
    }

    /// Adds an account or a contact to a group; devices that are online hear of it.
    ///
    /// # Errors
    /// When the group or the number is unknown.
    pub fn add_to_group(&self, group: &str, phone: &str) -> Result<(), SimError> {
        let mut world = self.network.world();
        group::add(&mut world, group, phone)?;
        announce(&mut world, group, "add", phone)
    }

    /// Removes an account or a contact from a group; devices that are online hear of it.
    ///
    /// # Errors
    /// When the group is unknown or the number is not in it.
    pub fn remove_from_group(&self, group: &str, phone: &str) -> Result<(), SimError> {
        let mut world = self.network.world();
        group::remove(&mut world, group, phone)?;
        announce(&mut world, group, "remove", phone)
    }

    /// A group.
    ///
    /// # Errors
    /// When it is unknown.
    pub fn group(&self, group: &str) -> Result<GroupState, SimError> {
        Ok(self.network.world().group(group)?.state())
    }
}

/// Tells the devices of members, and of the one who left, about a change.
fn announce(
    world: &mut World,
    id: &str,
    action: &'static str,
    phone: &str,
) -> Result<(), SimError> {
    let stanza_id = world.stanza_id();
    let group = world.group(id)?;
    let Some(news) = groups::changed(world, &stanza_id, group, action, phone) else {
        return Ok(());
    };
    let concerned = group.members.iter().map(String::as_str).chain([phone]);
    let connections: std::collections::HashSet<_> =
        concerned.filter_map(|member| world.connection_of(member).ok()).collect();
    for connection in connections {
        world.push(connection, &news);
    }
    Ok(())
}
