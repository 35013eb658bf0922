//! The handle on a running simulator.

mod faults;
mod groups;
mod media;
mod presence;
mod waiting;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::account::{AccountState, LinkState};
use crate::config::Config;
use crate::contact::Conversation;
use crate::delivery::{self, Outgoing};
use crate::error::SimError;
use crate::event::SimEvent;
use crate::group::{Group, GroupState};
use crate::http;
use crate::listener;
use crate::media::host;
use crate::network::Network;
use crate::own_message;
use crate::pairing::{self, LinkedDevice, QrCode, code};
use crate::server_key::{self, KEY_BYTES};
use crate::world::World;

/// A running simulated network. Clones share it; it stops when the last one is
/// dropped, or at [`Sim::shutdown`].
#[derive(Clone)]
pub struct Sim {
    network: Arc<Network>,
    ws_address: SocketAddr,
    http_address: Option<SocketAddr>,
    server_key: [u8; KEY_BYTES],
    tasks: TaskTracker,
    /// Absent in the handle that the simulator's own HTTP interface holds.
    guard: Option<Arc<DropGuard>>,
}

/// A contact as seen from outside.
#[derive(Debug, Clone, Serialize)]
pub struct ContactState {
    /// Name shown to bots.
    pub name: String,
    /// Phone number, digits only.
    pub phone: String,
    /// Hidden identity, digits only.
    pub lid: String,
    /// Texts received from bots so far.
    pub received: u64,
    /// Texts sent to bots and still remembered.
    pub sent: usize,
}

/// The whole network as seen from outside.
#[derive(Debug, Clone, Serialize)]
pub struct SimState {
    /// Host and port where clients upload and download files.
    pub media_host: String,
    /// Where clients connect.
    pub ws_url: String,
    /// The server's static public key, hexadecimal.
    pub server_key: String,
    /// Open connections, clients waiting to be paired included.
    pub connections: usize,
    /// Whether new connections are refused.
    pub refusing: bool,
    /// Whether pairing codes are expired from the start.
    pub codes_expire: bool,
    /// Whether clients that want to be paired are left without an answer.
    pub ignores_unlinked: bool,
    /// Accounts, by number.
    pub accounts: Vec<AccountState>,
    /// Contacts, by number.
    pub contacts: Vec<ContactState>,
    /// Groups, by id.
    pub groups: Vec<GroupState>,
}

impl Sim {
    /// Starts a simulator on loopback.
    ///
    /// # Errors
    /// When a port cannot be had or the key file cannot be used.
    pub async fn start(config: Config) -> Result<Self, SimError> {
        let static_key = server_key::load_or_generate(config.static_key_file.as_deref())?;
        let listener = bind(config.ws_port).await?;
        let http_listener = match config.http_port {
            Some(port) => Some(bind(port).await?),
            None => None,
        };
        let media_listener = bind(config.media_port).await?;
        let media_limit = config.media_limit;
        let ws_address = address(&listener)?;
        let http_address = http_listener.as_ref().map(address).transpose()?;
        let server_key = server_key::public_bytes(&static_key);
        let media_host = address(&media_listener)?.to_string();
        let network = Arc::new(Network::new(World::new(config, media_host), static_key));
        let tasks = TaskTracker::new();
        let guard = Some(Arc::new(network.stop.clone().drop_guard()));
        tasks.spawn(listener::listen(Arc::clone(&network), listener, tasks.clone()));
        tasks.spawn(host::serve(Arc::clone(&network), media_listener, media_limit));
        let sim = Self { network, ws_address, http_address, server_key, tasks, guard };
        if let Some(listener) = http_listener {
            let inner = Self { guard: None, ..sim.clone() };
            let stop = sim.network.stop.clone();
            sim.tasks.spawn(http::serve(listener, inner, stop));
        }
        Ok(sim)
    }

    /// Where clients connect: `ws://127.0.0.1:<port>/ws/chat`.
    #[must_use]
    pub fn ws_url(&self) -> String {
        format!("ws://{}/ws/chat", self.ws_address)
    }

    /// Where the HTTP interface is, if it was asked for.
    #[must_use]
    pub fn http_url(&self) -> Option<String> {
        self.http_address.map(|address| format!("http://{address}"))
    }

    /// The server's static public key, which a prepared session has to trust.
    #[must_use]
    pub fn server_key(&self) -> [u8; KEY_BYTES] {
        self.server_key
    }

    /// Adds an account: a phone that can scan a pairing code. `phone` is 5 to 15
    /// digits, country code first; the push name is derived from it.
    ///
    /// # Errors
    /// When the number is malformed or taken.
    pub fn add_account(&self, phone: &str) -> Result<(), SimError> {
        self.add_named_account(phone, &format!("Account {phone}"))
    }

    /// Adds an account with this push name. With an empty one, clients take the
    /// slow path of a first synchronisation at every start.
    ///
    /// # Errors
    /// When the number is malformed or taken.
    pub fn add_named_account(&self, phone: &str, name: &str) -> Result<(), SimError> {
        self.network.world().add_account(phone, name)
    }

    /// Adds a person who can write to bots.
    ///
    /// # Errors
    /// When the number is malformed or taken.
    pub fn add_contact(&self, name: &str, phone: &str) -> Result<(), SimError> {
        self.network.world().add_contact(name, phone)
    }

    /// The account's phone scans the text of a QR code; returns when the device is
    /// linked. A device linked before is unlinked.
    ///
    /// # Errors
    /// When the account or the code is unknown, or the companion refuses.
    pub async fn scan(&self, qr: &str, phone: &str) -> Result<LinkedDevice, SimError> {
        let code = QrCode::parse(qr)?;
        let (outcome, limit) = {
            let mut world = self.network.world();
            let limit = world.config.pairing_timeout;
            (pairing::scan(&mut world, &code, phone)?, limit)
        };
        in_time(limit, outcome).await?
    }

    /// The screen in front of an account's phone shows this code from now on, or none. Whoever
    /// moves the phone finds it in [`AccountState::screen`] and can scan it; a linked device clears it.
    ///
    /// # Errors
    /// When the account is unknown or the text is no QR code's.
    pub fn show_on_screen(&self, phone: &str, code: Option<&str>) -> Result<(), SimError> {
        code.map(QrCode::parse).transpose()?;
        let mut world = self.network.world();
        let account = world.account_mut(phone)?;
        if account.screen.as_deref() != code {
            account.screen = code.map(str::to_owned);
            world.emit(SimEvent::Screen { phone: phone.to_owned() });
        }
        Ok(())
    }

    /// A person types the pairing code that a companion shows into the account's
    /// phone; returns when the device is linked. A device linked before is unlinked.
    ///
    /// # Errors
    /// [`SimError::CodeExpired`] when no companion waits for a code of this account,
    /// [`SimError::WrongCode`] when the typed one is not it; others when the account is
    /// unknown or the companion refuses or goes away.
    pub async fn enter_code(&self, typed: &str, phone: &str) -> Result<LinkedDevice, SimError> {
        let (attempt, limit) = {
            let world = self.network.world();
            (code::begin(&world, phone)?, world.config.pairing_timeout)
        };
        // People type codes with or without the dash, in any case.
        let typed = typed.replace('-', "").to_uppercase();
        let typed = tokio::task::spawn_blocking(move || attempt.typed(&typed))
            .await
            .map_err(|error| SimError::Signal(error.to_string()))??;
        let answer = typed.send(&mut self.network.world(), phone)?;
        let finish = in_time(limit, answer).await?;
        let companion = typed.open(&finish)?;
        let outcome = {
            let mut world = self.network.world();
            let connection = typed.connection(&world, phone)?;
            pairing::confirm(&mut world, connection, &companion, phone)?
        };
        in_time(limit, outcome).await?
    }

    /// A contact writes to an account, or to a group by its id; gives the message id. The
    /// text stays queued until the account's device confirms it.
    ///
    /// # Errors
    /// When one of them is unknown, no device is linked or its queue is full.
    pub fn send_text(&self, contact: &str, to: &str, text: &str) -> Result<String, SimError> {
        delivery::send(&mut self.network.world(), contact, to, Outgoing::text(text))
    }

    /// The owner of an account writes to a contact on the phone; gives the message id.
    /// The linked device gets a copy.
    ///
    /// # Errors
    /// When one of them is unknown or the device's queue is full.
    pub fn write_on_phone(
        &self,
        account: &str,
        contact: &str,
        text: &str,
    ) -> Result<String, SimError> {
        own_message::write(&mut self.network.world(), account, contact, text)
    }

    /// What a contact and the bots said to each other.
    ///
    /// # Errors
    /// When the contact is unknown.
    pub fn messages(&self, contact: &str) -> Result<Conversation, SimError> {
        Ok(self.network.world().contact(contact)?.conversation())
    }

    /// Numbers of the accounts whose device is ready for messages, in order.
    #[must_use]
    pub fn connected(&self) -> Vec<String> {
        let accounts = self.state().accounts.into_iter();
        accounts
            .filter(|account| account.link == LinkState::Online)
            .map(|account| account.phone)
            .collect()
    }

    /// An account's state.
    ///
    /// # Errors
    /// When the account is unknown.
    pub fn account(&self, phone: &str) -> Result<AccountState, SimError> {
        let world = self.network.world();
        Ok(world.account_state(world.account(phone)?))
    }

    /// The whole network.
    #[must_use]
    pub fn state(&self) -> SimState {
        let world = self.network.world();
        let accounts = world.accounts.values().map(|account| world.account_state(account));
        let mut accounts: Vec<_> = accounts.collect();
        accounts.sort_by(|left, right| left.phone.cmp(&right.phone));
        let contacts = world.contacts.values().map(|contact| ContactState {
            name: contact.name.clone(),
            phone: contact.phone.clone(),
            lid: contact.lid.clone(),
            received: contact.received_total(),
            sent: contact.sent_count(),
        });
        let mut contacts: Vec<_> = contacts.collect();
        contacts.sort_by(|left, right| left.phone.cmp(&right.phone));
        let mut groups: Vec<_> = world.groups.values().map(Group::state).collect();
        groups.sort_by(|left, right| left.id.cmp(&right.id));
        SimState {
            media_host: world.media.host.clone(),
            ws_url: self.ws_url(),
            server_key: server_key::to_hex(&self.server_key),
            connections: world.connections.len(),
            refusing: world.refusing,
            codes_expire: world.codes_expire,
            ignores_unlinked: world.ignores_unlinked,
            accounts,
            contacts,
            groups,
        }
    }

    /// What happens from now on. A watcher that falls behind misses the oldest events.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<SimEvent> {
        self.network.world().events()
    }

    /// Drops all connections, stops listening and waits until that is done.
    pub async fn shutdown(&self) {
        self.network.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Is cancelled when the simulator is told to stop.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.network.stop.clone()
    }

    /// Ends when the simulator was told to stop.
    pub async fn stopped(&self) {
        self.network.stop.cancelled().await;
    }
}

impl std::fmt::Debug for Sim {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Sim")
            .field("ws_url", &self.ws_url())
            .field("http_url", &self.http_url())
            .field("owner", &self.guard.is_some())
            .finish_non_exhaustive()
    }
}

/// What a companion answers, unless it takes too long or goes away.
async fn in_time<T>(limit: Duration, answer: oneshot::Receiver<T>) -> Result<T, SimError> {
    match tokio::time::timeout(limit, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) | Err(_) => Err(SimError::PairingAbandoned),
    }
}

async fn bind(port: u16) -> Result<TcpListener, SimError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(SimError::io("listening on a loopback port"))
}

fn address(listener: &TcpListener) -> Result<SocketAddr, SimError> {
    listener.local_addr().map_err(SimError::io("reading the address of a listener"))
}
