//! A tenant's curves: one point a minute, the last two hours of them, in as little room as they need.

use api::live::{SeriesPoint, TenantSeries};
use chrono::DateTime;

/// How many points are kept.
const POINTS: u32 = 120;

/// The seconds from one point to the next.
const STEP: u32 = 60;

/// No figure.
const NOTHING: u32 = u32::MAX;

/// One minute. What does not fit is told as the most that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Point {
    memory_kib: u32,
    /// In tenths of a per cent; 6553 per cent are 65 processors.
    cpu_tenths: u16,
    received: u16,
    sent: u16,
}

const EMPTY: Point = Point { memory_kib: NOTHING, cpu_tenths: u16::MAX, received: 0, sent: 0 };

/// What happened, or was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fact {
    /// A message came in.
    Received,
    /// A message went out.
    Sent,
    /// What the worker uses.
    Usage {
        /// In per cent of one core.
        cpu_percent: f64,
        /// In bytes.
        memory_bytes: u64,
    },
}

/// The points of one tenant: a ring with the place of a minute at its number modulo the ring's length.
#[derive(Debug)]
pub struct Series {
    /// The newest minute, counted from 1970.
    newest: u32,
    /// The oldest minute of which something was ever known.
    oldest: u32,
    points: [Point; POINTS as usize],
}

impl Series {
    /// Without anything, beginning with the minute of a moment (seconds since 1970).
    #[must_use]
    pub fn new(seconds: i64) -> Self {
        let minute = minute(seconds);
        Self { newest: minute, oldest: minute, points: [EMPTY; POINTS as usize] }
    }

    /// Takes in a fact. A clock that was set back does not undo what was written: it counts for the newest minute.
    pub fn note(&mut self, seconds: i64, fact: Fact) {
        self.advance(minute(seconds));
        let Some(point) = self.points.get_mut(place(self.newest)) else { return };
        match fact {
            Fact::Received => point.received = point.received.saturating_add(1),
            Fact::Sent => point.sent = point.sent.saturating_add(1),
            Fact::Usage { cpu_percent, memory_bytes } => {
                point.cpu_tenths = tenths(cpu_percent);
                let kib = u32::try_from(memory_bytes / 1024).unwrap_or(NOTHING);
                point.memory_kib = kib.min(NOTHING - 1);
            }
        }
    }

    fn advance(&mut self, to: u32) {
        if to <= self.newest {
            return;
        }
        let skipped = (to - self.newest).min(POINTS);
        for minute in to - skipped + 1..=to {
            if let Some(point) = self.points.get_mut(place(minute)) {
                *point = EMPTY;
            }
        }
        self.newest = to;
        self.oldest = self.oldest.max(to.saturating_sub(POINTS - 1));
    }

    /// Whether all that is known is older than the series goes.
    #[must_use]
    pub fn is_over(&self, seconds: i64) -> bool {
        minute(seconds).saturating_sub(self.newest) >= POINTS
    }

    /// The points up to a moment.
    #[must_use]
    pub fn view(&self, seconds: i64) -> TenantSeries {
        let now = minute(seconds).max(self.newest);
        let first = self.oldest.max(now.saturating_sub(POINTS - 1));
        let point = |minute: u32| {
            let known = self.points.get(place(minute)).filter(|_| minute <= self.newest);
            let point = known.copied().unwrap_or(EMPTY);
            Some(SeriesPoint {
                at: DateTime::from_timestamp(i64::from(minute) * i64::from(STEP), 0)?,
                cpu_percent: (point.cpu_tenths != u16::MAX)
                    .then(|| f64::from(point.cpu_tenths) / 10.0),
                memory_bytes: (point.memory_kib != NOTHING)
                    .then(|| u64::from(point.memory_kib) * 1024),
                received: u64::from(point.received),
                sent: u64::from(point.sent),
            })
        };
        TenantSeries { step_seconds: STEP, points: (first..=now).filter_map(point).collect() }
    }
}

/// A series of which nothing is known.
#[must_use]
pub fn nothing() -> TenantSeries {
    TenantSeries { step_seconds: STEP, points: Vec::new() }
}

fn minute(seconds: i64) -> u32 {
    u32::try_from(seconds.div_euclid(i64::from(STEP))).unwrap_or(0)
}

const fn place(minute: u32) -> usize {
    (minute % POINTS) as usize
}

fn tenths(percent: f64) -> u16 {
    let most = f64::from(u16::MAX - 1);
    // In the bounds of the type by now.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
    let tenths = (percent * 10.0).round().clamp(0.0, most) as u16;
    tenths
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_point_is_small() {
        assert!(size_of::<Point>() <= 16);
    }

    #[test]
    fn what_was_measured_last_in_a_minute_stands_there() {
        let mut series = Series::new(6000);
        let usage = |cpu_percent, memory_bytes| Fact::Usage { cpu_percent, memory_bytes };
        series.note(6000, usage(1.0, 5 << 20));
        series.note(6059, usage(12.34, 7 << 20));
        series.note(6120, usage(f64::NAN, u64::MAX));
        let points = series.view(6130).points;
        let told: Vec<_> = points.iter().map(|it| (it.cpu_percent, it.memory_bytes)).collect();
        let most = u64::from(NOTHING - 1) * 1024;
        assert_eq!(told, [(Some(12.3), Some(7 << 20)), (None, None), (Some(0.0), Some(most))]);
        assert!(!series.is_over(6120 + 119 * 60) && series.is_over(6120 + 120 * 60));
    }

    proptest! {
        #[test]
        fn a_series_tells_what_a_plain_table_of_the_minutes_would(
            steps in prop::collection::vec((0_i64..4000, any::<bool>()), 1..60), wait in 0_i64..9000,
        ) {
            let start = 1_800_000_000_i64;
            let (mut now, mut series) = (start, Series::new(start));
            let mut table: BTreeMap<i64, (u64, u64)> = BTreeMap::new();
            for (step, came_in) in steps {
                now += step;
                series.note(now, if came_in { Fact::Received } else { Fact::Sent });
                let minute = table.entry(now.div_euclid(60)).or_default();
                if came_in { minute.0 += 1 } else { minute.1 += 1 }
            }
            now += wait;
            let last = now.div_euclid(60);
            let first = start.div_euclid(60).max(last - 119);
            let told = series.view(now).points;
            prop_assert_eq!(i64::try_from(told.len()).unwrap(), last - first + 1);
            for (minute, point) in (first..=last).zip(told) {
                prop_assert_eq!(point.at.timestamp(), minute * 60);
                let wanted = table.get(&minute).copied().unwrap_or_default();
                prop_assert_eq!((point.received, point.sent), wanted);
            }
        }
    }
}
