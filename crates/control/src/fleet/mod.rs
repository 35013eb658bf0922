//! The fleet: everything the control plane knows of its tenants, in memory.
//!
//! The store holds what is wanted, the runtime and the worker link say what is. Here both meet: one
//! [`Member`] a tenant, whose [`Snapshot`] is published on a `watch` channel, so that the API, the
//! reconciler, the stale detector and the recorder all read the same state and can wait for it.

mod activity;
mod changes;
mod commands;
mod member;
pub mod series;
pub mod view;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::TenantId;
use api::link::Command;
use api::worker::RuntimeKind;
use parking_lot::{Mutex, RwLock};
use runtime::ObservedWorker;
use store::TenantRecord;
use tokio::sync::watch;

use changes::Changes;
pub use member::{LinkState, Member, Snapshot, StartFailure};

/// The least time between two encouragements.
const ENCOURAGED: Duration = Duration::from_secs(60);

/// Over so many milliseconds the attempts of encouraged workers are spread.
const SPREAD_MS: u64 = 15_000;

/// All tenants.
#[derive(Default)]
pub struct Fleet {
    members: RwLock<Members>,
    /// What is known of the runtimes in use. Before one has told its whole picture, a worker that is
    /// not known to run may well run there, and nothing must be started.
    sights: watch::Sender<BTreeMap<RuntimeKind, Sight>>,
    /// When workers that cannot reach WhatsApp were last encouraged.
    encouraged: Mutex<Option<Instant>>,
    changes: Arc<Changes>,
}

/// What is known of a runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    /// It has not been heard yet.
    Unknown,
    /// It has told the whole picture and still answers.
    Whole,
    /// It did not answer, or does so no longer.
    Lost,
}

#[derive(Default)]
struct Members {
    by_id: BTreeMap<TenantId, Arc<Member>>,
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
        let member = Arc::new(Member::new(record, Arc::clone(&self.changes)));
        self.changes.note(id, &member.noted);
        members.by_id.insert(id, Arc::clone(&member));
        member
    }

    /// Forgets a tenant.
    pub fn remove(&self, id: TenantId) {
        let mut members = self.members.write();
        let Some(member) = members.by_id.remove(&id) else { return };
        let slug = member.read(|now| now.record.slug.clone());
        // Another tenant may have taken the name over.
        if members.by_slug.get(&slug) == Some(&id) {
            members.by_slug.remove(&slug);
        }
        if members.by_worker.get(&member.worker_name) == Some(&id) {
            members.by_worker.remove(&member.worker_name);
        }
        self.changes.note_gone(id);
    }

    /// A tenant is looked at again by the one who writes them down.
    pub(crate) fn note(&self, tenant: TenantId) {
        if let Some(member) = self.get(tenant) {
            self.changes.note(tenant, &member.noted);
        }
    }

    /// The tenants that changed since the last call, for the one who writes them down.
    pub(crate) fn take_changes(&self) -> Vec<TenantId> {
        self.changes.take()
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
        self.members.read().by_id.values().cloned().collect()
    }

    /// Looks at all tenants, in no order.
    pub fn each(&self, look: impl FnMut(&Arc<Member>)) {
        self.members.read().by_id.values().for_each(look);
    }

    /// A session became connected, so WhatsApp can be reached: workers that have given up try again,
    /// spread over some time. Not more than once a minute, or one session that comes and goes would
    /// have all others try without end.
    pub fn encourage(&self) {
        if !self.changes.is_any_out_of_reach() {
            return;
        }
        let mut given_up = self.all();
        given_up.retain(|member| member.is_out_of_reach());
        if given_up.is_empty() {
            return;
        }
        {
            let mut last = self.encouraged.lock();
            if last.is_some_and(|at| at.elapsed() < ENCOURAGED) {
                return;
            }
            *last = Some(Instant::now());
        }
        let command = Command::Reconnect { within_ms: SPREAD_MS };
        for member in given_up {
            // One that does not listen tries by itself, only later.
            let _ = member.commands.send(command.clone());
        }
    }

    /// A runtime is in use from now on: nothing is decided until it has been heard, or did not answer.
    pub fn expect(&self, kind: RuntimeKind) {
        self.sights.send_modify(|sights| {
            sights.entry(kind).or_insert(Sight::Unknown);
        });
    }

    /// Takes in a runtime's whole picture: a worker that is not in it has no process there.
    pub fn sync(&self, kind: RuntimeKind, workers: Vec<ObservedWorker>) {
        let mut seen: HashMap<String, ObservedWorker> =
            workers.into_iter().map(|worker| (worker.name.clone(), worker)).collect();
        for member in self.all() {
            let process = seen.remove(&member.worker_name);
            if member.runtime() == kind {
                member.observe(process);
            } else {
                member.observe_stray(kind, process.is_some());
            }
        }
        self.see(kind, Sight::Whole);
    }

    /// A runtime does not answer: what is known of its workers may be old.
    pub fn lost(&self, kind: RuntimeKind) {
        self.see(kind, Sight::Lost);
    }

    fn see(&self, kind: RuntimeKind, sight: Sight) {
        self.sights.send_modify(|sights| {
            sights.insert(kind, sight);
        });
    }

    /// Whether the pictures of all runtimes in use are whole and fresh.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        is_synced(&self.sights.borrow())
    }

    /// Whether each runtime in use has told what it has, or did not answer. Before, nothing that is derived
    /// from what runs means anything.
    pub(crate) fn is_heard(&self) -> bool {
        self.sights.borrow().values().all(|sight| *sight != Sight::Unknown)
    }

    /// Waits until the pictures of all runtimes in use are whole and fresh, at most for `wait`.
    pub async fn is_synced_within(&self, wait: Duration) -> bool {
        self.holds_within(wait, is_synced).await
    }

    /// Whether something may be decided about the workers of a runtime.
    #[must_use]
    pub fn may_act(&self, kind: RuntimeKind) -> bool {
        may_act(&self.sights.borrow(), kind)
    }

    /// Waits until something may be decided about the workers of a runtime, at most for `wait`.
    pub async fn may_act_within(&self, kind: RuntimeKind, wait: Duration) -> bool {
        self.holds_within(wait, |sights| may_act(sights, kind)).await
    }

    async fn holds_within(&self, wait: Duration, condition: impl FnMut(&Sights) -> bool) -> bool {
        let mut sights = self.sights.subscribe();
        matches!(tokio::time::timeout(wait, sights.wait_for(condition)).await, Ok(Ok(_)))
    }
}

type Sights = BTreeMap<RuntimeKind, Sight>;

fn is_synced(sights: &Sights) -> bool {
    !sights.is_empty() && sights.values().all(|sight| *sight == Sight::Whole)
}

/// The runtime itself must be known. Another one that does not answer is no reason to let this one's
/// workers down; but each is given the time to say what it has, for it may have what belongs here.
fn may_act(sights: &Sights, kind: RuntimeKind) -> bool {
    sights.get(&kind) == Some(&Sight::Whole)
        && sights.values().all(|sight| *sight != Sight::Unknown)
}
