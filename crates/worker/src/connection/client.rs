//! One client of the library: built once, run once for each connection.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use whatsapp_rust::Client;
use whatsapp_rust::bot::Bot;
use whatsapp_rust::wacore::store::DevicePropsOverride;

use super::guarded::Guarded;
use super::keys;
use super::observer::{News, Observer};
use super::transport::{Dialer, Lookup, Trouble};
use crate::contract::WhatsApp;
use crate::inbound::{Alarm, Inbound};
use crate::session::LastFrame;
use crate::session_dir::SessionDir;

/// One-time keys uploaded at a time. WhatsApp's own client uploads 812; each costs memory and start
/// time, one is used up by each new contact, and WhatsApp asks for more when they run low.
const ONE_TIME_KEYS: usize = 100;

/// The name shown in the phone's list of linked devices.
const DEVICE_NAME: &str = "Tenantry";

/// What a client is made of.
pub(super) struct Parts<'a> {
    pub(super) whatsapp: &'a WhatsApp,
    pub(super) dir: &'a SessionDir,
    pub(super) last_frame: LastFrame,
    pub(super) trouble: Trouble,
    pub(super) observer: Observer,
    pub(super) news: mpsc::Receiver<News>,
    pub(super) inbound: Inbound,
    /// Rung when the login's database does not take a message.
    pub(super) alarm: Alarm,
}

/// A client and its listener.
pub(super) struct Wired {
    pub(super) client: Arc<Client>,
    pub(super) observer: Observer,
    /// What the observer tells while a connection lasts.
    pub(super) news: mpsc::Receiver<News>,
    /// Until the first run, which also starts the client's background work.
    bot: Option<Bot>,
}

impl Wired {
    /// Builds a client on the stored login, or on a new store.
    pub(super) async fn build(parts: Parts<'_>) -> Result<Self, String> {
        let store = Guarded::new(keys::open(parts.dir).await?, parts.alarm);
        let dialer = Dialer {
            url: parts.whatsapp.url.clone(),
            last_frame: parts.last_frame,
            trouble: parts.trouble.clone(),
        };
        let lookup = Lookup::new(parts.trouble, parts.whatsapp.url.starts_with("ws://"));
        let mut builder = Bot::builder()
            .with_backend(store)
            .with_transport_factory(dialer)
            .with_http_client(lookup)
            .with_event_handler(parts.observer.clone())
            .with_inbound_durability_hook(parts.inbound)
            .with_device_props(DevicePropsOverride::new().with_os(DEVICE_NAME))
            .with_wanted_pre_key_count(ONE_TIME_KEYS)
            .skip_history_sync();
        if let Some(version) = parts.whatsapp.version {
            builder = builder.with_version(version);
        }
        let bot = builder.build().await.map_err(|error| error.to_string())?;
        let (observer, news) = (parts.observer, parts.news);
        Ok(Self { client: bot.client(), observer, news, bot: Some(bot) })
    }

    /// Runs one connection. The library's own loop of reconnects is switched off: one loop, ours,
    /// decides when to connect, so that what it says of the next attempt is true.
    pub(super) fn connect(&mut self) -> AbortOnDropHandle<()> {
        self.client.enable_auto_reconnect.store(false, Ordering::Relaxed);
        AbortOnDropHandle::new(match self.bot.take() {
            Some(bot) => tokio::spawn(bot.run()),
            None => {
                let client = Arc::clone(&self.client);
                tokio::spawn(async move { client.run().await })
            }
        })
    }

    /// Writes what the client knows of its login: it does so by itself only now and then, and a
    /// pairing that a crash makes it forget would have to be done again by hand.
    pub(super) async fn save(&self) {
        if let Err(error) = self.client.persistence_manager().flush().await {
            tracing::error!(%error, "cannot write the login");
        }
    }

    /// Whether it can run once more. A client that was shut down (it does so itself when its codes
    /// are used up) cannot.
    pub(super) fn is_usable(&self) -> bool {
        !self.client.shutdown_signal().is_fired()
    }
}
