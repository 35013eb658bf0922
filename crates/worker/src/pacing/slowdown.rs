//! What follows when WhatsApp says that it is too much: a pause, then a slower rate, and slowly back.
//! Pure, the caller brings the time; kept over restarts.

use api::pacing::Slowdown as Set;
use serde::{Deserialize, Serialize};

/// So often is the rate halved, and the pause doubled, at most.
const DEEPEST: u32 = 6;

/// How a clock may run wrong before what it stored is not believed, in milliseconds.
const WRONG_MS: i64 = 60_000;

/// How much slower the worker goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slowdown {
    /// How often the rate was halved.
    level: u32,
    /// When it was last, in milliseconds since the epoch.
    at_ms: i64,
}

impl Slowdown {
    /// WhatsApp refused a message; nothing changes while the pause of an earlier refusal lasts, for
    /// several messages may have been on their way.
    #[must_use]
    pub(super) fn struck(self, now_ms: i64, set: &Set) -> Option<Self> {
        if self.wait_ms(now_ms, set) > 0 {
            return None;
        }
        Some(Self { level: (self.level(now_ms, set) + 1).min(DEEPEST), at_ms: now_ms })
    }

    /// How often the rate is halved now.
    #[must_use]
    pub(super) fn level(self, now_ms: i64, set: &Set) -> u32 {
        if self.at_ms > now_ms + WRONG_MS {
            return 0;
        }
        // Recovery begins when the pause has ended.
        let since = (now_ms - self.at_ms - pause_ms(self.level, set)).max(0);
        let recovered = since / (i64::from(set.recovery_minutes.max(1)) * 60_000);
        self.level.saturating_sub(u32::try_from(recovered).unwrap_or(u32::MAX))
    }

    /// How many milliseconds nothing is sent yet.
    #[must_use]
    pub(super) fn wait_ms(self, now_ms: i64, set: &Set) -> u64 {
        let pause = pause_ms(self.level, set);
        if self.level == 0 || self.at_ms > now_ms + WRONG_MS {
            return 0;
        }
        u64::try_from((self.at_ms + pause - now_ms).min(pause)).unwrap_or(0)
    }

    /// The rate that is left of a full one.
    #[must_use]
    pub(super) fn rate(self, full: u32, now_ms: i64, set: &Set) -> u32 {
        (full >> self.level(now_ms, set)).max(1)
    }

    /// It in words, as of the refusal.
    pub(super) fn told(self, code: &str, full: u32, set: &Set) -> String {
        let pause = pause_ms(self.level, set) / 1000;
        let rate = self.rate(full, self.at_ms, set);
        let recovery = set.recovery_minutes;
        format!(
            "WhatsApp answers {code} (too much): nothing is sent for {pause} s, then at most {rate} messages a minute, twice as many after each {recovery} min without another refusal"
        )
    }
}

/// The pause of a level: it doubles with each.
fn pause_ms(level: u32, set: &Set) -> i64 {
    i64::from(set.pause_seconds.max(1)) * 1000 * (1 << level.saturating_sub(1).min(DEEPEST))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SET: Set = Set { pause_seconds: 60, recovery_minutes: 15 };

    #[test]
    fn a_refusal_pauses_and_halves_and_the_next_more_and_time_heals() {
        let first = Slowdown::default().struck(0, &SET).unwrap();
        assert_eq!((first.wait_ms(0, &SET), first.rate(10, 0, &SET)), (60_000, 5));
        assert_eq!(first.struck(59_999, &SET), None, "it was on its way already");
        let second = first.struck(60_000, &SET).unwrap();
        assert_eq!((second.wait_ms(60_000, &SET), second.rate(10, 60_000, &SET)), (120_000, 2));
        let healed = |minutes: i64| second.rate(10, 60_000 + 120_000 + minutes * 60_000, &SET);
        assert_eq!([healed(14), healed(15), healed(30)], [2, 5, 10]);
        assert_eq!(second.wait_ms(180_000, &SET), 0);
    }

    proptest! {
        #[test]
        fn no_clock_stops_it_for_longer_than_the_longest_pause(
            at_ms in 0_i64..10_000_000_000,
            now in 0_i64..10_000_000_000,
            level in 0_u32..=DEEPEST,
        ) {
            let slow = Slowdown { level, at_ms };
            let longest = 60_000 * (1 << (DEEPEST - 1));
            prop_assert!(slow.wait_ms(now, &SET) <= longest);
            prop_assert!(slow.rate(10, now, &SET) >= 1);
            prop_assert!(slow.level(now, &SET) >= slow.level(now + 60_000, &SET) || at_ms > now);
        }
    }
}
