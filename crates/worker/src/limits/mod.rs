//! How many answers a tenant may send in a minute: pure, the caller brings the time.
//!
//! A sliding window, not a bucket that refills: in no 60 seconds, wherever they begin, are there
//! more sends than the limit.

use std::collections::VecDeque;

#[cfg(test)]
mod tests;

/// The window in milliseconds.
pub const WINDOW_MS: i64 = 60_000;

/// The sends of the last minute.
#[derive(Clone, Debug, Default)]
pub struct RateLimit {
    /// When they were sent, in milliseconds since the epoch, oldest first.
    sent: VecDeque<i64>,
}

impl RateLimit {
    /// A limiter that remembers sends (milliseconds since the epoch, any order) of an earlier
    /// process, so that a restart is no way round the limit.
    #[must_use]
    pub fn with_history(mut sent: Vec<i64>) -> Self {
        sent.sort_unstable();
        Self { sent: sent.into() }
    }

    /// How many milliseconds to wait until one more send is within `max` in a minute; 0: none.
    #[must_use]
    pub fn wait_ms(&mut self, now_ms: i64, max: u32) -> u64 {
        // A clock that was set back must not make the window last longer than a minute.
        self.sent.retain(|at| *at > now_ms - WINDOW_MS && *at <= now_ms);
        let max = usize::try_from(max.max(1)).unwrap_or(usize::MAX);
        match self.sent.len().checked_sub(max) {
            None => 0,
            Some(over) => {
                let frees = self.sent.get(over).map_or(0, |at| at + WINDOW_MS - now_ms);
                u64::try_from(frees).unwrap_or(0)
            }
        }
    }

    /// Notes a send.
    pub fn note(&mut self, now_ms: i64) {
        self.sent.push_back(now_ms);
    }
}
