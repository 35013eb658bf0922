//! Accounts that bots are linked to: a phone and at most one linked device.
//!
//! ```text
//! Offline ──login──> Connecting ──active──> Online
//!    ^__________________|_____________________|   connection lost
//! ```

use std::collections::VecDeque;

use serde::Serialize;
use wacore_binary::{Jid, Node};
use wacore_libsignal::protocol::ProtocolAddress;

use crate::bundle::Bundle;
use crate::error::SimError;
use crate::fault::{ArmedFault, Faults};
use crate::own_message::OwnMessage;
use crate::party::Party;
use crate::presence::BotSign;
use crate::server_key::KEY_BYTES;
use crate::world::ConnectionId;

/// Whether a linked device can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// No connection.
    Offline,
    /// Logged in, but has not asked for messages yet.
    Connecting(ConnectionId),
    /// Receives messages.
    Online(ConnectionId),
}

impl Link {
    pub(crate) fn connection(self) -> Option<ConnectionId> {
        match self {
            Self::Offline => None,
            Self::Connecting(id) | Self::Online(id) => Some(id),
        }
    }
}

/// How an account's linked device is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// No device is linked.
    Unlinked,
    /// Linked, without a connection.
    Offline,
    /// Logged in, not yet ready for messages.
    Connecting,
    /// Ready for messages.
    Online,
}

/// An account as seen from outside.
#[derive(Debug, Clone, Serialize)]
pub struct AccountState {
    /// Phone number, digits only.
    pub phone: String,
    /// Hidden identity, digits only.
    pub lid: String,
    /// Push name.
    pub name: String,
    /// Number of the linked device, if one is linked.
    pub device: Option<u16>,
    /// How the device is connected.
    pub link: LinkState,
    /// Whether the device's connection is open but silent: nothing is read, nothing written.
    pub silent: bool,
    /// The code on the screen in front of the phone, for [`crate::Sim::scan`]. Whoever can see the
    /// screen has to tell the network ([`crate::Sim::show_on_screen`]).
    pub screen: Option<String>,
    /// Messages the device has not confirmed.
    pub undelivered: usize,
    /// One-time keys of the device that nobody has fetched.
    pub one_time_keys: usize,
    /// Logins of linked devices since the account was added.
    pub logins: u64,
    /// Whether the device says that it is available.
    pub available: bool,
    /// Faults that will happen to the device.
    pub faults: Vec<ArmedFault>,
}

/// Who made a queued message, and so who can encrypt it anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The contact with this phone number.
    Contact(String),
    /// The account's own phone, which shares the key to application state.
    OwnPhone,
    /// The account's owner, on the phone.
    OwnMessage(Box<OwnMessage>),
    /// Another account's device; only passed on.
    Elsewhere,
}

/// A message the device has not confirmed.
pub(crate) struct Queued {
    pub(crate) id: String,
    pub(crate) origin: Origin,
    pub(crate) stanza: Node,
}

/// A text that waits for the device's keys.
pub(crate) struct Held {
    pub(crate) contact: String,
    pub(crate) id: String,
}

/// A linked companion device.
pub(crate) struct Device {
    pub(crate) number: u16,
    pub(crate) noise_key: [u8; KEY_BYTES],
    /// `ADVSignedDeviceIdentity` with both signatures, as the device returned it.
    pub(crate) signed_identity: Vec<u8>,
    pub(crate) linked_at: u64,
    pub(crate) bundle: Option<Bundle>,
    pub(crate) key_shared: bool,
    pub(crate) queue: VecDeque<Queued>,
    pub(crate) held: Vec<Held>,
    /// Receipts of contacts that wait for the device's next login.
    pub(crate) receipts: Vec<Node>,
    /// A message kept back so that the next one overtakes it.
    pub(crate) overtaken: Vec<Node>,
    pub(crate) link: Link,
}

impl Device {
    /// A device that was just linked and has not logged in.
    pub(crate) fn new(number: u16, noise_key: [u8; KEY_BYTES], signed_identity: Vec<u8>) -> Self {
        Self {
            number,
            noise_key,
            signed_identity,
            linked_at: crate::clock::unix_seconds(),
            bundle: None,
            key_shared: false,
            queue: VecDeque::new(),
            held: Vec::new(),
            receipts: Vec::new(),
            overtaken: Vec::new(),
            link: Link::Offline,
        }
    }
}

/// An account: a phone with its keys and, once linked, a device.
pub(crate) struct Account {
    pub(crate) phone: String,
    pub(crate) lid: String,
    pub(crate) name: String,
    pub(crate) party: Party,
    /// Names the list of linked devices; the same in all of them.
    pub(crate) raw_id: u32,
    pub(crate) last_device: u16,
    pub(crate) logins: u64,
    pub(crate) device: Option<Device>,
    pub(crate) faults: Faults,
    /// Whether its bot says that it is available.
    pub(crate) available: bool,
    /// What its bot showed of typing, oldest first.
    pub(crate) signs: VecDeque<BotSign>,
    /// The code that the phone's owner has in sight.
    pub(crate) screen: Option<String>,
}

impl Account {
    /// An account without a device.
    pub(crate) fn new(phone: &str, lid: String, name: &str) -> Result<Self, SimError> {
        Ok(Self {
            phone: phone.to_owned(),
            lid,
            name: name.to_owned(),
            party: Party::generate()?,
            raw_id: rand::random(),
            last_device: 0,
            logins: 0,
            device: None,
            faults: Faults::default(),
            available: false,
            signs: VecDeque::new(),
            screen: None,
        })
    }

    pub(crate) fn phone_jid(&self) -> Jid {
        Jid::pn(self.phone.as_str())
    }

    pub(crate) fn lid_jid(&self) -> Jid {
        Jid::lid(self.lid.as_str())
    }

    /// The account as seen from outside; whether its connection is silent is the world's to know.
    pub(crate) fn state(&self, silent: bool) -> AccountState {
        let device = self.device.as_ref();
        AccountState {
            phone: self.phone.clone(),
            lid: self.lid.clone(),
            name: self.name.clone(),
            device: device.map(|device| device.number),
            link: match device.map(|device| device.link) {
                None => LinkState::Unlinked,
                Some(Link::Offline) => LinkState::Offline,
                Some(Link::Connecting(_)) => LinkState::Connecting,
                Some(Link::Online(_)) => LinkState::Online,
            },
            silent,
            screen: self.screen.clone(),
            undelivered: device.map_or(0, |device| device.queue.len() + device.held.len()),
            one_time_keys: device
                .and_then(|device| device.bundle.as_ref())
                .map_or(0, Bundle::one_time_left),
            logins: self.logins,
            available: self.available,
            faults: self.faults.armed(),
        }
    }
}

/// The name under which the simulated phones keep their session with a device.
pub(crate) fn device_address(phone: &str, device: u16) -> ProtocolAddress {
    ProtocolAddress::new(phone, u32::from(device).into())
}
