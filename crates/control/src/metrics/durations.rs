//! How long something takes, counted by bounds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::page::Family;

/// Bounds in seconds: what is answered from memory takes well under a millisecond, a commit some milliseconds, a
/// lifecycle request seconds.
pub const BOUNDS: [f64; 12] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0];

/// Durations since the start of the process.
#[derive(Default)]
pub struct Durations {
    counts: [AtomicU64; BOUNDS.len()],
    beyond: AtomicU64,
    sum_us: AtomicU64,
}

impl Durations {
    /// Counts one.
    pub fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound);
        let count = bucket.map_or(&self.beyond, |bucket| &self.counts[bucket]);
        count.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.sum_us.fetch_add(micros, Ordering::Relaxed);
    }

    /// Writes what was counted.
    pub fn write(&self, family: &mut Family<'_>, labels: &[(&str, &str)]) {
        let counts = std::array::from_fn::<_, { BOUNDS.len() }, _>(|bucket| {
            self.counts[bucket].load(Ordering::Relaxed)
        });
        let sum = Duration::from_micros(self.sum_us.load(Ordering::Relaxed)).as_secs_f64();
        family.histogram(labels, &BOUNDS, &counts, self.beyond.load(Ordering::Relaxed), sum);
    }
}
