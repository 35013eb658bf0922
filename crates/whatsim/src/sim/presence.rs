//! Who is there, who types, and who has read what.

use std::time::Duration;

use crate::account::Link;
use crate::error::SimError;
use crate::presence::{BotSign, ReceiptKind, Sign};
use crate::sim::Sim;
use crate::stanza::{nodes, presence};

impl Sim {
    /// The signs that an account's bot gave in its chats, oldest first, as far as
    /// remembered.
    ///
    /// # Errors
    /// When the account is unknown.
    pub fn signs(&self, phone: &str) -> Result<Vec<BotSign>, SimError> {
        Ok(self.network.world().account(phone)?.signs.iter().cloned().collect())
    }

    /// Waits until the account's bot has given this sign in the chat with a contact, or in
    /// a group, and gives the first such sign.
    ///
    /// # Errors
    /// When the account is unknown or it does not happen in time.
    pub async fn wait_for_sign(
        &self,
        phone: &str,
        chat: &str,
        sign: Sign,
        timeout: Duration,
    ) -> Result<BotSign, SimError> {
        let fits = |given: &&BotSign| given.chat == chat && given.sign == sign;
        self.wait_until("a sign of typing", timeout, |world| {
            Ok(world.account(phone)?.signs.iter().any(|given| fits(&given)))
        })
        .await?;
        let signs = self.signs(phone)?;
        signs.iter().find(fits).cloned().ok_or(SimError::TimedOut("a sign of typing"))
    }

    /// A contact types in its chat with an account, or in a group. A bot that is not
    /// online does not hear of it.
    ///
    /// # Errors
    /// When one of them is unknown, or the contact is not in the group.
    pub fn contact_types(&self, contact: &str, to: &str, sign: Sign) -> Result<(), SimError> {
        let world = self.network.world();
        world.contact(contact)?;
        let (addressing, group, accounts) = match world.groups.get(to) {
            Some(group) if group.has(contact) => {
                (group.addressing, Some(group.jid()), group.members.clone())
            }
            Some(_) => return Err(SimError::NotAMember(contact.to_owned())),
            None => {
                world.account(to)?;
                (world.config.addressing, None, vec![to.to_owned()])
            }
        };
        let jid = world.jid_of(contact, addressing);
        let jid = jid.ok_or_else(|| SimError::UnknownContact(contact.to_owned()))?;
        let stanza = match group {
            Some(group) => presence::contact_sign(group, Some(jid), sign),
            None => presence::contact_sign(jid, None, sign),
        };
        for connection in accounts.iter().filter_map(|phone| world.connection_of(phone).ok()) {
            world.push(connection, &stanza);
        }
        Ok(())
    }

    /// A contact comes or goes; accounts that are online hear of it.
    ///
    /// # Errors
    /// When the contact is unknown.
    pub fn set_available(&self, contact: &str, available: bool) -> Result<(), SimError> {
        let mut world = self.network.world();
        world.contact_mut(contact)?.available = available;
        let jid = world.jid_of(contact, world.config.addressing);
        let jid = jid.ok_or_else(|| SimError::UnknownContact(contact.to_owned()))?;
        let stanza = presence::presence(jid, available);
        let devices = world.accounts.values().filter_map(|account| account.device.as_ref());
        for device in devices {
            if let Link::Online(connection) = device.link {
                world.push(connection, &stanza);
            }
        }
        Ok(())
    }

    /// Whether a contact's phone keeps delivery receipts to itself, as one that is off or
    /// blocks the sender does. [`Sim::send_receipt`] gives them later.
    ///
    /// # Errors
    /// When the contact is unknown.
    pub fn withhold_receipts(&self, contact: &str, withhold: bool) -> Result<(), SimError> {
        self.network.world().contact_mut(contact)?.withholds = withhold;
        Ok(())
    }

    /// A contact's phone says something about a message of a bot's. A device that is not
    /// online gets it at its next login.
    ///
    /// # Errors
    /// When the contact is unknown or never received the message.
    pub fn send_receipt(
        &self,
        contact: &str,
        message: &str,
        kind: ReceiptKind,
    ) -> Result<(), SimError> {
        let mut world = self.network.world();
        let text = world.contact(contact)?.received(message);
        let text = text.ok_or_else(|| SimError::UnknownMessage(message.to_owned()))?;
        let (from, chat) = (text.from.clone(), text.chat.clone());
        let participant = text
            .group
            .as_deref()
            .and_then(|group| world.jid_of(contact, world.groups.get(group)?.addressing));
        let stanza = nodes::receipt(chat, participant, message, kind.word());
        let device = world.account_mut(&from)?.device.as_mut();
        let device = device.ok_or_else(|| SimError::NotLinked(from.clone()))?;
        match device.link {
            Link::Online(connection) => world.push(connection, &stanza),
            Link::Offline | Link::Connecting(_) => device.receipts.push(stanza),
        }
        Ok(())
    }
}
