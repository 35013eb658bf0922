//! Writes down what was observed of workers and sessions: what differs from what the store holds, in batches.
//!
//! Only tenants that changed are looked at. A sign of life alone is no reason to write: ten thousand workers
//! give three hundred in a second, and what they mean is judged in memory. So the store's `last_seen_at` may be
//! some minutes old ([`SEEN`]) while nothing else changes; at the end all of them are written.

use std::collections::HashMap;
use std::sync::Arc;

use api::TenantId;
use api::tenant::TenantStatus;
use chrono::TimeDelta;
use store::{Observed, SessionRecord, StoreError, TenantRecord};

use crate::fleet::{Member, Snapshot, view};
use crate::plane::ControlPlane;

/// How old a sign of life in the store may be while nothing else changes.
const SEEN: TimeDelta = TimeDelta::minutes(5);

/// Tenants in one transaction: while it is under way, SQLite lets no request write.
const BATCH: usize = 500;

/// What the store holds of each tenant.
pub struct Observations {
    written: HashMap<TenantId, Written>,
}

/// Which tenants to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Those that changed.
    Changed,
    /// All that differ, in signs of life too.
    All,
}

#[derive(Clone, Debug, PartialEq)]
struct Written {
    status: TenantStatus,
    observed: Observed,
    session: SessionRecord,
}

impl Observations {
    /// What the store holds, by what was just loaded from it.
    pub fn loaded(plane: &ControlPlane) -> Self {
        let stored = |member: Arc<Member>| (member.id, member.read(|now| stored(&now.record)));
        Self { written: plane.fleet.all().into_iter().map(stored).collect() }
    }

    /// Writes what differs, once it is known what runs. What cannot be written is tried again at the next call.
    pub async fn flush(&mut self, plane: &ControlPlane, which: Flush) {
        if !plane.fleet.is_heard() {
            return;
        }
        let changed = plane.fleet.take_changes();
        let members: Vec<_> = match which {
            Flush::All => plane.fleet.all(),
            Flush::Changed => {
                let known = |tenant: &TenantId| plane.fleet.get(*tenant);
                for gone in changed.iter().filter(|tenant| known(tenant).is_none()) {
                    self.written.remove(gone);
                }
                changed.iter().filter_map(known).collect()
            }
        };
        let due: Vec<_> = members.iter().filter_map(|member| self.due(member, which)).collect();
        for batch in due.chunks(BATCH) {
            match write(plane, &self.written, batch).await {
                Ok(()) => self.written.extend(batch.iter().cloned()),
                Err(error) => {
                    tracing::error!(%error, "the observed state could not be written");
                    for (tenant, _) in batch {
                        plane.fleet.note(*tenant);
                    }
                }
            }
        }
    }

    /// A tenant's state where it is to be written.
    fn due(&self, member: &Member, which: Flush) -> Option<(TenantId, Written)> {
        // Before the look: a change after it is noted again.
        member.noted.clear();
        let now = member.read(state);
        let due = match self.written.get(&member.id) {
            None => true,
            Some(before) => is_due(before, &now, which),
        };
        due.then_some((member.id, now))
    }
}

fn is_due(before: &Written, now: &Written, which: Flush) -> bool {
    let (old, new) = (before.observed.last_seen_at, now.observed.last_seen_at);
    let but_for_life = Observed { last_seen_at: old, ..now.observed.clone() };
    if but_for_life != before.observed
        || (now.status, &now.session) != (before.status, &before.session)
    {
        return true;
    }
    match (old, new) {
        // What was not heard since the start leaves what is stored.
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(old), Some(new)) => new - old >= SEEN || (which == Flush::All && new != old),
    }
}

async fn write(
    plane: &ControlPlane,
    written: &HashMap<TenantId, Written>,
    batch: &[(TenantId, Written)],
) -> Result<(), StoreError> {
    let before = |tenant| written.get(tenant);
    let observed: Vec<_> = batch
        .iter()
        .filter(|(tenant, now)| before(tenant).map(|it| &it.observed) != Some(&now.observed))
        .map(|(_, now)| now.observed.clone())
        .collect();
    let sessions: Vec<_> = batch
        .iter()
        .filter(|(tenant, now)| before(tenant).map(|it| &it.session) != Some(&now.session))
        .map(|(tenant, now)| (*tenant, now.session.clone()))
        .collect();
    let statuses: Vec<_> = batch
        .iter()
        .filter(|(tenant, now)| before(tenant).map(|it| it.status) != Some(now.status))
        .map(|(tenant, now)| (*tenant, now.status))
        .collect();
    if !observed.is_empty() {
        plane.store.record_observed(&observed).await?;
    }
    if !sessions.is_empty() {
        plane.store.record_sessions(&sessions).await?;
    }
    if !statuses.is_empty() {
        plane.store.record_statuses(&statuses).await?;
    }
    Ok(())
}

/// What a tenant's rows say.
fn stored(record: &TenantRecord) -> Written {
    let worker = &record.worker;
    Written {
        status: record.status,
        observed: Observed {
            tenant: record.id,
            status: worker.status,
            pid: worker.pid,
            started_at: worker.started_at,
            restarts: worker.restarts,
            last_error: worker.last_error.clone(),
            last_seen_at: worker.last_seen_at,
        },
        session: record.session.clone(),
    }
}

fn state(snapshot: &Snapshot) -> Written {
    let worker = view::worker(snapshot);
    let session = view::session(snapshot);
    Written {
        status: view::tenant_status(snapshot),
        observed: Observed {
            tenant: snapshot.record.id,
            status: worker.status,
            pid: worker.pid,
            started_at: worker.started_at,
            restarts: worker.restarts,
            last_error: worker.last_error,
            // What counts by the life of the process alone would change at every look.
            last_seen_at: snapshot.link.as_ref().map(|link| link.heard_at),
        },
        session: SessionRecord {
            state: session.state,
            paired: session.paired,
            jid: session.jid,
            connected_at: session.connected_at,
        },
    }
}

#[cfg(test)]
mod tests {
    use api::TenantId;
    use api::tenant::TenantStatus;
    use api::worker::WorkerStatus;
    use chrono::{TimeDelta, Utc};
    use store::{Observed, SessionRecord};

    use super::{Flush, Written, is_due};

    fn written() -> Written {
        Written {
            status: TenantStatus::Active,
            observed: Observed {
                tenant: TenantId::generate(),
                status: WorkerStatus::Running,
                pid: Some(7),
                started_at: None,
                restarts: 0,
                last_error: None,
                last_seen_at: Some(Utc::now()),
            },
            session: SessionRecord::default(),
        }
    }

    fn seen_later(before: &Written, by: TimeDelta) -> Written {
        let mut now = before.clone();
        now.observed.last_seen_at = before.observed.last_seen_at.map(|at| at + by);
        now
    }

    #[test]
    fn a_sign_of_life_alone_is_written_rarely_and_at_the_end() {
        let before = written();
        let beat = seen_later(&before, TimeDelta::seconds(30));
        assert!(!is_due(&before, &beat, Flush::Changed));
        assert!(is_due(&before, &beat, Flush::All));
        assert!(is_due(&before, &seen_later(&before, TimeDelta::minutes(5)), Flush::Changed));
        assert!(!is_due(&before, &before, Flush::All));
    }

    #[test]
    fn every_other_change_is_written_at_once() {
        let before = written();
        let mut now = before.clone();
        now.observed.last_seen_at = None;
        assert!(!is_due(&before, &now, Flush::All), "what is stored stays");
        now.observed.pid = Some(8);
        assert!(is_due(&before, &now, Flush::Changed));
        let now = Written { status: TenantStatus::Error, ..before.clone() };
        assert!(is_due(&before, &now, Flush::Changed));
        let session = SessionRecord { paired: true, ..SessionRecord::default() };
        assert!(is_due(&before, &Written { session, ..before.clone() }, Flush::Changed));
    }
}
