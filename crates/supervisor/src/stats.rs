//! Processor time and memory of whole trees, at most one look through `/proc` a second.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::process_table::{Census, ProcessTable};
use crate::wire::{ListRow, ProcessView};

/// How long a look is good for.
const FRESH: Duration = Duration::from_secs(1);

/// How long a look is good for the short list, which then has it renewed for the next one.
const STALE: Duration = Duration::from_secs(30);

/// Looks when asked, and remembers the last look.
#[derive(Debug)]
pub(crate) struct Stats {
    census: Census,
    last: Arc<Mutex<Arc<Look>>>,
}

#[derive(Debug)]
struct Look {
    at: Instant,
    trees: HashMap<i32, TreeUse>,
}

/// What a tree uses.
#[derive(Debug, Clone, Copy, PartialEq)]
struct TreeUse {
    /// Start of the main process: the same pid with another start is another process.
    start_ticks: u64,
    cpu_ticks: u64,
    cpu_percent: f64,
    memory_bytes: u64,
}

impl Stats {
    pub(crate) fn new(census: Census) -> Self {
        let nothing = Look { at: Instant::now(), trees: HashMap::new() };
        Self { census, last: Arc::new(Mutex::new(Arc::new(nothing))) }
    }

    /// Fills in what the views' processes use.
    pub(crate) async fn fill(&self, views: &mut [ProcessView]) {
        let pids: Vec<i32> = views.iter().filter_map(|view| main_pid(view.pid)).collect();
        let look = self.look(&pids, FRESH).await;
        for view in views {
            if let Some(used) = main_pid(view.pid).and_then(|pid| look.trees.get(&pid)) {
                view.cpu_percent = used.cpu_percent;
                view.memory_bytes = used.memory_bytes;
            }
        }
    }

    /// Fills in what the rows' processes use, at most [`STALE`] ago: a look at thousands of processes takes longer
    /// than a list of them may.
    pub(crate) async fn fill_rows(&self, rows: &mut [ListRow]) {
        let pids: Vec<i32> = rows.iter().filter_map(|row| main_pid(row.pid)).collect();
        let look = self.look(&pids, STALE).await;
        for row in rows {
            if let Some(used) = main_pid(row.pid).and_then(|pid| look.trees.get(&pid)) {
                row.cpu_percent = used.cpu_percent;
                row.memory_bytes = used.memory_bytes;
            }
        }
        if look.at.elapsed() >= FRESH {
            self.renew();
        }
    }

    /// A look that is younger than `age` and has all these processes.
    async fn look(&self, pids: &[i32], age: Duration) -> Arc<Look> {
        let mut last = self.last.lock().await;
        let good = |look: &Look| {
            look.at.elapsed() < age && pids.iter().all(|pid| look.trees.contains_key(pid))
        };
        if pids.is_empty() || good(&last) {
            return Arc::clone(&last);
        }
        let table = self.census.fresh().await;
        *last = Arc::new(look(&table, &self.census, &last));
        Arc::clone(&last)
    }

    /// Looks again, for whoever asks next. One at a time.
    fn renew(&self) {
        let (census, last) = (self.census.clone(), Arc::clone(&self.last));
        tokio::spawn(async move {
            // Somebody else is looking already.
            let Ok(mut last) = last.try_lock() else { return };
            let table = census.fresh().await;
            *last = Arc::new(look(&table, &census, &last));
        });
    }
}

fn main_pid(pid: Option<u32>) -> Option<i32> {
    pid.and_then(|pid| i32::try_from(pid).ok())
}

fn look(table: &ProcessTable, census: &Census, before: &Look) -> Look {
    let at = Instant::now();
    let mains = table.iter().filter(|stat| census.is_main(stat.pid));
    let trees = mains.map(|main| {
        let (mut cpu_ticks, mut pages) = (0_u64, 0_u64);
        for member in table.tree(&[main.pid], Some(main.pid)) {
            cpu_ticks = cpu_ticks.saturating_add(member.cpu_ticks);
            pages = pages.saturating_add(member.rss_pages);
        }
        let earlier = before.trees.get(&main.pid);
        let earlier = earlier.filter(|tree| tree.start_ticks == main.start_ticks);
        let earlier = earlier.map(|tree| (before.at, tree.cpu_ticks));
        let (since, ticks) = match earlier {
            Some((then, earlier)) => ((at - then).as_secs_f64(), cpu_ticks.saturating_sub(earlier)),
            None => (age_seconds(main.start_ticks), cpu_ticks),
        };
        let used = TreeUse {
            start_ticks: main.start_ticks,
            cpu_ticks,
            cpu_percent: percent(ticks, since),
            memory_bytes: pages.saturating_mul(rustix::param::page_size() as u64),
        };
        (main.pid, used)
    });
    Look { at, trees: trees.collect() }
}

#[allow(clippy::cast_precision_loss)]
fn percent(ticks: u64, seconds: f64) -> f64 {
    let per_second = rustix::param::clock_ticks_per_second() as f64;
    if seconds <= 0.0 {
        return 0.0;
    }
    (ticks as f64 / per_second / seconds * 1000.0).round() / 10.0
}

/// Age of a process that started so many clock ticks after boot; 0 when the machine does not tell.
#[allow(clippy::cast_precision_loss)]
fn age_seconds(start_ticks: u64) -> f64 {
    let uptime = std::fs::read_to_string("/proc/uptime").ok();
    let uptime = uptime.as_deref().and_then(|text| text.split_ascii_whitespace().next());
    let uptime: f64 = uptime.and_then(|seconds| seconds.parse().ok()).unwrap_or(0.0);
    uptime - start_ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}
