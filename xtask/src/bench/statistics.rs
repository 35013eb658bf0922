//! Figures that stand for many measurements.

use std::time::Duration;

/// What a series of measured times comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    pub min: Duration,
    pub median: Duration,
    pub p95: Duration,
    pub p99: Duration,
    pub max: Duration,
}

impl Summary {
    /// The figures of a series; none of an empty one.
    pub fn of(times: &[Duration]) -> Option<Self> {
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        Some(Self {
            min: *sorted.first()?,
            median: percentile(&sorted, 50)?,
            p95: percentile(&sorted, 95)?,
            p99: percentile(&sorted, 99)?,
            max: *sorted.last()?,
        })
    }
}

/// The smallest time of a sorted series that `per_cent` of it (0 to 100) do not exceed: always one
/// that was measured, never a mean of two (the nearest-rank method).
fn percentile(sorted: &[Duration], per_cent: usize) -> Option<Duration> {
    let rank = (sorted.len() * per_cent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

/// A time in milliseconds.
pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Summary, milliseconds, percentile};

    fn times(milliseconds: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        milliseconds.into_iter().map(Duration::from_millis).collect()
    }

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let hundred = times(1..=100);
        assert_eq!(percentile(&hundred, 50), Some(Duration::from_millis(50)));
        assert_eq!(percentile(&hundred, 95), Some(Duration::from_millis(95)));
        assert_eq!(percentile(&hundred, 100), Some(Duration::from_millis(100)));
        assert_eq!(percentile(&hundred, 0), Some(Duration::from_millis(1)));
        let five = times([15, 20, 35, 40, 50]);
        assert_eq!(percentile(&five, 30), Some(Duration::from_millis(20)));
        assert_eq!(percentile(&five, 95), Some(Duration::from_millis(50)));
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn the_order_of_a_series_does_not_matter() {
        let summary = Summary::of(&times([3, 1, 2])).unwrap();
        assert_eq!(summary, Summary::of(&times([1, 2, 3])).unwrap());
        assert_eq!(summary.min, Duration::from_millis(1));
        assert_eq!(summary.median, Duration::from_millis(2));
        assert_eq!(summary.p95, Duration::from_millis(3));
        assert_eq!(summary.max, Duration::from_millis(3));
    }

    #[test]
    fn one_measurement_is_all_its_figures_and_none_has_no_figures() {
        let one = Duration::from_micros(1500);
        let summary = Summary::of(&[one]).unwrap();
        assert_eq!(summary, Summary { min: one, median: one, p95: one, p99: one, max: one });
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn milliseconds_keep_their_fraction() {
        assert!((milliseconds(Duration::from_micros(1500)) - 1.5).abs() < 1e-9);
    }
}
