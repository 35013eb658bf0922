//! What an operator's dashboard lives on: the fleet in numbers with its last hour, one short row a tenant, and what
//! changes of both.
//!
//! ```text
//!  each 10 s ─► sample (one pass over the tenants) ─► samples: the last hour ─────────► GET /admin/fleet
//!  each 1 s, while somebody looks ─► pass ─► table: rows with the number of their change ─► …/fleet/tenants
//!                                        └─► wakes the streams, each of which goes by its own cursor ─► …/fleet/stream
//! ```
//!
//! One pass serves all who look. Nobody is remembered but by a place and a cursor: who reads slowly is told less often, and
//! then all at once.

mod attention;
mod count;
mod health;
mod list;
mod machine;
mod row;
mod samples;
mod table;
mod told;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use api::fleet::FleetView;
use chrono::Utc;
use parking_lot::Mutex;
use runtime::ObservedState;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::fleet::series::Fact;
use crate::metrics::process;
use crate::places::Places;
use crate::plane::ControlPlane;
use crate::usage;
use count::Count;
use list::List;
use machine::Ticks;
pub use row::{Look, mebibytes, whole};
use samples::{Measured, Messages, Samples};
pub use table::Cursor;
use table::Table;
pub use told::Changes;
use told::Told;

/// How often a sample is taken.
const SAMPLE: Duration = Duration::from_secs(10);

/// How often the rows are looked at while somebody looks.
const PASS: Duration = Duration::from_secs(1);

/// Somebody who asked has looked away after this time.
const LOOKS: Duration = Duration::from_secs(60);

/// How often the workers' use is asked for while nobody looks.
const USAGE: Duration = Duration::from_secs(60);

/// Those who may follow the fleet.
const MOST_OF_FLEET: usize = 200;

/// Those who may follow tenants, and one of them.
const MOST_OF_TENANTS: usize = 1000;
const MOST_OF_TENANT: usize = 50;

/// What is kept for those who look.
pub struct Dashboard {
    samples: Mutex<Samples>,
    rows: Mutex<Rows>,
    /// The rows as they were answered last.
    list: tokio::sync::Mutex<Option<Arc<List>>>,
    /// Counts the passes.
    passes: watch::Sender<u64>,
    /// When somebody last asked for rows.
    asked: Mutex<Option<Instant>>,
    /// Those who follow the fleet.
    pub followers: Arc<Places>,
    /// Those who follow a tenant.
    pub tenant_followers: Arc<Places>,
}

struct Rows {
    table: Table,
    told: Told,
    /// The numbers as of the last pass, without their history.
    view: Arc<FleetView>,
    passed: Option<Instant>,
}

impl Default for Dashboard {
    fn default() -> Self {
        let table = Table::new(Uuid::now_v7());
        let rows = Rows { table, told: Told::default(), view: Arc::default(), passed: None };
        Self {
            samples: Mutex::default(),
            rows: Mutex::new(rows),
            list: tokio::sync::Mutex::default(),
            passes: watch::Sender::new(0),
            asked: Mutex::new(None),
            followers: Places::new(MOST_OF_FLEET, MOST_OF_FLEET),
            tenant_followers: Places::new(MOST_OF_TENANTS, MOST_OF_TENANT),
        }
    }
}

/// What is to be told to one who follows.
pub struct News {
    /// What changed after their cursor.
    pub changes: Changes,
    /// Where they are then.
    pub cursor: Cursor,
    /// The numbers.
    pub view: Arc<FleetView>,
}

impl Dashboard {
    /// What is new for one who has seen everything up to `cursor`, or who begins now.
    pub fn news(&self, plane: &ControlPlane, cursor: Option<Cursor>) -> News {
        // Who is cut off and comes back within a minute finds the changes that they missed.
        *self.asked.lock() = Some(Instant::now());
        let mut rows = self.up_to_date(plane);
        let rows = &mut *rows;
        let now = rows.table.cursor();
        let changes = rows.told.since(&rows.table, cursor.unwrap_or(now));
        News { changes, cursor: now, view: Arc::clone(&rows.view) }
    }

    /// Follows the passes.
    pub fn passes(&self) -> watch::Receiver<u64> {
        self.passes.subscribe()
    }

    /// The fleet in numbers, now, with its last hour.
    pub fn view(&self, plane: &ControlPlane) -> FleetView {
        let history = self.samples.lock().all();
        FleetView { history, ..self.numbers(plane) }
    }

    fn numbers(&self, plane: &ControlPlane) -> FleetView {
        let numbers = plane.recorder.log().numbers();
        let mut view = FleetView {
            restarts: numbers.restarts.load(Ordering::Relaxed),
            machine: machine::look(plane.settings.home.root()),
            ..FleetView::default()
        };
        Count::of(&plane.fleet, &Look::now(&plane.settings)).show(&mut view);
        view.usage.server_memory_bytes = process::resident_bytes();
        let samples = self.samples.lock();
        view.messages_per_minute = samples.rate(messages(plane));
        view.newest = samples.newest();
        view.machine.cpu_percent = view.newest.map_or(0.0, |newest| newest.machine_cpu_percent);
        view
    }

    /// The rows, brought up to date unless that was done a moment ago.
    fn up_to_date(&self, plane: &ControlPlane) -> parking_lot::MutexGuard<'_, Rows> {
        let mut rows = self.rows.lock();
        if rows.passed.is_none_or(|at| at.elapsed() >= PASS) {
            self.pass(plane, &mut rows);
        }
        rows
    }

    fn pass(&self, plane: &ControlPlane, rows: &mut Rows) {
        let look = Look::now(&plane.settings);
        let members = plane.fleet.all();
        let told = members.iter().map(|member| member.read(|now| look.row(member, now)));
        rows.table.update(told);
        rows.view = Arc::new(self.numbers(plane));
        rows.passed = Some(Instant::now());
    }

    fn is_watched(&self) -> bool {
        let asked = || self.asked.lock().is_some_and(|at| at.elapsed() < LOOKS);
        self.followers.taken() > 0 || asked()
    }

    /// Once a second.
    fn step(&self, plane: &Arc<ControlPlane>) {
        let mut rows = self.rows.lock();
        if self.is_watched() {
            usage::renew(plane);
            self.pass(plane, &mut rows);
            drop(rows);
            self.passes.send_modify(|count| *count += 1);
        } else if rows.passed.take().is_some() {
            rows.table.clear();
            rows.told.clear();
            self.forget_list();
        }
    }

    /// Takes a sample.
    pub fn sample(&self, plane: &ControlPlane) {
        let look = Look::now(&plane.settings);
        let count = Count::of(&plane.fleet, &look);
        let measured = Measured {
            at: look.now,
            active: count.tenants.active,
            attention: count.attention,
            cpu_percent: count::tenths(count.cpu_percent),
            memory_bytes: count.memory_bytes,
            ticks: Ticks::now(),
            machine_memory_bytes: machine::look(plane.settings.home.root()).memory_bytes,
        };
        self.samples.lock().add(&measured, messages(plane));
    }
}

fn messages(plane: &ControlPlane) -> Messages {
    let numbers = plane.recorder.log().numbers();
    Messages {
        received: numbers.messages_in.load(Ordering::Relaxed),
        sent: numbers.messages_out.load(Ordering::Relaxed),
    }
}

/// Runs until `shutdown`.
pub async fn run(plane: Arc<ControlPlane>, shutdown: CancellationToken) {
    let mut pass = tokio::time::interval(PASS);
    let mut sample = tokio::time::interval(SAMPLE);
    for timer in [&mut pass, &mut sample] {
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    }
    let mut measured: Option<Instant> = None;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = pass.tick() => plane.dashboard.step(&plane),
            _ = sample.tick() => {
                // Half a sample less, or the time that the asking takes would put it off by a whole one.
                let begun = Instant::now();
                let due = measured.is_none_or(|at| begun - at >= USAGE - SAMPLE / 2);
                if due || plane.dashboard.is_watched() {
                    usage::refresh(&plane).await;
                    note_usage(&plane);
                    measured = Some(begun);
                }
                // Before it is known what runs, a sample would tell of a fleet that stands still.
                if plane.fleet.is_heard() {
                    plane.dashboard.sample(&plane);
                }
            }
        }
    }
}

/// Puts what the workers use into their curves.
pub fn note_usage(plane: &ControlPlane) {
    let now = Utc::now();
    plane.fleet.each(|member| {
        let used = member.read(|snapshot| {
            let process = snapshot.process.as_ref()?;
            let ObservedState::Running { .. } = process.state else { return None };
            let (cpu_percent, memory_bytes) = (process.cpu_percent, process.memory_bytes);
            Some(Fact::Usage { cpu_percent, memory_bytes })
        });
        match used {
            Some(used) => member.activity.note(now, used),
            None => member.activity.tidy(now),
        }
    });
}
