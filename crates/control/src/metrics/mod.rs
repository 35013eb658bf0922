//! What the control plane counts, and the page that Prometheus reads.
//!
//! No label is a tenant, a number or a text of a caller's: the number of series depends on the program alone.
//! What can be counted at the moment of the reading is counted then.

mod durations;
mod fleet;
pub mod http;
mod page;
pub mod process;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use store::{StatementKind, Store};

use crate::plane::ControlPlane;
use durations::Durations;
use fleet::FleetCount;
use http::HttpMetrics;
use page::{Page, Shape, number};

/// How long to wait for what only the store knows; without it the page goes without.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is counted.
#[derive(Default)]
pub struct Metrics {
    /// Requests.
    pub http: HttpMetrics,
    /// The store.
    pub store: Arc<StoreMetrics>,
    /// When each background task last came round.
    pub pulses: Pulses,
}

/// How long the store takes.
#[derive(Default)]
pub struct StoreMetrics {
    statements: [Durations; StatementKind::ALL.len()],
    failed: AtomicU64,
    /// Batches of workers' events, each one transaction.
    pub batches: Durations,
}

impl StoreMetrics {
    /// Has a store's statements counted.
    pub fn observe(self: &Arc<Self>, store: &mut Store) {
        let metrics = Arc::clone(self);
        store.observe_statements(move |kind, took, failed| {
            metrics.statements[kind as usize].observe(took);
            metrics.failed.fetch_add(u64::from(failed), Ordering::Relaxed);
        });
    }

    fn write(&self, page: &mut Page) {
        let help = "How long statements of the database took.";
        let mut family = page.family("tenantry_store_statement_seconds", Shape::Histogram, help);
        for kind in StatementKind::ALL {
            self.statements[kind as usize].write(&mut family, &[("kind", kind.as_str())]);
        }
        let help = "Statements of the database that failed.";
        let failed = number(self.failed.load(Ordering::Relaxed));
        page.single("tenantry_store_failures_total", Shape::Counter, help, failed);
        let help = "How long batches of workers' events took, with their commit.";
        let mut family = page.family("tenantry_store_batch_seconds", Shape::Histogram, help);
        self.batches.write(&mut family, &[]);
    }
}

/// When a background task last came round.
#[derive(Default)]
pub struct Pulse(Mutex<Option<Instant>>);

impl Pulse {
    /// It comes round now.
    pub fn beat(&self) {
        self.beat_at(Instant::now());
    }

    /// It came round at this moment.
    pub fn beat_at(&self, at: Instant) {
        *self.0.lock() = Some(at);
    }

    /// How long ago that was; none: it has not begun.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.0.lock().map(|at| at.elapsed())
    }
}

/// The background tasks that must come round again and again.
#[derive(Default)]
pub struct Pulses {
    /// The stale detector.
    pub detector: Pulse,
    /// The watch on the runtimes, which hands workers to the reconciler.
    pub watch: Pulse,
    /// Deadlines and forgetting.
    pub upkeep: Pulse,
}

/// The page.
pub async fn page(plane: &ControlPlane) -> String {
    let mut page = Page::default();
    let mut build = page.family("tenantry_build_info", Shape::Gauge, "The program's version.");
    build.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    FleetCount::of(&plane.fleet).write(&mut page);
    events(plane, &mut page);
    let waiting = tokio::time::timeout(PATIENCE, plane.store.waiting_messages()).await;
    if let Ok(Ok(waiting)) = waiting {
        let help = "Messages from outside that wait to be sent.";
        page.single("tenantry_outgoing_waiting", Shape::Gauge, help, number(waiting));
    }
    plane.metrics.store.write(&mut page);
    plane.metrics.http.write(&mut page);
    if let Some(free) = process::free_bytes(plane.settings.home.root()) {
        let help = "Bytes that are free on the disk of the home.";
        page.single("tenantry_home_free_bytes", Shape::Gauge, help, number(free));
    }
    process::write(&mut page);
    page.finish()
}

/// The event log, and what is counted as its events pass.
fn events(plane: &ControlPlane, page: &mut Page) {
    let log = plane.recorder.log();
    let numbers = log.numbers();
    let get = |counter: &AtomicU64| number(counter.load(Ordering::Relaxed));
    let size = |count: usize| number(u64::try_from(count).unwrap_or(u64::MAX));
    let mut messages = page.family(
        "tenantry_messages_total",
        Shape::Counter,
        "Messages that were taken into the log: come in, gone out, failed.",
    );
    messages.sample(&[("direction", "in")], get(&numbers.messages_in));
    messages.sample(&[("direction", "out")], get(&numbers.messages_out));
    messages.sample(&[("direction", "failed")], get(&numbers.messages_failed));
    let counters = [
        (
            "tenantry_worker_restarts_total",
            "Workers that died and were started again, or were restarted as stale.",
            &numbers.restarts,
        ),
        ("tenantry_events_written_total", "Events that the writer wrote.", &numbers.written),
        (
            "tenantry_events_lost_total",
            "Events that were lost because too many waited.",
            &numbers.lost,
        ),
        ("tenantry_event_commits_total", "Transactions of the writer of events.", &numbers.commits),
        (
            "tenantry_event_failures_total",
            "Transactions of the writer of events that failed.",
            &numbers.failures,
        ),
        (
            "tenantry_event_listeners_cut_total",
            "Listeners that were cut because they did not read.",
            &numbers.cut,
        ),
    ];
    for (name, help, counter) in counters {
        page.single(name, Shape::Counter, help, get(counter));
    }
    let gauges = [
        ("tenantry_events_waiting", "Events that wait to be written.", size(log.waiting())),
        ("tenantry_event_listeners", "Those who follow the event log.", size(log.listening())),
        (
            "tenantry_event_head",
            "The number of the newest event.",
            number(u64::try_from(log.head()).unwrap_or(0)),
        ),
    ];
    for (name, help, value) in gauges {
        page.single(name, Shape::Gauge, help, value);
    }
}
