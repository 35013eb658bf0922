//! The fleet in numbers, counted at the moment when they are asked for: nothing has to be kept in step with it.

use std::collections::BTreeMap;
use std::time::Duration;

use api::session::SessionState;
use api::tenant::TenantStatus;
use api::worker::WorkerStatus;

use super::page::{Page, Shape, number};
use crate::fleet::{Fleet, Snapshot, view};

/// Ages of heartbeats, in seconds; the default threshold for stale workers is 90.
const AGES: [f64; 7] = [5.0, 15.0, 30.0, 60.0, 90.0, 180.0, 600.0];
/// How often a worker was started again.
const RESTARTS: [f64; 6] = [0.0, 1.0, 2.0, 5.0, 10.0, 50.0];

/// What was counted.
#[derive(Default)]
pub struct FleetCount {
    tenants: BTreeMap<&'static str, u64>,
    workers: BTreeMap<&'static str, u64>,
    sessions: BTreeMap<&'static str, u64>,
    stale: u64,
    ages: Spread<{ AGES.len() }>,
    restarts: Spread<{ RESTARTS.len() }>,
    inbox: u64,
    outbox: u64,
    events: u64,
    memory_bytes: u64,
}

/// How values are spread over bounds.
struct Spread<const N: usize> {
    bounds: [f64; N],
    counts: [u64; N],
    beyond: u64,
    sum: f64,
}

impl<const N: usize> Default for Spread<N> {
    fn default() -> Self {
        Self { bounds: [0.0; N], counts: [0; N], beyond: 0, sum: 0.0 }
    }
}

impl<const N: usize> Spread<N> {
    fn over(bounds: [f64; N]) -> Self {
        Self { bounds, ..Self::default() }
    }

    fn add(&mut self, value: f64) {
        match self.bounds.iter().position(|bound| value <= *bound) {
            Some(bucket) => self.counts[bucket] += 1,
            None => self.beyond += 1,
        }
        self.sum += value;
    }

    fn write(&self, page: &mut Page, name: &str, help: &str) {
        let mut family = page.family(name, Shape::Histogram, help);
        family.histogram(&[], &self.bounds, &self.counts, self.beyond, self.sum);
    }
}

impl FleetCount {
    /// Counts all tenants.
    #[must_use]
    pub fn of(fleet: &Fleet) -> Self {
        let mut count =
            Self { ages: Spread::over(AGES), restarts: Spread::over(RESTARTS), ..Self::default() };
        // Every state is shown from the start: a series that appears only with its first value hides it from rate().
        for status in TENANT_STATUSES {
            count.tenants.insert(tenant_word(status), 0);
        }
        for status in WORKER_STATUSES {
            count.workers.insert(worker_word(status), 0);
        }
        for state in SESSION_STATES {
            count.sessions.insert(session_word(state), 0);
        }
        fleet.each(|member| member.read(|snapshot| count.add(snapshot)));
        count
    }

    fn add(&mut self, snapshot: &Snapshot) {
        *self.tenants.entry(tenant_word(view::tenant_status(snapshot))).or_default() += 1;
        *self.workers.entry(worker_word(view::worker_status(snapshot))).or_default() += 1;
        *self.sessions.entry(session_word(view::session_state(snapshot))).or_default() += 1;
        self.stale += u64::from(snapshot.stale.is_some());
        if let Some(process) = snapshot.process.as_ref().filter(|_| snapshot.has_process()) {
            self.restarts.add(f64::from(process.restarts));
            self.memory_bytes += process.memory_bytes;
        }
        let Some(link) = snapshot.live_link() else { return };
        self.ages.add(Duration::as_secs_f64(&link.heard.elapsed()));
        if let Some(health) = &link.health {
            self.inbox += health.inbox_pending;
            self.outbox += health.outbox_pending;
            self.events += health.events_pending;
        }
    }

    /// Writes what was counted.
    pub fn write(&self, page: &mut Page) {
        let states = [
            ("tenantry_tenants", "Tenants by status.", "status", &self.tenants),
            ("tenantry_workers", "Workers by status.", "status", &self.workers),
            ("tenantry_sessions", "WhatsApp sessions by state.", "state", &self.sessions),
        ];
        for (name, help, label, counts) in states {
            let mut family = page.family(name, Shape::Gauge, help);
            for (state, count) in counts {
                family.sample(&[(label, state)], number(*count));
            }
        }
        let help = "Workers that the stale detector holds for stale.";
        page.single("tenantry_workers_stale", Shape::Gauge, help, number(self.stale));
        let help = "Ages of the last heartbeats of the workers that run, at this moment; use it without rate().";
        self.ages.write(page, "tenantry_heartbeat_age_seconds", help);
        let help = "How often the processes that run were started again, at this moment; use it without rate().";
        self.restarts.write(page, "tenantry_worker_restarts", help);
        let help = "What waits inside the workers, as they last said.";
        let mut waiting = page.family("tenantry_worker_waiting", Shape::Gauge, help);
        for (queue, count) in
            [("inbox", self.inbox), ("outbox", self.outbox), ("events", self.events)]
        {
            waiting.sample(&[("queue", queue)], number(count));
        }
        let help = "Memory of all workers together, as their runtimes say.";
        let name = "tenantry_workers_memory_bytes";
        page.single(name, Shape::Gauge, help, number(self.memory_bytes));
    }
}

const TENANT_STATUSES: [TenantStatus; 5] = [
    TenantStatus::New,
    TenantStatus::QrPending,
    TenantStatus::Active,
    TenantStatus::Paused,
    TenantStatus::Error,
];
const WORKER_STATUSES: [WorkerStatus; 6] = [
    WorkerStatus::Stopped,
    WorkerStatus::Starting,
    WorkerStatus::Running,
    WorkerStatus::Stopping,
    WorkerStatus::Backoff,
    WorkerStatus::Error,
];
const SESSION_STATES: [SessionState; 4] = [
    SessionState::Disconnected,
    SessionState::QrReady,
    SessionState::Connected,
    SessionState::LoggedOut,
];

const fn tenant_word(status: TenantStatus) -> &'static str {
    match status {
        TenantStatus::New => "NEW",
        TenantStatus::QrPending => "QR_PENDING",
        TenantStatus::Active => "ACTIVE",
        TenantStatus::Paused => "PAUSED",
        TenantStatus::Error => "ERROR",
    }
}

const fn worker_word(status: WorkerStatus) -> &'static str {
    match status {
        WorkerStatus::Stopped => "STOPPED",
        WorkerStatus::Starting => "STARTING",
        WorkerStatus::Running => "RUNNING",
        WorkerStatus::Stopping => "STOPPING",
        WorkerStatus::Backoff => "BACKOFF",
        WorkerStatus::Error => "ERROR",
    }
}

const fn session_word(state: SessionState) -> &'static str {
    match state {
        SessionState::Disconnected => "DISCONNECTED",
        SessionState::QrReady => "QR_READY",
        SessionState::Connected => "CONNECTED",
        SessionState::LoggedOut => "LOGGED_OUT",
    }
}
