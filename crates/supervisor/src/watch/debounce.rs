//! Many changes in a short time are one: a pure decision.

use std::time::{Duration, Instant};

/// However restless the files are, a change is reported after so many delays.
const MOST_DELAYS: u32 = 10;

/// Changes that were not reported yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Burst {
    first: Instant,
    last: Instant,
}

impl Burst {
    /// Takes note of a change.
    pub(super) fn note(burst: Option<Self>, now: Instant) -> Self {
        Self { first: burst.map_or(now, |burst| burst.first), last: now }
    }

    /// When to report it: after `delay` without a change, or ten times that after the first change.
    pub(super) fn due(&self, delay: Duration) -> Instant {
        (self.last + delay).min(self.first + delay.saturating_mul(MOST_DELAYS))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_waits_for_quiet_but_not_for_ever(
            delay_ms in 0_u64..1000,
            gaps in prop::collection::vec(0_u64..2000, 1..100),
        ) {
            let start = Instant::now();
            let delay = Duration::from_millis(delay_ms);
            let (mut now, mut burst) = (start, None);
            for gap in gaps {
                now += Duration::from_millis(gap);
                burst = Some(Burst::note(burst, now));
            }
            let due = burst.unwrap().due(delay);
            let first = burst.unwrap().first;
            prop_assert!(due <= first + delay * 10);
            prop_assert!(due == now + delay || due == first + delay * 10);
        }
    }
}
