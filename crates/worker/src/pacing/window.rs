//! How many messages go out in a span of time: pure, the caller brings the time.
//!
//! A sliding window, not a bucket that refills: in no span, wherever it begins, are there more sends
//! than the limit.

use std::collections::VecDeque;

#[cfg(test)]
mod tests;

/// The sends of the last span.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    /// When they were sent, in milliseconds since the epoch, oldest first.
    sent: VecDeque<i64>,
}

impl Window {
    /// How many milliseconds to wait until one more send is within `max` in a span; 0: none.
    #[must_use]
    pub(super) fn wait_ms(&mut self, now_ms: i64, max: u32, span_ms: i64) -> u64 {
        self.prune(now_ms, span_ms);
        if max == 0 {
            return u64::try_from(span_ms).unwrap_or(0);
        }
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        match self.sent.len().checked_sub(max) {
            None => 0,
            Some(over) => {
                let frees = self.sent.get(over).map_or(0, |at| at + span_ms - now_ms);
                u64::try_from(frees).unwrap_or(0)
            }
        }
    }

    /// Forgets what is older than a span. A clock that was set back must not make it last longer.
    pub(super) fn prune(&mut self, now_ms: i64, span_ms: i64) {
        self.sent.retain(|at| *at > now_ms - span_ms && *at <= now_ms);
    }

    /// Notes a send.
    pub(super) fn note(&mut self, now_ms: i64) {
        self.sent.push_back(now_ms);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }
}
