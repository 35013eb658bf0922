//! Answers: one ordered task that takes what came in, binds an answer to it, and sends it.
//!
//! ```text
//! inbox row ──► rules ──(rate limit)──► outbox row with its id ──► send ──► acknowledged: done, told
//!                 │                           ▲                      │
//!                 └─► the webhook is asked    └── same id, later ◄───┘ connection lost, no
//!                     about it, and decides                            acknowledgement
//! ```
//!
//! What is decided about a message is stored together with the answer that is bound to it, so that a
//! crash finds both or neither.

mod ack;
mod content;
mod files;
mod plan;
mod preparing;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use whatsapp_rust::waproto::whatsapp::Message;
use whatsapp_rust::{Client, Jid, SendOptions};

pub use ack::{Ack, AckDesk};
pub(crate) use plan::number;

use crate::limits::{RateLimit, WINDOW_MS};
use crate::outside::Outside;
use crate::session::Snapshot;
use crate::settings::Settings;
use crate::store::{Answer, BotStore, Outgoing, Pending, Settlement, StoreError};
use files::FileError;
use plan::Plan;
use preparing::{BUSY, PREPARING, Prepared, Preparing};

/// How long WhatsApp may take to acknowledge a message.
const ACKNOWLEDGED: Duration = Duration::from_secs(15);

/// How often a message is tried on a working connection before it is given up.
const TRIES: u32 = 5;

/// The wait after the first failed try; it doubles with each.
const FIRST_RETRY: chrono::Duration = chrono::Duration::seconds(2);

/// The wait after the worker's database failed.
const AFTER_STORE_FAILURE: Duration = Duration::from_secs(5);

/// The longest time without a look at what is due.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// What the task works with.
pub struct Answers {
    /// The worker's database.
    pub store: Arc<BotStore>,
    /// The tenant's settings.
    pub settings: watch::Receiver<Settings>,
    /// Whether settings are still to come from a control plane: until then it is not known whether
    /// to answer.
    pub awaits_settings: bool,
    /// Fetches files that are sent.
    pub outside: Arc<Outside>,
    /// The tenant's own files that can be sent.
    pub media_dir: PathBuf,
    /// The session.
    pub session: watch::Receiver<Snapshot>,
    /// The client to send with.
    pub client: watch::Receiver<Option<Arc<Client>>>,
    /// Where acknowledgements arrive.
    pub acks: Arc<AckDesk>,
    /// Once it is cancelled nothing more is sent.
    pub stop: CancellationToken,
}

/// What to do next.
enum Step {
    /// Something was done; look again.
    Done,
    /// Nothing to do for so long, unless something happens.
    Wait(Duration),
}

/// How a try to send came out.
#[derive(Debug, PartialEq, Eq)]
enum Sent {
    /// WhatsApp has the message.
    Taken,
    /// WhatsApp refuses it.
    Refused(String),
    /// It failed on a working connection.
    Failed(String),
    /// The connection was lost: this was no try.
    Interrupted,
}

impl From<FileError> for Sent {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Impossible(why) => Self::Refused(why),
            FileError::Failed(why) => Self::Failed(why),
            FileError::Interrupted => Self::Interrupted,
        }
    }
}

impl Answers {
    /// Answers, without end.
    pub async fn run(mut self) {
        let mut limit = self.earlier_sends();
        let mut preparing = Preparing::default();
        let mut swept: Option<Instant> = None;
        loop {
            if swept.is_none_or(|at| at.elapsed() >= LONGEST_WAIT) {
                swept = Some(Instant::now());
                if let Err(error) = self.store.forget_old(Utc::now()) {
                    tracing::error!(%error, "cannot forget what was answered long ago");
                }
            }
            let wait = match self.step(&mut limit, &mut preparing).await {
                Ok(Step::Done) => continue,
                Ok(Step::Wait(wait)) => wait,
                Err(error) => {
                    tracing::error!(%error, "cannot work on the answers");
                    sleep(AFTER_STORE_FAILURE).await;
                    continue;
                }
            };
            let store = Arc::clone(&self.store);
            tokio::select! {
                () = sleep(wait) => {}
                () = store.message_came() => {}
                Some(answer) = preparing.next() => {
                    if let Err(error) = store.postpone(answer, Utc::now()) {
                        tracing::error!(%error, "an answer waits longer than it takes to prepare");
                    }
                }
                // An error means that the worker is ending, and this task with it.
                changed = self.session.changed() => if changed.is_err() { return },
                changed = self.settings.changed() => if changed.is_err() { return },
            }
        }
    }

    fn earlier_sends(&self) -> RateLimit {
        let since = Utc::now() - chrono::Duration::milliseconds(WINDOW_MS);
        match self.store.tried_since(since) {
            Ok(sent) => RateLimit::with_history(sent),
            Err(error) => {
                tracing::error!(%error, "cannot read when answers were sent last");
                RateLimit::default()
            }
        }
    }

    async fn step(
        &mut self,
        limit: &mut RateLimit,
        preparing: &mut Preparing,
    ) -> Result<Step, StoreError> {
        let client = self.client.borrow().clone();
        let connected = self.session.borrow_and_update().is_connected();
        let settings = self.settings.borrow_and_update().clone();
        let Some(client) = client.filter(|_| connected) else {
            return Ok(Step::Wait(LONGEST_WAIT));
        };
        let now = Utc::now();
        let outgoing = match self.store.next_outgoing(now)? {
            Some(answer) if !answer.from_outside => answer,
            // Who has written is answered, and may opt out, before anybody is written to from outside.
            other => match (self.bind_next(&client, &settings, limit)?, other) {
                (Step::Wait(_), Some(from_outside)) => from_outside,
                (step, _) => return Ok(step),
            },
        };
        let max = settings.wire.rate_limit_max_per_minute;
        let wait = limit.wait_ms(now.timestamp_millis(), max);
        if wait > 0 {
            return Ok(Step::Wait(Duration::from_millis(wait)));
        }
        let message = match self.message(&client, &outgoing, preparing, now)? {
            None => return Ok(Step::Done),
            Some(Ok(message)) => message,
            Some(Err(error)) => {
                self.settle(&outgoing, error.into())?;
                return Ok(Step::Done);
            }
        };
        let acks = Arc::clone(&self.acks);
        let _under_way = acks.under_way().await;
        if self.stop.is_cancelled() {
            return Ok(Step::Wait(LONGEST_WAIT));
        }
        limit.note(now.timestamp_millis());
        self.store.trying(&outgoing, now)?;
        let sent = self.send(&client, &outgoing, message).await;
        self.settle(&outgoing, sent)?;
        Ok(Step::Done)
    }

    /// What is sent; `None`: it is being prepared, and the answer waits for it.
    fn message(
        &self,
        client: &Arc<Client>,
        outgoing: &Outgoing,
        preparing: &mut Preparing,
        now: DateTime<Utc>,
    ) -> Result<Option<Prepared>, StoreError> {
        let Some(media) = &outgoing.media else {
            return Ok(Some(Ok(outgoing.shape.text(&outgoing.chat, &outgoing.text))));
        };
        if let Some(prepared) = preparing.take(outgoing.seq) {
            return Ok(Some(prepared.map(|message| outgoing.shape.file(message))));
        }
        let work = content::prepared(
            Arc::clone(client),
            media.clone(),
            outgoing.text.clone(),
            Arc::clone(&self.outside),
            self.media_dir.clone(),
        );
        let wait = if preparing.begin(outgoing.seq, work) { PREPARING } else { BUSY };
        self.store.postpone(outgoing.seq, now + wait)?;
        Ok(None)
    }

    /// Decides about the oldest message that waits, and binds an answer to it.
    fn bind_next(
        &self,
        client: &Client,
        settings: &Settings,
        limit: &mut RateLimit,
    ) -> Result<Step, StoreError> {
        let now = Utc::now();
        let until_due = self.store.next_due()?.map_or(LONGEST_WAIT, |due| {
            (due - now).to_std().unwrap_or_default().clamp(Duration::from_millis(1), LONGEST_WAIT)
        });
        let Some(pending) = self.store.next_pending()? else {
            return Ok(Step::Wait(until_due));
        };
        let Some(plan) = self.plan(&pending, settings, now)? else {
            if settings.wire.version == 0 && self.awaits_settings {
                return Ok(Step::Wait(until_due));
            }
            self.store.pass_over(&pending)?;
            return Ok(Step::Done);
        };
        // Bound only when it can be sent, so that what is sent is what is set by then.
        if plan.send.is_some() {
            let max = settings.wire.rate_limit_max_per_minute;
            let wait = limit.wait_ms(now.timestamp_millis(), max);
            if wait > 0 {
                return Ok(Step::Wait(until_due.min(Duration::from_millis(wait))));
            }
        }
        tracing::info!(id = pending.message_id, rule = plan.rule, "decided about a message");
        let answer = plan.send.map(|(text, media)| Answer {
            message_id: client.generate_message_id(),
            text,
            media,
        });
        let settlement = Settlement { answer, change: plan.change, note: plan.note, ask: plan.ask };
        self.store.settle(&pending, &settlement, now)?;
        Ok(Step::Done)
    }

    /// What is done with a message; `None` when nothing is set to decide it.
    fn plan(
        &self,
        pending: &Pending,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Result<Option<Plan>, StoreError> {
        if let Some(answer) = self.store.webhook_answer(pending)? {
            return Ok(Some(plan::by_webhook(&answer, &pending.chat, now)));
        }
        let Some(rules) = &settings.rules else { return Ok(None) };
        let standing = self.store.standing(pending)?;
        Ok(Some(plan::by_rules(rules, &settings.wire.business, pending, standing, now)))
    }

    async fn send(&mut self, client: &Arc<Client>, outgoing: &Outgoing, message: Message) -> Sent {
        let Ok(chat) = outgoing.chat.parse::<Jid>() else {
            return Sent::Refused("the chat's address cannot be read".to_owned());
        };
        let acknowledged = self.acks.expect(&outgoing.message_id);
        let options = SendOptions::default().with_message_id(outgoing.message_id.clone());
        let work = async {
            let sending = client.send_message_with_options(chat, message, options);
            match timeout(ACKNOWLEDGED, sending).await {
                Err(_) => return Sent::Failed("sending took too long".to_owned()),
                Ok(Err(error)) => return Sent::Failed(error.to_string()),
                Ok(Ok(_)) => {}
            }
            match timeout(ACKNOWLEDGED, acknowledged).await {
                Ok(Ok(Ack::Taken)) => Sent::Taken,
                Ok(Ok(Ack::Refused(code))) => Sent::Refused(format!("WhatsApp answers {code}")),
                Ok(Err(_)) | Err(_) => Sent::Failed("WhatsApp did not acknowledge it".to_owned()),
            }
        };
        let session = &mut self.session;
        let sent = tokio::select! {
            biased;
            sent = work => sent,
            // An error means that the worker is ending.
            _ = session.wait_for(|now| !now.is_connected()) => Sent::Interrupted,
        };
        match sent {
            Sent::Failed(_) if !client.is_connected() => Sent::Interrupted,
            sent => sent,
        }
    }

    fn settle(&self, outgoing: &Outgoing, sent: Sent) -> Result<(), StoreError> {
        let now = Utc::now();
        let id = &outgoing.message_id;
        match sent {
            Sent::Taken => {
                tracing::info!(%id, "answered");
                self.store.sent(outgoing, now)
            }
            Sent::Interrupted => {
                tracing::info!(%id, "the connection went while answering; it goes out again");
                self.store.postpone(outgoing.seq, now + chrono::Duration::seconds(1))
            }
            Sent::Failed(why) if outgoing.tries + 1 < TRIES => {
                tracing::warn!(%id, why, "an answer was not sent; it is tried again");
                self.store.retry(outgoing, now + FIRST_RETRY * (1 << outgoing.tries.min(8)))
            }
            Sent::Failed(why) | Sent::Refused(why) => {
                tracing::error!(%id, why, "an answer is given up");
                self.store.give_up(outgoing, &why, now)
            }
        }
    }
}
