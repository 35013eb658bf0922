//! The fleet: everything the control plane knows of its tenants, in memory.
//!
//! The store holds what is wanted, the runtime and the worker link say what is. Here both meet: one
//! [`Member`] a tenant, whose [`Snapshot`] is published on a `watch` channel, so that the API, the
//! reconciler, the stale detector and the recorder all read the same state and can wait for it.

mod member;
pub mod view;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use api::TenantId;
use parking_lot::RwLock;
use runtime::ObservedWorker;
use store::TenantRecord;
use tokio::sync::watch;

pub use member::{LinkState, Member, Snapshot, StartFailure};

/// All tenants.
#[derive(Default)]
pub struct Fleet {
    members: RwLock<Members>,
    /// Whether the runtime has told the whole picture and still answers. Before that, a worker that
    /// is not known to run may well run, and nothing must be started.
    synced: watch::Sender<bool>,
}

#[derive(Default)]
struct Members {
    by_id: HashMap<TenantId, Arc<Member>>,
    by_slug: HashMap<String, TenantId>,
    by_worker: HashMap<String, TenantId>,
}

impl Fleet {
    /// Takes a tenant in, or replaces what was known of it.
    pub fn insert(&self, record: TenantRecord) -> Arc<Member> {
        let mut members = self.members.write();
        let id = record.id;
        members.by_slug.insert(record.slug.clone(), id);
        members.by_worker.insert(record.worker.name.clone(), id);
        let member = Arc::new(Member::new(record));
        members.by_id.insert(id, Arc::clone(&member));
        member
    }

    /// Forgets a tenant.
    pub fn remove(&self, id: TenantId) {
        let mut members = self.members.write();
        if members.by_id.remove(&id).is_some() {
            members.by_slug.retain(|_, tenant| *tenant != id);
            members.by_worker.retain(|_, tenant| *tenant != id);
        }
    }

    /// The tenant with this id.
    #[must_use]
    pub fn get(&self, id: TenantId) -> Option<Arc<Member>> {
        self.members.read().by_id.get(&id).cloned()
    }

    /// The tenant with this id or slug.
    #[must_use]
    pub fn find(&self, id_or_slug: &str) -> Option<Arc<Member>> {
        let members = self.members.read();
        let by_id = id_or_slug.parse().ok().and_then(|id| members.by_id.get(&id));
        // A slug may look like an id.
        let by_slug = || members.by_id.get(members.by_slug.get(id_or_slug)?);
        by_id.or_else(by_slug).cloned()
    }

    /// The tenant whose worker has this name.
    #[must_use]
    pub fn by_worker(&self, name: &str) -> Option<Arc<Member>> {
        let members = self.members.read();
        members.by_id.get(members.by_worker.get(name)?).cloned()
    }

    /// All tenants, oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Member>> {
        let mut all: Vec<_> = self.members.read().by_id.values().cloned().collect();
        all.sort_by_key(|member| member.id);
        all
    }

    /// Takes in the runtime's whole picture: a worker that is not in it has no process.
    pub fn sync(&self, workers: Vec<ObservedWorker>) {
        let mut seen: HashMap<String, ObservedWorker> =
            workers.into_iter().map(|worker| (worker.name.clone(), worker)).collect();
        for member in self.all() {
            member.observe(seen.remove(&member.worker_name));
        }
        self.synced.send_replace(true);
    }

    /// The runtime no longer answers: what is known of its workers may be old.
    pub fn lost(&self) {
        self.synced.send_replace(false);
    }

    /// Whether the runtime's picture is whole and fresh.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        *self.synced.borrow()
    }

    /// Waits until the runtime's picture is whole and fresh, at most for `wait`.
    pub async fn is_synced_within(&self, wait: Duration) -> bool {
        let mut synced = self.synced.subscribe();
        let outcome = tokio::time::timeout(wait, synced.wait_for(|synced| *synced)).await;
        matches!(outcome, Ok(Ok(_)))
    }
}
