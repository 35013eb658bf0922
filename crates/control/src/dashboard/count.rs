//! The fleet in numbers, counted in one pass at the moment when they are asked for.

use api::fleet::{
    FleetView, HeartbeatCounts, HeartbeatHealth, SessionCounts, TenantCounts, WorkerCounts,
};
use api::session::SessionState;
use api::tenant::TenantStatus;
use api::worker::WorkerStatus;
use runtime::ObservedState;

use super::health;
use super::row::Look;
use crate::fleet::{Fleet, Member, Snapshot, view};

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Count {
    /// Tenants by status.
    pub tenants: TenantCounts,
    /// Workers by status.
    pub workers: WorkerCounts,
    /// Sessions by state.
    pub sessions: SessionCounts,
    /// Tenants by heartbeat.
    pub heartbeats: HeartbeatCounts,
    /// Tenants that need attention.
    pub attention: u64,
    /// CPU of all workers, in per cent of one core.
    pub cpu_percent: f64,
    /// Memory of all workers, in bytes.
    pub memory_bytes: u64,
}

impl Count {
    /// Counts all tenants.
    #[must_use]
    pub fn of(fleet: &Fleet, look: &Look) -> Self {
        let mut count = Self::default();
        fleet.each(|member| member.read(|snapshot| count.add(look, member, snapshot)));
        count
    }

    fn add(&mut self, look: &Look, member: &Member, snapshot: &Snapshot) {
        self.tenants.total += 1;
        *match view::tenant_status(snapshot) {
            TenantStatus::New => &mut self.tenants.new,
            TenantStatus::QrPending => &mut self.tenants.qr_pending,
            TenantStatus::Active => &mut self.tenants.active,
            TenantStatus::Paused => &mut self.tenants.paused,
            TenantStatus::Error => &mut self.tenants.error,
        } += 1;
        *match view::worker_status(snapshot) {
            WorkerStatus::Stopped => &mut self.workers.stopped,
            WorkerStatus::Starting => &mut self.workers.starting,
            WorkerStatus::Running => &mut self.workers.running,
            WorkerStatus::Stopping => &mut self.workers.stopping,
            WorkerStatus::Backoff => &mut self.workers.backoff,
            WorkerStatus::Error => &mut self.workers.error,
        } += 1;
        *match view::session_state(snapshot) {
            SessionState::Disconnected => &mut self.sessions.disconnected,
            SessionState::QrReady => &mut self.sessions.qr_ready,
            SessionState::Connected => &mut self.sessions.connected,
            SessionState::LoggedOut => &mut self.sessions.logged_out,
        } += 1;
        *match health::of(snapshot, look.interval) {
            HeartbeatHealth::OnTime => &mut self.heartbeats.on_time,
            HeartbeatHealth::Late => &mut self.heartbeats.late,
            HeartbeatHealth::Stale => &mut self.heartbeats.stale,
            HeartbeatHealth::None => &mut self.heartbeats.none,
        } += 1;
        self.attention += u64::from(look.attention(member, snapshot).is_some());
        if let Some(process) = &snapshot.process
            && let ObservedState::Running { .. } = process.state
        {
            self.cpu_percent += process.cpu_percent;
            self.memory_bytes = self.memory_bytes.saturating_add(process.memory_bytes);
        }
    }

    /// Puts it into a view.
    pub fn show(&self, view: &mut FleetView) {
        view.tenants = self.tenants;
        view.workers = self.workers;
        view.sessions = self.sessions;
        view.heartbeats = self.heartbeats;
        view.attention = self.attention;
        // Tenths: more is noise, and would make every look another one.
        view.usage.workers_cpu_percent = tenths(self.cpu_percent);
        view.usage.workers_memory_bytes = self.memory_bytes;
    }
}

/// Rounded to tenths.
#[must_use]
pub fn tenths(percent: f64) -> f64 {
    (percent * 10.0).round() / 10.0
}
