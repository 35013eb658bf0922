//! The one loop that connects to WhatsApp: an attempt, what it came to, what follows.

mod client;
mod keys;
mod observer;
mod transport;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use whatsapp_rust::Client;

use crate::answers::AckDesk;
use crate::backoff::{Backoff, Policy, Standing, Wait};
use crate::contract::WhatsApp;
use crate::error::WorkerError;
use crate::inbound::Inbound;
use crate::session::{LastFrame, Phase, Session};
use crate::session_dir::SessionDir;
use crate::store::BotStore;
use client::{Parts, Wired};
use observer::{Observer, Outcome};
use transport::Trouble;
use verdict::{Next, Verdict};

/// How long a client may take to say goodbye when the worker ends.
const GOODBYE: Duration = Duration::from_millis(450);

/// How long the worker's end waits for the acknowledgement of a message that is under way.
const UNDER_WAY: Duration = Duration::from_millis(250);

/// How long telling WhatsApp of a logout may take; the keys are deleted whether it heard or not.
const LOGOUT: Duration = Duration::from_secs(5);

/// What the control plane wants of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Log out, delete the keys, show a new code.
    Logout,
}

/// What the loop works with.
pub struct Connection {
    /// Where to connect to.
    pub whatsapp: WhatsApp,
    /// The pace of new attempts.
    pub reconnect: Policy,
    /// Where the login is.
    pub dir: SessionDir,
    /// The worker's database.
    pub store: Arc<BotStore>,
    /// Where the phases are published.
    pub session: Session,
    /// Where frames are noted.
    pub last_frame: LastFrame,
    /// Where WhatsApp's acknowledgements go.
    pub acks: Arc<AckDesk>,
    /// Where the present client is published for those who send.
    pub client: watch::Sender<Option<Arc<Client>>>,
    /// What the control plane wants.
    pub orders: mpsc::Receiver<Order>,
    /// Ends the loop.
    pub stop: CancellationToken,
}

/// How an attempt, or a wait, came to its end.
enum End {
    /// By itself.
    Outcome(Outcome),
    /// The worker was told to stop.
    Stopped,
    /// The control plane wants a new login.
    Ordered,
}

impl Connection {
    /// Keeps the session connected until it is told to stop.
    ///
    /// # Errors
    /// [`WorkerError::Replaced`] when another client took the login.
    pub async fn run(mut self) -> Result<(), WorkerError> {
        let mut backoff = Backoff::new(self.reconnect);
        let trouble = Trouble::default();
        let mut wired: Option<Wired> = None;
        while !self.stop.is_cancelled() {
            let end = self.attempt(&mut wired, &trouble).await;
            let outcome = match end {
                End::Stopped => return Ok(()),
                End::Ordered => {
                    self.forget_login(&mut wired, "session.reset", "logged out by an operator");
                    backoff = Backoff::new(self.reconnect);
                    continue;
                }
                End::Outcome(outcome) => outcome,
            };
            self.keep_if_usable(&mut wired, outcome.reached);
            backoff.held(outcome.held);
            let verdict =
                outcome.verdict.unwrap_or_else(|| self.unexplained(&trouble, outcome.held));
            let end = match verdict.next(self.reconnect.max) {
                Next::Again => {
                    if let Some(wired) = &wired {
                        wired.save().await;
                    }
                    continue;
                }
                Next::NewCodes => {
                    let detail = "no code was scanned; new ones follow".to_owned();
                    self.wait(detail, self.reconnect.initial).await
                }
                Next::BackOff { detail, at_least } => {
                    let wait = backoff.failed(rand::random());
                    self.back_off(detail, Wait { delay: wait.delay.max(at_least), ..wait }).await
                }
                Next::StayLoggedOut(detail) => {
                    self.forget_login(&mut wired, "session.keys_deleted", &detail);
                    self.stay_logged_out(detail).await
                }
                Next::Yield => {
                    self.note("session.replaced", "another client took the login");
                    goodbye(wired).await;
                    return Err(WorkerError::Replaced);
                }
            };
            match end {
                End::Stopped => {
                    goodbye(wired).await;
                    return Ok(());
                }
                End::Ordered => {
                    self.forget_login(&mut wired, "session.reset", "logged out by an operator");
                    backoff = Backoff::new(self.reconnect);
                }
                End::Outcome(_) => {}
            }
        }
        Ok(())
    }

    /// Makes one connection and follows it to its end.
    async fn attempt(&mut self, wired: &mut Option<Wired>, trouble: &Trouble) -> End {
        let built = match wired {
            Some(wired) => wired,
            None => match self.build(trouble).await {
                Ok(built) => wired.insert(built),
                Err(detail) => {
                    let verdict = Some(Verdict::Lost(detail));
                    let held = Duration::ZERO;
                    return End::Outcome(Outcome { verdict, held, reached: false });
                }
            },
        };
        let client = Arc::clone(&built.client);
        // What went wrong before is not what may go wrong now.
        trouble.take();
        let mut running = built.connect();
        let end = tokio::select! {
            biased;
            () = self.stop.cancelled() => End::Stopped,
            Some(Order::Logout) = self.orders.recv() => End::Ordered,
            ended = &mut running => {
                if let Err(error) = ended {
                    tracing::error!(%error, "the WhatsApp client failed");
                }
                return End::Outcome(built.observer.take());
            }
        };
        match end {
            End::Ordered => {
                // What the logout makes the client say is not news.
                built.observer.mute();
                self.session.enter(Phase::Connecting { earlier: None });
                if self.session.snapshot().login.is_some() {
                    self.log_out(&client).await;
                }
            }
            End::Stopped | End::Outcome(_) => {
                // Not acknowledged in time: it is sent again, under its id, at the next start.
                let _ = timeout(UNDER_WAY, self.acks.under_way()).await;
            }
        }
        hang_up(&client, running).await;
        end
    }

    /// Tells WhatsApp that the login ends.
    async fn log_out(&self, client: &Arc<Client>) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            done = timeout(LOGOUT, client.logout()) => if done.is_err() {
                tracing::warn!("WhatsApp did not confirm the logout in time");
            }
        }
    }

    /// Builds a client on what is stored, and publishes it.
    async fn build(&self, trouble: &Trouble) -> Result<Wired, String> {
        let observer =
            Observer::new(self.session.clone(), Arc::clone(&self.store), Arc::clone(&self.acks));
        let built = Wired::build(Parts {
            whatsapp: &self.whatsapp,
            dir: &self.dir,
            last_frame: self.last_frame.clone(),
            trouble: trouble.clone(),
            observer,
            inbound: Inbound::new(Arc::clone(&self.store)),
        })
        .await?;
        let login = keys::login(&built.client);
        if self.session.snapshot().login != login {
            if let Err(error) = self.store.set_login(login.as_deref()) {
                tracing::error!(%error, "cannot note the login");
            }
            self.session.set_login(login);
        }
        self.client.send_replace(Some(Arc::clone(&built.client)));
        Ok(built)
    }

    /// Keeps the client for the next attempt if it can make one. Without a login and without ever
    /// having reached WhatsApp there is nothing in it to keep, and what is stored may have been
    /// prepared anew meanwhile.
    fn keep_if_usable(&self, wired: &mut Option<Wired>, reached: bool) {
        let wanted = reached || self.session.snapshot().login.is_some();
        if wired.as_ref().is_some_and(|it| !wanted || !it.is_usable()) {
            self.drop_client(wired);
        }
    }

    fn drop_client(&self, wired: &mut Option<Wired>) {
        if let Some(wired) = wired.take() {
            wired.observer.mute();
            wired.client.signal_shutdown_sync();
        }
        self.client.send_replace(None);
    }

    /// Why an attempt failed of which the client said nothing.
    fn unexplained(&self, trouble: &Trouble, held: Duration) -> Verdict {
        Verdict::Lost(trouble.take().unwrap_or_else(|| {
            if !held.is_zero() {
                return format!("the connection to WhatsApp at {} was lost", self.whatsapp.url);
            }
            format!(
                "{} was reached, but the connection ended before the login was done; the log says more",
                self.whatsapp.url
            )
        }))
    }

    /// Waits after a failure, and tells it loudly when it is one too many.
    async fn back_off(&mut self, detail: String, wait: Wait) -> End {
        let Wait { delay, failures, standing } = wait;
        let told = match standing {
            Standing::Within => detail,
            Standing::Reached | Standing::Beyond => format!(
                "WhatsApp was not reached in {failures} attempts in a row; check this machine's network; the worker keeps trying; last: {detail}"
            ),
        };
        match standing {
            Standing::Within | Standing::Beyond => {
                tracing::warn!(detail = told, delay_ms = delay.as_millis(), "will connect again");
            }
            Standing::Reached => {
                tracing::error!(detail = told, "WhatsApp is out of reach");
                self.note("session.unreachable", &told);
            }
        }
        self.wait(told, delay).await
    }

    /// Waits for the time of the next attempt.
    async fn wait(&mut self, detail: String, delay: Duration) -> End {
        let until = Instant::now() + delay;
        let retry_at = Utc::now() + chrono::Duration::from_std(delay).unwrap_or_default();
        self.session.enter(Phase::Waiting { detail: detail.clone(), retry_at });
        let end = tokio::select! {
            biased;
            () = self.stop.cancelled() => return End::Stopped,
            Some(Order::Logout) = self.orders.recv() => End::Ordered,
            () = sleep_until(until) => {
                let held = Duration::ZERO;
                End::Outcome(Outcome { verdict: None, held, reached: false })
            }
        };
        let earlier = matches!(end, End::Outcome(_)).then_some(detail);
        self.session.enter(Phase::Connecting { earlier });
        end
    }

    /// Waits for an operator: a login that was ended is not tried again.
    async fn stay_logged_out(&mut self, detail: String) -> End {
        self.session.enter(Phase::LoggedOut { detail });
        tokio::select! {
            biased;
            () = self.stop.cancelled() => End::Stopped,
            Some(Order::Logout) = self.orders.recv() => {
                self.session.enter(Phase::Connecting { earlier: None });
                End::Ordered
            }
        }
    }

    /// Deletes the login's keys, which are of no use any more.
    fn forget_login(&self, wired: &mut Option<Wired>, name: &str, detail: &str) {
        tracing::warn!(detail, "the login is gone; its keys are deleted");
        self.drop_client(wired);
        if let Err(error) = keys::delete(&self.dir) {
            tracing::error!(%error, "cannot delete the login's keys");
        }
        if let Err(error) = self.store.set_login(None) {
            tracing::error!(%error, "cannot note that the login is gone");
        }
        self.session.set_login(None);
        self.note(name, detail);
    }

    fn note(&self, name: &str, detail: &str) {
        if let Err(error) = self.store.note(name, detail, Utc::now()) {
            tracing::error!(%error, name, "cannot keep a note for the control plane");
        }
    }
}

/// Ends a client that makes no connection.
async fn goodbye(wired: Option<Wired>) {
    if let Some(wired) = wired
        && timeout(GOODBYE, wired.client.disconnect()).await.is_err()
    {
        tracing::warn!("the WhatsApp client did not end in time");
    }
}

/// Ends a client and its connection; a connection that does not end in time is cut.
async fn hang_up(client: &Arc<Client>, mut running: AbortOnDropHandle<()>) {
    let done = timeout(GOODBYE, async {
        client.disconnect().await;
        // Its failure, if any, is of no interest any more.
        let _ = (&mut running).await;
    });
    if done.await.is_err() {
        tracing::warn!("the WhatsApp client did not end in time; its connection is cut");
    }
    running.abort();
}
