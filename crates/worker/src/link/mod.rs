//! The worker's side of the worker link: heartbeats ([`heartbeat`]) and events ([`events`]) to the
//! control plane, commands ([`commands`]) from it. Whether anyone listens makes no difference to the
//! session: what must be heard waits in the store.

mod commands;
mod events;
mod heartbeat;
mod pace;

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use api::client::{ClientError, LinkClient};
use api::link::WorkerConfig;
use chrono::Utc;
use tokio::sync::{Notify, mpsc, watch};

use crate::connection::Order;
use crate::contract::{Link as Address, Mistake, Mistakes};
use crate::error::WorkerError;
use crate::session::Session;
use crate::settings::Settings;
use crate::store::BotStore;
use crate::vitals::Vitals;

/// What the three parts of the link work with.
#[derive(Clone)]
pub struct Link {
    client: LinkClient,
    generation: u64,
    incarnation: u64,
    interval: Duration,
    store: Arc<BotStore>,
    session: Session,
    vitals: Vitals,
    settings: watch::Sender<Settings>,
    orders: mpsc::Sender<Order>,
    first: Arc<Notify>,
    /// Asks for a heartbeat now.
    beat_now: Arc<Notify>,
}

/// What a link is made of, besides its address.
pub struct Ends {
    /// The time between two heartbeats.
    pub interval: Duration,
    /// Where events wait.
    pub store: Arc<BotStore>,
    /// The session to tell of.
    pub session: Session,
    /// What is measured.
    pub vitals: Vitals,
    /// Where new settings go.
    pub settings: watch::Sender<Settings>,
    /// Where the control plane's wishes go.
    pub orders: mpsc::Sender<Order>,
}

impl Link {
    /// A link to `address`; reads the token.
    ///
    /// # Errors
    /// [`WorkerError::Token`] when the token cannot be read.
    pub fn new(address: &Address, ends: Ends) -> Result<Self, WorkerError> {
        let token = fs::read_to_string(&address.token_file)
            .map_err(|source| WorkerError::Token { path: address.token_file.clone(), source })?;
        let client = LinkClient::new(&address.address, &token).map_err(|error| {
            Mistakes(vec![Mistake { variable: "TENANTRY_LINK", message: error.to_string() }])
        })?;
        Ok(Self {
            client,
            generation: address.generation,
            incarnation: address.incarnation,
            interval: ends.interval,
            store: ends.store,
            session: ends.session,
            vitals: ends.vitals,
            settings: ends.settings,
            orders: ends.orders,
            first: Arc::new(Notify::new()),
            beat_now: Arc::new(Notify::new()),
        })
    }

    /// The client alone, for those who fetch files.
    #[must_use]
    pub fn client(&self) -> LinkClient {
        self.client.clone()
    }

    /// Waits until the first heartbeat was answered or failed.
    pub async fn first_heartbeat(&self) {
        self.first.notified().await;
    }

    /// Says the last things once, whether they are heard or not.
    pub async fn last_words(&self, with_heartbeat: bool) {
        if with_heartbeat {
            // The worker is ending: a failure changes nothing.
            let _ = self.client.heartbeat(&self.heartbeat()).await;
        }
        let _ = self.hand_over().await;
    }

    /// Uses the settings that the control plane sent, and keeps them for the next start.
    fn apply(&self, config: WorkerConfig) {
        if self.settings.borrow().wire == config {
            return;
        }
        if let Err(error) = self.store.set_config(&config) {
            tracing::error!(%error, "cannot keep the settings for the next start");
        }
        let (settings, problem) = Settings::new(config, Some(&self.settings.borrow()));
        if let Some(problem) = problem {
            self.refuse_rules(&problem);
        }
        tracing::info!(
            version = settings.wire.version,
            rate_limit_max_per_minute = settings.wire.rate_limit_max_per_minute,
            answers = settings.rules.is_some(),
            rules = settings.wire.rules.is_some(),
            "new settings"
        );
        self.settings.send_replace(settings);
    }

    fn refuse_rules(&self, problem: &str) {
        tracing::error!(problem, "the rules are not understood; those before go on");
        let detail = format!("the rules are not understood, those before them go on: {problem}");
        if let Err(error) = self.store.note("rules.refused", &detail, Utc::now()) {
            tracing::error!(%error, "cannot tell of the refused rules");
        }
    }
}

/// The end of the worker, if that is what the control plane's refusal means.
fn fatal(error: &ClientError) -> Option<WorkerError> {
    if error.code() == Some("stale_generation") {
        return Some(WorkerError::Superseded(error.to_string()));
    }
    (error.status() == Some(401)).then(|| WorkerError::TokenRefused(error.to_string()))
}
