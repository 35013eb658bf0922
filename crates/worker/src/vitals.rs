//! What is measured of the worker while it works, for the heartbeat.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use api::link::WorkerHealth;

use crate::session::LastFrame;
use crate::store::Depths;
use crate::undecryptable::Undecryptable;

/// Counters that the parts of the worker write and the heartbeat reads.
#[derive(Clone, Debug, Default)]
pub struct Vitals {
    /// When the last frame came from WhatsApp.
    pub last_frame: LastFrame,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Milliseconds of the last ping, plus one; 0 before the first answer.
    ping: AtomicU64,
    decrypt_failures: AtomicU64,
    undecryptable: Mutex<Undecryptable>,
    connections: AtomicU64,
}

impl Vitals {
    /// A ping was answered after so long.
    pub fn ping(&self, took: Duration) {
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX - 1);
        self.counts.ping.store(took.saturating_add(1), Ordering::Relaxed);
    }

    /// A message could not be decrypted. What is to be told of it is returned, if anything.
    pub fn decrypt_failed(&self, chat: &str, id: &str) -> Option<String> {
        self.counts.decrypt_failures.fetch_add(1, Ordering::Relaxed);
        let mut sampler = self.counts.undecryptable.lock().unwrap_or_else(PoisonError::into_inner);
        sampler.tell(chat, id, Instant::now())
    }

    /// A connection was logged in.
    pub fn connected(&self) {
        self.counts.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// The worker's health with these queues, of this moment.
    #[must_use]
    pub fn health(&self, depths: Depths) -> WorkerHealth {
        let (rss_kb, pss_kb) = memory();
        WorkerHealth {
            ping_ms: self.counts.ping.load(Ordering::Relaxed).checked_sub(1),
            decrypt_failures: self.counts.decrypt_failures.load(Ordering::Relaxed),
            reconnects: self.counts.connections.load(Ordering::Relaxed).saturating_sub(1),
            inbox_pending: depths.inbox,
            outbox_pending: depths.outbox,
            events_pending: depths.events,
            rss_kb,
            pss_kb,
        }
    }
}

/// This process's resident memory and its fair share of it, in kB, where the kernel tells.
fn memory() -> (Option<u64>, Option<u64>) {
    let text = fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    (figure(&text, "Rss:"), figure(&text, "Pss:"))
}

fn figure(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_as_the_kernel_writes_them() {
        let text = "00400000-7ffc rollup\nRss:               11724 kB\nPss:                9929 kB\nPss_Anon:  1272 kB\n";
        assert_eq!(figure(text, "Rss:"), Some(11724));
        assert_eq!(figure(text, "Pss:"), Some(9929));
        assert_eq!(figure("", "Pss:"), None);
    }

    #[test]
    fn the_first_connection_is_no_reconnect_and_no_ping_is_no_figure() {
        let vitals = Vitals::default();
        vitals.connected();
        let health = vitals.health(Depths::default());
        assert_eq!((health.reconnects, health.ping_ms), (0, None));
        vitals.connected();
        vitals.ping(Duration::ZERO);
        let health = vitals.health(Depths::default());
        assert_eq!((health.reconnects, health.ping_ms), (1, Some(0)));
    }
}
