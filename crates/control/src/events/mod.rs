//! The event log: what happens is published here, written by one writer, and followed by listeners.
//!
//! ```text
//!  publish ─► queue ─► writer ── one transaction ──► store ─┐ committed
//!  worker link ─────── its own transaction ───────► store ─┤
//!                                                  tail, head ◄─┘ wakes ─► listeners read from the tail, or the store
//! ```
//!
//! The store gives the numbers, under a lock that lasts until they are committed ([`Store::append_events`]); so a
//! listener that goes by number misses nothing and sees nothing twice, whichever of the two it reads from.
//!
//! [`Store::append_events`]: store::Store::append_events

mod listeners;
mod queue;
pub mod retention;
mod tail;
pub mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use api::TenantId;
use api::events::EventView;
use parking_lot::Mutex;
use store::NewEvent;
use tokio::sync::{Notify, watch};

use crate::places::Places;
pub use listeners::{Listening, follow};
use queue::{Bounds, Queue};
use tail::Tail;

/// What may wait for the database: at 20 events a second, which is what 10,000 tenants have on a busy day, over an hour.
const BOUNDS: Bounds = Bounds { events: 100_000, bytes: 64 * 1024 * 1024 };
/// Events that are kept in memory for those who follow.
const TAIL: usize = 4096;

/// The control plane's side of the event log.
pub struct EventLog {
    queue: Mutex<Queue>,
    /// Rung when something waits to be written.
    waiting: Notify,
    tail: Mutex<Tail>,
    /// The newest number that is known to be committed.
    head: watch::Sender<i64>,
    listeners: Arc<Places>,
    numbers: Numbers,
    health: Mutex<Result<(), String>>,
}

/// What was counted since the start.
#[derive(Default)]
pub struct Numbers {
    /// Events that were written by the writer.
    pub written: AtomicU64,
    /// Events that were lost.
    pub lost: AtomicU64,
    /// Transactions of the writer.
    pub commits: AtomicU64,
    /// Transactions of the writer that failed.
    pub failures: AtomicU64,
    /// Listeners that were cut because they did not read.
    pub cut: AtomicU64,
    /// Messages that came in.
    pub messages_in: AtomicU64,
    /// Messages that went out.
    pub messages_out: AtomicU64,
    /// Messages that failed.
    pub messages_failed: AtomicU64,
    /// Workers that died and were started again, or were restarted as stale.
    pub restarts: AtomicU64,
}

impl Default for EventLog {
    fn default() -> Self {
        Self {
            queue: Mutex::new(Queue::new(BOUNDS)),
            waiting: Notify::new(),
            tail: Mutex::new(Tail::new(TAIL)),
            head: watch::Sender::new(0),
            listeners: listeners::places(),
            numbers: Numbers::default(),
            health: Mutex::new(Ok(())),
        }
    }
}

impl EventLog {
    /// Takes an event in. It never waits: the event is written soon, together with those that come meanwhile.
    pub fn publish(&self, event: NewEvent) {
        if !self.queue.lock().push(event) && self.numbers.lost.fetch_add(1, Ordering::Relaxed) == 0
        {
            tracing::error!("events are being lost: more wait to be written than are kept");
        }
        self.waiting.notify_one();
    }

    /// Tells listeners of events that are committed.
    pub fn committed(&self, events: Vec<EventView>) {
        let Some(last) = events.last().map(|event| event.seq) else { return };
        for event in &events {
            self.count(event);
        }
        self.tail.lock().add(events);
        self.advance(last);
    }

    /// The log is known to go up to this number.
    fn advance(&self, to: i64) {
        self.head.send_if_modified(|head| {
            let further = to > *head;
            *head = to.max(*head);
            further
        });
    }

    fn count(&self, event: &EventView) {
        let counter = match event.kind.as_str() {
            "message.in" => &self.numbers.messages_in,
            "message.out" => &self.numbers.messages_out,
            "message.failed" => &self.numbers.messages_failed,
            "worker.died" | "worker.restarted" => &self.numbers.restarts,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The newest number that is known to be committed.
    #[must_use]
    pub fn head(&self) -> i64 {
        *self.head.borrow()
    }

    /// The same, to be waited for.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }

    fn run_after(&self, after: i64, most: usize) -> Vec<Arc<EventView>> {
        self.tail.lock().run_after(after, most)
    }

    /// How many events wait to be written.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.lock().len()
    }

    /// How many listeners follow.
    #[must_use]
    pub fn listening(&self) -> usize {
        self.listeners.taken()
    }

    /// What was counted.
    #[must_use]
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// Whether events are written as they come.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn health(&self) -> Result<(), String> {
        if self.queue.lock().overflows() {
            return Err("events are being lost: more wait to be written than are kept".to_owned());
        }
        self.health.lock().clone()
    }

    /// A place for one more listener of a tenant's events, or of all.
    ///
    /// # Errors
    /// How many there may be, when there are so many already.
    pub fn listen(self: &Arc<Self>, tenant: Option<TenantId>) -> Result<Listening, usize> {
        listeners::enter(self, tenant)
    }
}
