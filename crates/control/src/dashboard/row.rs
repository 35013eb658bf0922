//! A tenant as one short row.

use std::time::Duration;

use api::fleet::{Attention, AttentionKind, FleetRow};
use chrono::{DateTime, Utc};
use runtime::ObservedState;

use super::attention::Signs;
use super::health;
use crate::config::Settings;
use crate::fleet::{Member, Snapshot, view};

/// How a look at tenants judges them.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// How often a worker gives a sign of life.
    pub interval: Duration,
    /// How long it may give none.
    pub threshold: Duration,
    /// The moment of the look.
    pub now: DateTime<Utc>,
}

impl Look {
    /// At this moment.
    #[must_use]
    pub fn now(settings: &Settings) -> Self {
        let interval = settings.heartbeat_interval;
        Self { interval, threshold: settings.stale_threshold, now: Utc::now() }
    }

    /// What a tenant needs attention for, and since when.
    pub fn attention(
        &self,
        member: &Member,
        snapshot: &Snapshot,
    ) -> Option<(AttentionKind, DateTime<Utc>)> {
        let signs = self.signs(member, snapshot);
        let kind = signs.kind(self.now);
        let since = member.activity.attention_since(kind, self.now);
        match kind? {
            AttentionKind::LimitHit => Some((AttentionKind::LimitHit, signs.limit_hit?)),
            kind => Some((kind, since)),
        }
    }

    fn signs<'s>(&self, member: &Member, snapshot: &'s Snapshot) -> Signs<'s> {
        Signs::of(snapshot, member.activity.limit_hit(), self.interval, self.threshold)
    }

    /// A tenant's row.
    pub fn row(&self, member: &Member, snapshot: &Snapshot) -> FleetRow {
        let attention = self.attention(member, snapshot).map(|(kind, since)| {
            let last_error = match kind {
                AttentionKind::RestartLoop | AttentionKind::Failed => view::last_error(snapshot),
                _ => None,
            };
            let reason = self.signs(member, snapshot).reason(kind, last_error.as_deref());
            Attention { kind, reason, since: Some(since) }
        });
        let record = &snapshot.record;
        let process = snapshot.process.as_ref();
        let started_at = process.and_then(|process| match process.state {
            ObservedState::Running { started_at, .. } => Some(started_at),
            _ => None,
        });
        let running = process.filter(|_| started_at.is_some());
        FleetRow {
            id: record.id,
            slug: record.slug.clone(),
            name: record.name.clone(),
            phone: record.phone.clone(),
            status: view::tenant_status(snapshot),
            worker: view::worker_status(snapshot),
            desired: record.worker.desired,
            session: view::session_state(snapshot),
            heartbeat: health::of(snapshot, self.interval),
            attention,
            restarts: process.map_or(0, |process| u64::from(process.restarts)),
            cpu_percent: running.map(|process| whole(process.cpu_percent)),
            memory_bytes: running.map(|process| mebibytes(process.memory_bytes)),
            started_at,
            runtime: record.worker.runtime,
        }
    }
}

/// To the nearest whole number, so that a row does not change with every tenth.
#[must_use]
pub fn whole(percent: f64) -> u32 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
    let whole = percent.round().clamp(0.0, f64::from(u32::MAX)) as u32;
    whole
}

/// To the nearest MiB, for the same reason.
#[must_use]
pub const fn mebibytes(bytes: u64) -> u64 {
    const MIB: u64 = 1 << 20;
    bytes.saturating_add(MIB / 2) / MIB * MIB
}

#[cfg(test)]
mod tests {
    use super::{mebibytes, whole};

    #[test]
    fn figures_are_rounded_to_the_nearest() {
        let percents = [0.0, 0.4, 0.5, 99.6, -1.0, f64::NAN].map(whole);
        assert_eq!(percents, [0, 0, 1, 100, 0, 0]);
        let half = 1_u64 << 19;
        let rounded = [0, half - 1, half, 3 * half - 1].map(mebibytes);
        assert_eq!(rounded, [0, 0, 1 << 20, 1 << 20]);
    }
}
