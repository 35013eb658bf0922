//! Answers: one task that takes what came in, binds an answer to it, and sends it; in order within a
//! chat, several chats at once.
//!
//! ```text
//! inbox row ──► rules ──(limits)──► outbox row with its id ──► typing ──► send ──► acknowledged
//!                 │                       ▲                                 │      or a receipt:
//!                 └─► the webhook is      └── same id, later ◄──────────────┘      sent, told
//!                     asked, and decides      connection lost, no acknowledgement, 429
//! ```
//!
//! What is decided about a message is stored together with the answer that is bound to it, so that a
//! crash finds both or neither.

mod ack;
mod content;
mod files;
mod plan;
mod settle;
mod slots;
mod way;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use whatsapp_rust::Client;

pub use ack::AckDesk;

use crate::outside::Outside;
use crate::pacing::{DAY_MS, Pacer, Slowdown};
use crate::session::Snapshot;
use crate::settings::Settings;
use crate::store::{Answer, BotStore, Outgoing, Pending, Settlement, StoreError};
use plan::Plan;
use slots::Slots;
use way::Way;

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

/// One look at what is to be done.
struct Look {
    client: Arc<Client>,
    settings: Settings,
    now: DateTime<Utc>,
    /// For how long nothing goes out, whatever it is.
    gate_ms: u64,
    /// For how long there is nothing to do, as far as was seen.
    wait: Duration,
}

impl Look {
    fn after_ms(&mut self, ms: u64) {
        self.wait = self.wait.min(Duration::from_millis(ms.max(1)));
    }
}

impl Answers {
    /// Answers, without end.
    pub async fn run(mut self) {
        let mut pacer = self.remembered();
        let mut slots = Slots::default();
        let mut swept: Option<Instant> = None;
        loop {
            if swept.is_none_or(|at| at.elapsed() >= LONGEST_WAIT) {
                swept = Some(Instant::now());
                if let Err(error) = self.store.forget_old(Utc::now()) {
                    tracing::error!(%error, "cannot forget what was answered long ago");
                }
            }
            let wait = match self.step(&mut pacer, &mut slots) {
                Ok(Step::Done) => {
                    // What was begun gets on its way before the next is looked for.
                    tokio::select! {
                        biased;
                        Some(arrived) = slots.next() => self.arrived(arrived, &mut pacer),
                        () = std::future::ready(()) => {}
                    }
                    continue;
                }
                Ok(Step::Wait(wait)) => wait,
                Err(error) => {
                    tracing::error!(%error, "cannot work on the answers");
                    AFTER_STORE_FAILURE
                }
            };
            let store = Arc::clone(&self.store);
            tokio::select! {
                Some(arrived) = slots.next() => self.arrived(arrived, &mut pacer),
                () = sleep(wait) => {}
                () = store.message_came() => {}
                // An error means that the worker is ending, and this task with it.
                changed = self.session.changed() => if changed.is_err() { return },
                changed = self.settings.changed() => if changed.is_err() { return },
            }
        }
    }

    fn remembered(&self) -> Pacer {
        let since = Utc::now() - chrono::Duration::milliseconds(DAY_MS);
        let tried = self.store.tried_since(since).unwrap_or_else(|error| {
            tracing::error!(%error, "cannot read when messages were sent last");
            Vec::new()
        });
        let slowdown = self.store.slowdown().unwrap_or_else(|error| {
            tracing::error!(%error, "cannot read how slow to go");
            Slowdown::default()
        });
        Pacer::with_history(tried, slowdown)
    }

    fn step(&mut self, pacer: &mut Pacer, slots: &mut Slots) -> Result<Step, StoreError> {
        let client = self.client.borrow().clone();
        let connected = self.session.borrow_and_update().is_connected();
        let settings = self.settings.borrow_and_update().clone();
        let Some(client) = client.filter(|_| connected && !self.stop.is_cancelled()) else {
            return Ok(Step::Wait(LONGEST_WAIT));
        };
        let now = Utc::now();
        let gate_ms = pacer.gate_ms(now, &settings.pace);
        let wait = self.store.next_due(now)?.map_or(LONGEST_WAIT, |due| {
            (due - now).to_std().unwrap_or_default().clamp(Duration::from_millis(1), LONGEST_WAIT)
        });
        let mut look = Look { client, settings, now, gate_ms, wait };
        let due = self.store.due(now)?;
        let (outside, answers): (Vec<_>, Vec<_>) = due.into_iter().partition(|it| it.from_outside);
        // Who has written is answered, and may opt out, before anybody is written to from outside.
        if self.send_one(answers, &mut look, pacer, slots)?
            || self.bind_one(&mut look, pacer, slots)?
            || self.send_one(outside, &mut look, pacer, slots)?
        {
            return Ok(Step::Done);
        }
        Ok(Step::Wait(look.wait))
    }

    /// Lets the first message go that may.
    fn send_one(
        &self,
        due: Vec<Outgoing>,
        look: &mut Look,
        pacer: &mut Pacer,
        slots: &mut Slots,
    ) -> Result<bool, StoreError> {
        for outgoing in due {
            if slots.holds(&outgoing.chat) || !slots.is_free(outgoing.media.is_some()) {
                continue;
            }
            if look.gate_ms > 0 {
                look.after_ms(look.gate_ms);
                break;
            }
            let wait = self.limited(&outgoing, look, pacer)?;
            if wait > 0 {
                look.after_ms(wait);
                continue;
            }
            self.store.trying(&outgoing, look.now)?;
            self.launch(outgoing, look, pacer, slots);
            return Ok(true);
        }
        Ok(false)
    }

    /// How many milliseconds a bound message waits for its contact's limit or the strangers'. What was
    /// tried before has had its turn.
    fn limited(
        &self,
        outgoing: &Outgoing,
        look: &Look,
        pacer: &mut Pacer,
    ) -> Result<u64, StoreError> {
        if !outgoing.fresh {
            return Ok(0);
        }
        let (now, pace) = (look.now, &look.settings.pace);
        let contact = pacer.contact_ms(&outgoing.chat, now, pace);
        if contact > 0 {
            self.tell("contact.limited", pacer.tell_contact(&outgoing.chat, now, pace), now)?;
            return Ok(contact);
        }
        if !outgoing.cold {
            return Ok(0);
        }
        let wait = pacer.cold_ms(now, self.store.paired_at()?, pace);
        if wait > 0 {
            self.tell("pacing.cold_waits", pacer.tell_cold(wait, now), now)?;
        }
        Ok(wait)
    }

    /// Decides about the oldest message that waits and may be answered, and binds an answer to it.
    fn bind_one(
        &self,
        look: &mut Look,
        pacer: &mut Pacer,
        slots: &mut Slots,
    ) -> Result<bool, StoreError> {
        let (now, mut after) = (look.now, 0);
        while let Some(pending) = self.store.pending_after(after)? {
            after = pending.seq;
            let Some(plan) = self.plan(&pending, &look.settings, now)? else {
                if look.settings.wire.version == 0 && self.awaits_settings {
                    return Ok(false);
                }
                self.store.pass_over(&pending)?;
                return Ok(true);
            };
            // Bound only when it can be sent, so that what is sent is what is set by then.
            if let Some((_, media)) = &plan.send {
                if slots.holds(&pending.chat) || !slots.is_free(media.is_some()) {
                    continue;
                }
                let pace = &look.settings.pace;
                let gate = look.gate_ms.max(pacer.reply_ms(now, pace));
                if gate > 0 {
                    look.after_ms(gate);
                    return Ok(false);
                }
                let wait = pacer.contact_ms(&pending.chat, now, pace);
                if wait > 0 {
                    let told = pacer.tell_contact(&pending.chat, now, pace);
                    self.tell("contact.limited", told, now)?;
                    if pace.suppresses() {
                        self.store.pass_over(&pending)?;
                        return Ok(true);
                    }
                    look.after_ms(wait);
                    continue;
                }
            }
            self.bind(&pending, plan, look, pacer, slots)?;
            return Ok(true);
        }
        Ok(false)
    }

    fn bind(
        &self,
        pending: &Pending,
        plan: Plan,
        look: &Look,
        pacer: &mut Pacer,
        slots: &mut Slots,
    ) -> Result<(), StoreError> {
        tracing::info!(id = pending.message_id, rule = plan.rule, "decided about a message");
        let answer = plan.send.map(|(text, media)| Answer {
            message_id: look.client.generate_message_id(),
            text,
            media,
        });
        let settlement = Settlement { answer, change: plan.change, note: plan.note, ask: plan.ask };
        if let Some(outgoing) = self.store.settle(pending, &settlement, look.now)? {
            self.launch(outgoing, look, pacer, slots);
        }
        Ok(())
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

    fn launch(&self, outgoing: Outgoing, look: &Look, pacer: &mut Pacer, slots: &mut Slots) {
        pacer.note(&outgoing.chat, outgoing.cold, look.now);
        // A message that is sent again was typed already.
        let first = outgoing.tries == 0 && outgoing.shape.reaction.is_none();
        let typing = if first { look.settings.pace.typing(&outgoing.text) } else { Duration::ZERO };
        let way = Way {
            client: Arc::clone(&look.client),
            acks: Arc::clone(&self.acks),
            session: self.session.clone(),
            outside: Arc::clone(&self.outside),
            media_dir: self.media_dir.clone(),
            stop: self.stop.clone(),
            typing,
        };
        slots.start(&outgoing.clone(), Box::pin(way.go(outgoing)));
    }

    fn tell(&self, name: &str, told: Option<String>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let Some(detail) = told else { return Ok(()) };
        tracing::warn!(detail, "a limit is reached");
        self.store.note(name, &detail, now)
    }
}
