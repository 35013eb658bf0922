//! Everything the simulated network knows: accounts, contacts and connections.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, watch};
use wacore_binary::{Jid, Node};

use crate::account::{Account, AccountState, Link};
use crate::config::{Addressing, Config};
use crate::contact::Contact;
use crate::error::SimError;
use crate::event::SimEvent;
use crate::group::Group;
use crate::media::blobs::Blobs;
use crate::pairing::PairingDesk;
use crate::party::Party;
use crate::server_key::KEY_BYTES;
use crate::stanza::nodes;

/// Names a connection for as long as the simulator runs.
pub(crate) type ConnectionId = u64;

/// Events kept for a watcher that falls behind.
const EVENT_BACKLOG: usize = 1_024;

/// How a connection behaves while it lasts; by default, as it should.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    /// Neither reads nor writes.
    pub(crate) stalled: bool,
    /// Does not read.
    pub(crate) deaf: bool,
    /// Does not write.
    pub(crate) mute: bool,
    /// Pause before each frame that is read or written.
    pub(crate) delay: Duration,
}

impl Manner {
    pub(crate) fn reads(self) -> bool {
        !self.stalled && !self.deaf
    }

    pub(crate) fn writes(self) -> bool {
        !self.stalled && !self.mute
    }
}

/// What the task of a connection has to do.
#[derive(Debug, Clone)]
pub(crate) enum Control {
    /// Read and write.
    Running(Manner),
    /// Write what is queued and these last bytes, then close.
    Closing(Vec<u8>),
    /// Drop the socket.
    Cut,
}

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// A client that wants to be paired.
    Pairing,
    /// The linked device of this account.
    Device(String),
    /// Nobody: the login was refused.
    Stranger,
}

/// The network's end of one connection.
pub(crate) struct Connection {
    pub(crate) out: mpsc::Sender<Vec<u8>>,
    pub(crate) control: watch::Sender<Control>,
    pub(crate) client_key: [u8; KEY_BYTES],
    pub(crate) role: Role,
}

impl Connection {
    /// Whether it is open and neither reads nor writes.
    fn silent(&self) -> bool {
        matches!(&*self.control.borrow(), Control::Running(manner) if !manner.reads() && !manner.writes())
    }
}

/// Files that clients exchange.
pub(crate) struct MediaDesk {
    /// Host and port of the media host.
    pub(crate) host: String,
    /// What a client has to show to upload.
    pub(crate) auth: String,
    pub(crate) blobs: Blobs,
}

/// The state of the network; one lock guards all of it, never held while waiting.
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) accounts: HashMap<String, Account>,
    pub(crate) contacts: HashMap<String, Contact>,
    /// Groups by id.
    pub(crate) groups: HashMap<String, Group>,
    pub(crate) last_group: u64,
    /// Phone number by hidden identity.
    lids: HashMap<String, String>,
    pub(crate) connections: HashMap<ConnectionId, Connection>,
    pub(crate) pairing: PairingDesk,
    pub(crate) media: MediaDesk,
    pub(crate) refusing: bool,
    /// Whether pairing codes are expired from the start.
    pub(crate) codes_expire: bool,
    /// Whether clients that want to be paired are left without an answer.
    pub(crate) ignores_unlinked: bool,
    last_connection: ConnectionId,
    last_stanza: u64,
    events: broadcast::Sender<SimEvent>,
    changes: watch::Sender<u64>,
}

impl World {
    /// An empty network; files are exchanged at this host and port.
    pub(crate) fn new(config: Config, media_host: String) -> Self {
        let media = MediaDesk {
            host: media_host,
            auth: format!("{:032x}", rand::random::<u128>()),
            blobs: Blobs::new(config.media_store_limit),
        };
        Self {
            media,
            config,
            accounts: HashMap::new(),
            contacts: HashMap::new(),
            groups: HashMap::new(),
            last_group: 0,
            lids: HashMap::new(),
            connections: HashMap::new(),
            pairing: PairingDesk::default(),
            refusing: false,
            codes_expire: false,
            ignores_unlinked: false,
            last_connection: 0,
            last_stanza: 0,
            events: broadcast::Sender::new(EVENT_BACKLOG),
            changes: watch::Sender::new(0),
        }
    }

    pub(crate) fn add_account(&mut self, phone: &str, name: &str) -> Result<(), SimError> {
        let lid = self.claim_number(phone)?;
        let account = Account::new(phone, lid, name)?;
        self.lids.insert(account.lid.clone(), account.phone.clone());
        self.accounts.insert(account.phone.clone(), account);
        self.emit(SimEvent::AccountAdded { phone: phone.to_owned() });
        Ok(())
    }

    pub(crate) fn add_contact(&mut self, name: &str, phone: &str) -> Result<(), SimError> {
        let lid = self.claim_number(phone)?;
        let contact = Contact::new(
            name.to_owned(),
            phone.to_owned(),
            lid,
            Party::generate()?,
            self.config.history_limit,
        );
        self.lids.insert(contact.lid.clone(), contact.phone.clone());
        self.contacts.insert(contact.phone.clone(), contact);
        self.emit(SimEvent::ContactAdded { phone: phone.to_owned() });
        Ok(())
    }

    /// Checks that the number is well-formed and free; gives its hidden identity.
    fn claim_number(&self, phone: &str) -> Result<String, SimError> {
        let valid = (5..=15).contains(&phone.len())
            && phone.bytes().all(|byte| byte.is_ascii_digit())
            && !phone.starts_with('0');
        if !valid {
            return Err(SimError::InvalidPhone(phone.to_owned()));
        }
        if self.accounts.contains_key(phone) || self.contacts.contains_key(phone) {
            return Err(SimError::NumberTaken(phone.to_owned()));
        }
        // Longer than any phone number, so the two can never be mistaken.
        Ok(format!("1{phone:0>15}"))
    }

    pub(crate) fn account(&self, phone: &str) -> Result<&Account, SimError> {
        self.accounts.get(phone).ok_or_else(|| SimError::UnknownAccount(phone.to_owned()))
    }

    pub(crate) fn account_mut(&mut self, phone: &str) -> Result<&mut Account, SimError> {
        self.accounts.get_mut(phone).ok_or_else(|| SimError::UnknownAccount(phone.to_owned()))
    }

    pub(crate) fn contact(&self, phone: &str) -> Result<&Contact, SimError> {
        self.contacts.get(phone).ok_or_else(|| SimError::UnknownContact(phone.to_owned()))
    }

    pub(crate) fn contact_mut(&mut self, phone: &str) -> Result<&mut Contact, SimError> {
        self.contacts.get_mut(phone).ok_or_else(|| SimError::UnknownContact(phone.to_owned()))
    }

    pub(crate) fn group(&self, id: &str) -> Result<&Group, SimError> {
        self.groups.get(id).ok_or_else(|| SimError::UnknownGroup(id.to_owned()))
    }

    pub(crate) fn group_mut(&mut self, id: &str) -> Result<&mut Group, SimError> {
        self.groups.get_mut(id).ok_or_else(|| SimError::UnknownGroup(id.to_owned()))
    }

    /// An account as seen from outside.
    pub(crate) fn account_state(&self, account: &Account) -> AccountState {
        let connection = account.device.as_ref().and_then(|device| device.link.connection());
        let connection = connection.and_then(|id| self.connections.get(&id));
        account.state(connection.is_some_and(Connection::silent))
    }

    /// Checks that the number is an account's or a contact's.
    pub(crate) fn known(&self, phone: &str) -> Result<(), SimError> {
        match self.accounts.contains_key(phone) {
            true => Ok(()),
            false => self.contact(phone).map(|_| ()),
        }
    }

    /// The address of an account's or contact's phone.
    pub(crate) fn jid_of(&self, phone: &str, addressing: Addressing) -> Option<Jid> {
        let lid = match self.accounts.get(phone) {
            Some(account) => &account.lid,
            None => &self.contacts.get(phone)?.lid,
        };
        Some(match addressing {
            Addressing::PhoneNumber => Jid::pn(phone),
            Addressing::Lid => Jid::lid(lid.as_str()),
        })
    }

    /// The phone number behind an address in either namespace.
    pub(crate) fn phone_of(&self, jid: &Jid) -> Option<String> {
        let user = jid.user.as_str();
        if let Some(phone) = self.lids.get(user) {
            return Some(phone.clone());
        }
        (self.accounts.contains_key(user) || self.contacts.contains_key(user))
            .then(|| user.to_owned())
    }

    /// Registers a connection.
    pub(crate) fn open_connection(&mut self, connection: Connection) -> ConnectionId {
        self.last_connection += 1;
        self.connections.insert(self.last_connection, connection);
        self.last_connection
    }

    /// Forgets a connection whose task has ended.
    pub(crate) fn close_connection(&mut self, id: ConnectionId) {
        self.pairing.abandon(id);
        let Some(connection) = self.connections.remove(&id) else {
            return;
        };
        let Role::Device(phone) = connection.role else {
            return;
        };
        let device = self.accounts.get_mut(&phone).and_then(|account| account.device.as_mut());
        if let Some(device) = device
            && device.link.connection() == Some(id)
        {
            device.link = Link::Offline;
            if let Some(account) = self.accounts.get_mut(&phone) {
                account.available = false;
            }
            self.emit(SimEvent::Offline { phone });
        }
    }

    /// Queues a stanza for a connection. One that cannot keep up is cut: what it
    /// has not confirmed is still queued for its device.
    pub(crate) fn push(&self, id: ConnectionId, node: &Node) {
        if let Some(bytes) = nodes::marshalled(node) {
            self.push_bytes(id, bytes);
        }
    }

    /// Queues the bytes of a stanza for a connection.
    pub(crate) fn push_bytes(&self, id: ConnectionId, bytes: Vec<u8>) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        if connection.out.try_send(bytes).is_err() {
            tracing::warn!(connection = id, "a connection does not keep up and is cut");
            self.control(id, Control::Cut);
        }
    }

    /// Tells the task of a connection what to do.
    pub(crate) fn control(&self, id: ConnectionId, control: Control) {
        if let Some(connection) = self.connections.get(&id) {
            connection.control.send_replace(control);
        }
    }

    /// Changes how a connection behaves, unless it is about to end.
    pub(crate) fn adjust(&self, id: ConnectionId, change: impl FnOnce(&mut Manner)) {
        if let Some(connection) = self.connections.get(&id) {
            connection.control.send_modify(|control| {
                if let Control::Running(manner) = control {
                    change(manner);
                }
            });
        }
    }

    /// Ends a connection with these last words.
    pub(crate) fn end(&self, id: ConnectionId, last_words: &Node) {
        self.control(id, Control::Closing(nodes::marshalled(last_words).unwrap_or_default()));
    }

    /// The connection of an account's device.
    pub(crate) fn connection_of(&self, phone: &str) -> Result<ConnectionId, SimError> {
        self.account(phone)?
            .device
            .as_ref()
            .ok_or_else(|| SimError::NotLinked(phone.to_owned()))?
            .link
            .connection()
            .ok_or_else(|| SimError::NotConnected(phone.to_owned()))
    }

    /// Connections of clients that want to be paired.
    pub(crate) fn unlinked(&self) -> impl Iterator<Item = ConnectionId> {
        let pairing =
            self.connections.iter().filter(|(_, connection)| connection.role == Role::Pairing);
        pairing.map(|(id, _)| *id)
    }

    /// Connections of linked devices.
    pub(crate) fn linked(&self) -> impl Iterator<Item = ConnectionId> {
        let devices = self.accounts.values().filter_map(|account| account.device.as_ref());
        devices.filter_map(|device| device.link.connection())
    }

    /// Removes an account's device, with everything queued for it, and gives the
    /// connection it had.
    pub(crate) fn unlink(&mut self, phone: &str) -> Option<ConnectionId> {
        let device = self.accounts.get_mut(phone)?.device.take()?;
        let connection = device.link.connection();
        if let Some(connection) = connection.and_then(|id| self.connections.get_mut(&id)) {
            connection.role = Role::Stranger;
        }
        self.emit(SimEvent::Unlinked { phone: phone.to_owned() });
        connection
    }

    /// An id for a stanza of the server's own.
    pub(crate) fn stanza_id(&mut self) -> String {
        self.last_stanza += 1;
        format!("sim-{}", self.last_stanza)
    }

    /// Tells watchers that something happened.
    pub(crate) fn emit(&self, event: SimEvent) {
        tracing::debug!(?event);
        // Nobody watching is fine.
        let _ = self.events.send(event);
        self.changed();
    }

    /// Wakes those who wait for a state of the network.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|generation| *generation += 1);
    }

    pub(crate) fn events(&self) -> broadcast::Receiver<SimEvent> {
        self.events.subscribe()
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
