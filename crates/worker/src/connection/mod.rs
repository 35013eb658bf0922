//! The one loop that connects to WhatsApp: an attempt ([`attempt`]), what it came to ([`verdict`]),
//! what follows, and the waits between ([`wait`]).

mod ask;
mod attempt;
mod client;
mod guarded;
mod keys;
mod observer;
mod transport;
mod verdict;
mod wait;

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::link::TroubleKind;
use chrono::Utc;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use whatsapp_rust::Client;

use crate::answers::AckDesk;
use crate::backoff::{Backoff, Policy};
use crate::contract::WhatsApp;
use crate::error::WorkerError;
use crate::inbound::Inbound;
use crate::liveness::{self, Remedy};
use crate::pairing::{Input, Pairing, Wish};
use crate::safekeeping::delete_login;
use crate::session::{Phase, Session};
use crate::session_dir::SessionDir;
use crate::store::BotStore;
use crate::vitals::Vitals;
use client::{Parts, Wired};
use observer::{Observer, Outcome};
use transport::Trouble as DialTrouble;
use verdict::{Next, Verdict};

/// How long a client may take to say goodbye when the worker ends.
const GOODBYE: Duration = Duration::from_millis(450);

/// A connection that the client ended by itself, without a word and so soon after a frame, was ended
/// because WhatsApp asked for it (stream error 515, of which the client tells nothing).
const ASKED_FOR: Duration = Duration::from_secs(5);

/// What the control plane wants of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Log out, delete the keys, show a new code.
    Logout,
    /// Something about the pairing.
    Pair {
        /// What.
        wish: Wish,
        /// The number that shows that it was heard.
        request: u64,
    },
    /// Try to connect at a random moment within this time.
    Reconnect(Duration),
}

/// What the loop works with.
pub struct Ends {
    /// Where to connect to.
    pub whatsapp: WhatsApp,
    /// The pace of new attempts.
    pub reconnect: Policy,
    /// How a connection that died is found.
    pub liveness: liveness::Policy,
    /// For how long codes are shown that nobody uses.
    pub pairing_timeout: Duration,
    /// Where the login is.
    pub dir: SessionDir,
    /// The worker's database.
    pub store: Arc<BotStore>,
    /// Where the phases are published.
    pub session: Session,
    /// Where frames, pings and failures are noted.
    pub vitals: Vitals,
    /// Where WhatsApp's acknowledgements go.
    pub acks: Arc<AckDesk>,
    /// Where the present client is published for those who send.
    pub client: watch::Sender<Option<Arc<Client>>>,
    /// What the control plane wants.
    pub orders: mpsc::Receiver<Order>,
    /// Ends the loop.
    pub stop: CancellationToken,
}

/// The loop.
pub struct Connection {
    ends: Ends,
    backoff: Backoff,
    pairing: Pairing,
    dialing: DialTrouble,
    wired: Option<Wired>,
    /// How many connections have died in a row, with none healthy between them.
    died: u32,
    /// That something could not be stored, which is to be noted as soon as it can be.
    unstored: Option<String>,
}

/// How an attempt, or a wait, came to its end.
enum End {
    /// By itself.
    Outcome(Outcome),
    /// The next attempt is due.
    Next,
    /// The worker was told to stop.
    Stopped,
    /// The control plane wants a new login.
    Logout,
    /// A person wants a connection now.
    Anew,
    /// The pairing has ended without a login.
    Unpaired,
}

impl Connection {
    /// A loop that has not begun.
    #[must_use]
    pub fn new(ends: Ends) -> Self {
        let pairing = Pairing::new(ends.session.snapshot().login.is_some(), ends.pairing_timeout);
        ends.session.set_pairing(pairing.step());
        let (backoff, dialing) = (Backoff::new(ends.reconnect), DialTrouble::default());
        Self { ends, backoff, pairing, dialing, wired: None, died: 0, unstored: None }
    }

    /// Keeps the session connected until it is told to stop.
    ///
    /// # Errors
    /// [`WorkerError::Replaced`] when another client took the login, [`WorkerError::Deaf`] when a new
    /// process shall try.
    pub async fn run(mut self) -> Result<(), WorkerError> {
        let ended = self.keep().await;
        // One that was left between two connections; whoever leaves one ends its client.
        if let Some(wired) = self.wired.as_ref().filter(|wired| wired.is_usable())
            && timeout(GOODBYE, wired.client.disconnect()).await.is_err()
        {
            tracing::warn!("the WhatsApp client did not end in time");
        }
        ended
    }

    async fn keep(&mut self) -> Result<(), WorkerError> {
        while !self.ends.stop.is_cancelled() {
            let end = match self.pairing.ending().map(crate::pairing::Ending::detail) {
                Some(detail) => self.stay_unpaired(detail).await,
                None => self.attempt().await,
            };
            let end = match end {
                End::Outcome(outcome) => self.follow(outcome).await?,
                other => other,
            };
            match end {
                End::Stopped => break,
                End::Logout => {
                    self.forget_login("session.reset", "logged out by an operator");
                    self.backoff.reset();
                }
                End::Anew => {
                    self.keep_if_usable(false);
                    self.backoff.reset();
                }
                End::Unpaired => self.keep_if_usable(false),
                End::Next | End::Outcome(_) => {}
            }
        }
        Ok(())
    }

    /// Does what follows from how a connection ended.
    async fn follow(&mut self, outcome: Outcome) -> Result<End, WorkerError> {
        self.keep_if_usable(outcome.reached);
        if self.backoff.held(outcome.held) {
            self.healthy();
        }
        let verdict = outcome.verdict.unwrap_or_else(|| self.unexplained(outcome.held));
        Ok(match verdict.next(self.ends.reconnect.max) {
            Next::Again => {
                if let Some(wired) = &self.wired {
                    wired.save().await;
                }
                End::Next
            }
            Next::Restart if self.backoff.restart() => End::Next,
            Next::Restart => {
                let detail = "WhatsApp asks for a new connection again and again".to_owned();
                self.back_off(TroubleKind::Unreachable, detail, Duration::ZERO).await
            }
            Next::NewCodes => {
                let detail = "no code was scanned; new ones follow".to_owned();
                self.wait(detail, self.ends.reconnect.initial).await
            }
            Next::BackOff { kind, detail, at_least } => {
                if kind == TroubleKind::Storage {
                    // Its keys have gone on without the message.
                    self.drop_client();
                }
                self.back_off(kind, detail, at_least).await
            }
            Next::Heal(detail) => self.heal(detail).await?,
            Next::Stuck { trouble, retry } => {
                self.note("session.stuck", &trouble.detail);
                self.stay_stuck(trouble, retry).await
            }
            Next::StayLoggedOut(detail) => {
                self.forget_login("session.keys_deleted", &detail);
                self.stay_logged_out(detail).await
            }
            Next::Yield => {
                self.note("session.replaced", "another client took the login");
                return Err(WorkerError::Replaced);
            }
        })
    }

    /// Takes the next step of healing after a connection died.
    async fn heal(&mut self, detail: String) -> Result<End, WorkerError> {
        self.died = self.died.saturating_add(1);
        let restarted = self.ends.store.restarted_for_deafness().unwrap_or_else(|error| {
            tracing::error!(%error, "cannot tell what was done before");
            false
        });
        match liveness::remedy(self.died, restarted) {
            Remedy::Reconnect => {
                tracing::warn!(detail, "the connection died; another is made");
                self.note("session.stalled", &format!("{detail}; connecting again"));
                self.ends.session.enter(Phase::Connecting { earlier: Some(detail) });
                Ok(End::Next)
            }
            Remedy::Restart => {
                tracing::error!(detail, "connections die; the worker ends to be started anew");
                self.note("session.stalled", &format!("{detail}; starting a new process"));
                self.ends.store.set_restarted_for_deafness(true)?;
                Err(WorkerError::Deaf)
            }
            Remedy::Alert => Ok(self.stay_deaf(detail).await),
        }
    }

    /// A connection was healthy: what was done about deafness is forgotten.
    fn healthy(&mut self) {
        self.died = 0;
        let forget = || match self.ends.store.restarted_for_deafness()? {
            true => self.ends.store.set_restarted_for_deafness(false),
            false => Ok(()),
        };
        if let Err(error) = forget() {
            tracing::error!(%error, "cannot note that the session is healthy");
        }
    }

    /// Why an attempt ended of which the client said nothing.
    fn unexplained(&self, held: Duration) -> Verdict {
        if let Some(trouble) = self.dialing.take() {
            return Verdict::Lost(trouble);
        }
        let url = &self.ends.whatsapp.url;
        if held.is_zero() {
            return Verdict::Lost(format!(
                "{url} was reached, but the connection ended before the login was done; the log says more"
            ));
        }
        match self.ends.vitals.last_frame.at() {
            Some(frame) if frame.elapsed() < ASKED_FOR => Verdict::Restart,
            _ => Verdict::Lost(format!("the connection to WhatsApp at {url} was lost")),
        }
    }

    /// The client for the next attempt: the one there is, or one on what is stored, published. The error says what is
    /// the matter with what is stored.
    async fn take_client(&mut self) -> Result<Wired, String> {
        if let Some(wired) = self.wired.take() {
            return Ok(wired);
        }
        let ends = &self.ends;
        let (observer, news) = Observer::new(
            ends.session.clone(),
            Arc::clone(&ends.store),
            Arc::clone(&ends.acks),
            ends.vitals.clone(),
        );
        let (hook, keys) = (observer.clone(), observer.clone());
        let built = Wired::build(Parts {
            whatsapp: &ends.whatsapp,
            dir: &ends.dir,
            last_frame: ends.vitals.last_frame.clone(),
            trouble: self.dialing.clone(),
            observer,
            news,
            inbound: Inbound::new(Arc::clone(&ends.store), Box::new(move |why| hook.unstored(why))),
            alarm: Box::new(move |why| keys.unstored(why)),
        })
        .await
        .map_err(|error| {
            format!(
                "the login's database cannot be used ({error}); check the disk of the session's folder: its space, its health, and that this worker owns it (it is tried again by itself)"
            )
        })?;
        let login = keys::login(&built.client);
        if ends.session.snapshot().login != login {
            if let Err(error) = ends.store.set_login(login.as_deref()) {
                tracing::error!(%error, "cannot note the login");
            }
            let news = if login.is_some() { Input::Linked } else { Input::Unlinked };
            self.pairing.take(news, Instant::now());
            ends.session.set_pairing(self.pairing.step());
            ends.session.set_login(login);
        }
        ends.client.send_replace(Some(Arc::clone(&built.client)));
        Ok(built)
    }

    /// Keeps the client for the next attempt if it can make one. Without a login and without ever
    /// having reached WhatsApp there is nothing in it to keep, and what is stored may have been
    /// prepared anew meanwhile.
    fn keep_if_usable(&mut self, reached: bool) {
        let wanted = reached || self.ends.session.snapshot().login.is_some();
        if self.wired.as_ref().is_some_and(|it| !wanted || !it.is_usable()) {
            self.drop_client();
        }
    }

    fn drop_client(&mut self) {
        if let Some(wired) = self.wired.take() {
            wired.observer.mute();
            wired.client.signal_shutdown_sync();
        }
        self.ends.client.send_replace(None);
    }

    /// Deletes the login's keys, which are of no use any more.
    fn forget_login(&mut self, name: &str, detail: &str) {
        tracing::warn!(detail, "the login is gone; its keys are deleted");
        self.drop_client();
        if let Err(error) = delete_login(self.ends.dir.path()) {
            tracing::error!(%error, "cannot delete the login's keys");
        }
        if let Err(error) = self.ends.store.set_login(None) {
            tracing::error!(%error, "cannot note that the login is gone");
        }
        self.pairing.take(Input::Unlinked, Instant::now());
        self.ends.session.set_login(None);
        self.ends.session.set_pairing(self.pairing.step());
        self.note(name, detail);
    }

    /// What could not be stored, if there is still no room: that is tried with the event that tells of it.
    fn still_unstored(&mut self) -> Option<String> {
        let detail = self.unstored.take()?;
        match self.ends.store.note("store.failed", &detail, Utc::now()) {
            Ok(()) => None,
            Err(error) => {
                tracing::debug!(%error, "still no room");
                Some(detail)
            }
        }
    }

    fn note(&self, name: &str, detail: &str) {
        if let Err(error) = self.ends.store.note(name, detail, Utc::now()) {
            tracing::error!(%error, name, "cannot keep a note for the control plane");
        }
    }
}
