//! One tenant in memory.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use api::TenantId;
use api::link::{SessionReport, TroubleKind, WorkerHealth};
use api::worker::RuntimeKind;
use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use runtime::{ObservedState, ObservedWorker, StopMode};
use store::{SessionRecord, TenantRecord};
use tokio::sync::watch;

use super::activity::Activity;
use super::changes::{Changes, Mark};
use super::commands::Commands;

/// One tenant: its published state, and the locks that keep its lifecycle in order.
pub struct Member {
    /// The tenant's id.
    pub id: TenantId,
    /// The worker's name; never changes.
    pub worker_name: String,
    state: watch::Sender<Snapshot>,
    /// Held while the worker is moved by a step of the reconciler or by a migration: never by both.
    pub(crate) hands: tokio::sync::Mutex<()>,
    /// Held by the one lifecycle request that is under way.
    pub lifecycle: Arc<tokio::sync::Mutex<()>>,
    /// Held while a person's change of the settings is checked and written: changes must not be
    /// computed from one another's past.
    pub settings: tokio::sync::Mutex<()>,
    /// Commands to the worker.
    pub commands: Commands,
    /// Rung when a message from outside was accepted.
    pub sends: watch::Sender<()>,
    /// Whether the reconciler has work here, and whether it is at it.
    pub(crate) dirty: AtomicBool,
    pub(crate) reconciling: AtomicBool,
    /// When the stale detector last restarted the worker.
    pub(crate) stale_restart: Mutex<Option<Instant>>,
    /// What the tenant did lately.
    pub activity: Activity,
    /// Where changes of the state are noted.
    changes: Arc<Changes>,
    pub(crate) noted: Mark,
}

/// Everything known of a tenant at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What the store holds.
    pub record: Arc<TenantRecord>,
    /// What the runtime says; `None`: no process.
    pub process: Option<ObservedWorker>,
    /// Runtimes that have a worker of this name although it belongs elsewhere.
    pub strays: BTreeSet<RuntimeKind>,
    /// What the running generation last said over the link.
    pub link: Option<LinkState>,
    /// The generation whose start the runtime has been asked for and not yet answered: until then a
    /// process that shows may be about to fail.
    pub starting: Option<u64>,
    /// The generation that could not be started, and why. It is not tried again by itself.
    pub start_failure: Option<StartFailure>,
    /// Why the stale detector holds the worker for stale.
    pub stale: Option<String>,
    /// How the reconciler shall end a process that has to go.
    pub stop_mode: StopMode,
    /// When the process was first seen to run here; the age of its silence counts from then.
    pub running_since: Option<Instant>,
}

/// A start that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartFailure {
    /// The generation.
    pub generation: u64,
    /// Why, in words.
    pub reason: String,
    /// What the program said last.
    pub log_tail: Vec<String>,
}

/// What a worker last said.
#[derive(Clone, Debug)]
pub struct LinkState {
    /// The generation that said it.
    pub generation: u64,
    /// The spawn of that generation.
    pub incarnation: u64,
    /// When it was said.
    pub heard_at: DateTime<Utc>,
    /// The same on the monotonic clock.
    pub heard: Instant,
    /// The session.
    pub session: SessionReport,
    /// How the worker is inside.
    pub health: Option<WorkerHealth>,
    /// When the session became connected.
    pub connected_at: Option<DateTime<Utc>>,
}

impl Snapshot {
    /// Whether any process of the worker lives or is about to.
    #[must_use]
    pub fn has_process(&self) -> bool {
        self.process.as_ref().is_some_and(|process| match process.state {
            ObservedState::Starting
            | ObservedState::Running { .. }
            | ObservedState::Stopping
            | ObservedState::Backoff { .. } => true,
            ObservedState::Stopped | ObservedState::Failed { .. } => false,
        })
    }

    /// Whether the worker was told to end and has not yet gone.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        let state = self.process.as_ref().map(|process| &process.state);
        matches!(state, Some(ObservedState::Stopping))
    }

    fn is_out_of_reach(&self) -> bool {
        let trouble = self.live_link().and_then(|link| link.session.trouble.as_ref());
        trouble.is_some_and(|trouble| trouble.kind == TroubleKind::Unreachable)
    }

    /// What the running process said over the link, if it said anything: not what one before it said.
    #[must_use]
    pub fn live_link(&self) -> Option<&LinkState> {
        let process = self.process.as_ref()?;
        let ObservedState::Running { .. } = process.state else { return None };
        self.link.as_ref().filter(|link| {
            link.generation == process.generation
                && (link.incarnation == 0 || link.incarnation == process.incarnation)
        })
    }
}

impl Member {
    pub(super) fn new(record: TenantRecord, changes: Arc<Changes>) -> Self {
        let (id, worker_name) = (record.id, record.worker.name.clone());
        let worker = &record.worker;
        let start_failure = worker.failed_generation.map(|generation| StartFailure {
            generation,
            reason: worker.last_error.clone().unwrap_or_default(),
            log_tail: Vec::new(),
        });
        let (state, _) = watch::channel(Snapshot {
            record: Arc::new(record),
            process: None,
            strays: BTreeSet::new(),
            link: None,
            starting: None,
            start_failure,
            stale: None,
            stop_mode: StopMode::Graceful,
            running_since: None,
        });
        Self {
            id,
            worker_name,
            state,
            hands: tokio::sync::Mutex::default(),
            lifecycle: Arc::default(),
            settings: tokio::sync::Mutex::default(),
            commands: Commands::default(),
            sends: watch::Sender::new(()),
            dirty: AtomicBool::new(false),
            reconciling: AtomicBool::new(false),
            stale_restart: Mutex::new(None),
            activity: Activity::default(),
            changes,
            noted: Mark::default(),
        }
    }

    /// The state now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.state.borrow().clone()
    }

    /// Reads the state in place. No change comes through meanwhile, so `look` must be quick.
    pub fn read<T>(&self, look: impl FnOnce(&Snapshot) -> T) -> T {
        look(&self.state.borrow())
    }

    /// Follows the state.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Snapshot> {
        self.state.subscribe()
    }

    /// Changes the state and tells everybody who waits for it.
    pub fn update(&self, change: impl FnOnce(&mut Snapshot)) {
        self.state.send_modify(|snapshot| {
            change(snapshot);
            self.changes.note_reach(&self.noted, snapshot.is_out_of_reach());
        });
        self.changes.note(self.id, &self.noted);
    }

    /// Whether the worker has given up to reach WhatsApp, and tries only rarely.
    #[must_use]
    pub(super) fn is_out_of_reach(&self) -> bool {
        self.state.borrow().is_out_of_reach()
    }

    /// Where the worker runs, or would.
    #[must_use]
    pub fn runtime(&self) -> RuntimeKind {
        self.state.borrow().record.worker.runtime
    }

    /// Takes in whether a runtime that the worker does not belong to has it.
    pub fn observe_stray(&self, kind: RuntimeKind, is_there: bool) {
        self.state.send_if_modified(|snapshot| {
            if is_there { snapshot.strays.insert(kind) } else { snapshot.strays.remove(&kind) }
        });
    }

    /// Takes in news of the worker's process, unless something newer is known already: news and
    /// answers travel on different ways. Process numbers grow for ever, so a lower one is old. Gives
    /// whether the state is another one than before.
    pub fn observe_news(&self, process: ObservedWorker) -> bool {
        let known = self.state.borrow().process.as_ref().map_or(0, |known| known.incarnation);
        process.incarnation >= known && self.observe(Some(process))
    }

    /// Takes in the use of CPU and memory, without waking those who wait for a change of state.
    pub fn observe_usage(&self, process: &ObservedWorker) {
        self.state.send_if_modified(|snapshot| {
            if let Some(known) = &mut snapshot.process
                && known.incarnation == process.incarnation
            {
                known.cpu_percent = process.cpu_percent;
                known.memory_bytes = process.memory_bytes;
            }
            false
        });
    }

    /// Takes in what the runtime says of the worker; `None`: it does not know it. Gives whether the
    /// state is another one than before.
    pub fn observe(&self, process: Option<ObservedWorker>) -> bool {
        let state = |process: &Option<ObservedWorker>| {
            process.as_ref().map(|process| (process.incarnation, process.state.clone()))
        };
        let mut changed = false;
        self.update(|snapshot| {
            changed = state(&process) != state(&snapshot.process);
            match process.as_ref().map(|process| &process.state) {
                Some(ObservedState::Running { .. }) if changed => {
                    snapshot.running_since = Some(Instant::now());
                    snapshot.stale = None;
                }
                Some(ObservedState::Running { .. }) => {}
                _ => snapshot.running_since = None,
            }
            if process.is_none() {
                // Who is made anew under this name begins to count its processes at 1 again.
                snapshot.link = None;
            }
            snapshot.process = process;
        });
        changed
    }

    /// Takes in a tenant's row that was just written to the store. What is wanted of the worker and
    /// what was observed have their own ways, and stay.
    pub fn set_tenant(&self, stored: TenantRecord) {
        self.update(|snapshot| {
            let mut record = stored;
            record.worker = snapshot.record.worker.clone();
            record.session = snapshot.record.session.clone();
            snapshot.record = Arc::new(record);
        });
    }

    /// Forgets what was known of the session.
    pub fn forget_session(&self) {
        self.update(|snapshot| {
            Arc::make_mut(&mut snapshot.record).session = SessionRecord::default();
            snapshot.link = None;
        });
    }
}
