//! What the dashboard knows of one process.

use std::collections::VecDeque;

use supervisor::wire::{ListRow, Phase, ProcessView};

/// How far back the charts go, in seconds. One sample a second; a few KiB a process.
pub const SPAN_SECONDS: u32 = 240;

/// One process: its row in the list, what events told of it, and its recent past.
pub struct Process {
    pub row: ListRow,
    /// More of it; absent until the first event.
    pub view: Option<Box<ProcessView>>,
    pub history: History,
}

/// What a process used at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Unix time in seconds.
    at: u32,
    cpu_percent: f32,
    memory_kib: u32,
}

/// The samples of the last [`SPAN_SECONDS`], oldest first.
#[derive(Debug, Default)]
pub struct History(VecDeque<Sample>);

/// A curve: the samples as (seconds before now, value), and the highest value.
#[derive(Debug, Default, PartialEq)]
pub struct Curve {
    pub points: Vec<(f64, f64)>,
    pub peak: f64,
}

impl Process {
    /// A process of which only the list told.
    pub fn of_row(row: ListRow) -> Self {
        Self { row, view: None, history: History::default() }
    }

    /// A process of which only an event told.
    pub fn of_view(view: ProcessView) -> Self {
        let row = ListRow::from(view.clone());
        Self { view: Some(Box::new(view)), ..Self::of_row(row) }
    }

    /// Takes a newer row. What it uses becomes part of its past.
    pub fn listed(&mut self, row: ListRow, now_ms: i64) {
        self.history.add(now_ms, row.cpu_percent, row.memory_bytes);
        self.row = row;
    }

    /// Takes what an event says. Events do not look at what a process uses: that stays, unless it ended.
    pub fn changed(&mut self, view: ProcessView) {
        let runs = view.pid.is_some();
        self.row = ListRow {
            cpu_percent: if runs { self.row.cpu_percent } else { 0.0 },
            memory_bytes: if runs { self.row.memory_bytes } else { 0 },
            ..ListRow::from(view.clone())
        };
        self.view = Some(Box::new(view));
    }

    /// How long it has been running, in milliseconds.
    pub fn uptime_ms(&self, now_ms: i64) -> Option<u64> {
        let started_at = self.row.pid.and(self.row.started_at)?;
        Some(u64::try_from(now_ms - started_at).unwrap_or_default())
    }

    /// Whether it runs or is about to, so that `s` stops it.
    pub const fn is_up(&self) -> bool {
        matches!(self.row.state, Phase::Launching | Phase::Online | Phase::WaitingRestart)
    }
}

impl History {
    fn add(&mut self, now_ms: i64, cpu_percent: f64, memory_bytes: u64) {
        let at = u32::try_from(now_ms / 1000).unwrap_or_default();
        // When the clock is set back, the samples from the future would stay for ever.
        while self.0.back().is_some_and(|sample| sample.at > at) {
            self.0.pop_back();
        }
        while self.0.front().is_some_and(|sample| at - sample.at >= SPAN_SECONDS)
            || self.0.len() >= SPAN_SECONDS as usize
        {
            self.0.pop_front();
        }
        let memory_kib = u32::try_from(memory_bytes / 1024).unwrap_or(u32::MAX);
        #[allow(clippy::cast_possible_truncation, reason = "a chart's precision suffices")]
        let cpu_percent = cpu_percent as f32;
        self.0.push_back(Sample { at, cpu_percent, memory_kib });
    }

    /// Processor use over time, in percent of one core.
    pub fn cpu(&self, now_ms: i64) -> Curve {
        self.curve(now_ms, |sample| f64::from(sample.cpu_percent))
    }

    /// Memory over time, in bytes.
    pub fn memory(&self, now_ms: i64) -> Curve {
        self.curve(now_ms, |sample| f64::from(sample.memory_kib) * 1024.0)
    }

    fn curve(&self, now_ms: i64, value: impl Fn(&Sample) -> f64) -> Curve {
        let mut curve = Curve::default();
        for sample in &self.0 {
            let value = value(sample);
            let ago = now_ms / 1000 - i64::from(sample.at);
            let ago = u32::try_from(ago.max(0)).unwrap_or(u32::MAX);
            curve.points.push((-f64::from(ago), value));
            curve.peak = curve.peak.max(value);
        }
        curve
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::command::monit::sample;

    #[test]
    fn an_event_keeps_what_is_used_until_the_end() {
        let mut process = Process::of_row(sample::row(1, "a"));
        process.listed(ListRow { cpu_percent: 7.0, memory_bytes: 2048, ..sample::row(1, "a") }, 0);
        process.changed(ProcessView { restarts: 9, ..sample::view(1, "a") });
        assert_eq!((process.row.cpu_percent, process.row.memory_bytes), (7.0, 2048));
        assert_eq!(process.row.restarts, 9);
        let ended = ProcessView { pid: None, state: Phase::Stopped, ..sample::view(1, "a") };
        process.changed(ended);
        assert_eq!((process.row.cpu_percent, process.row.memory_bytes), (0.0, 0));
        assert_eq!(process.uptime_ms(1), None);
    }

    #[test]
    fn a_curve_runs_from_the_past_to_now() {
        let mut history = History::default();
        history.add(10_000, 5.0, 1024);
        history.add(12_000, 20.0, 2048);
        assert_eq!(
            history.cpu(13_000),
            Curve { points: vec![(-3.0, 5.0), (-1.0, 20.0)], peak: 20.0 }
        );
        assert_eq!(history.memory(13_000).peak, 2048.0);
    }

    proptest! {
        #[test]
        fn the_past_is_bounded_and_in_order_whatever_the_clock_does(
            times in proptest::collection::vec(0_i64..2_000_000, 0..600),
        ) {
            let mut history = History::default();
            for at in times {
                history.add(at, 1.0, 1);
                prop_assert!(history.0.len() <= SPAN_SECONDS as usize);
                prop_assert!(history.0.iter().is_sorted_by_key(|sample| sample.at));
                let first = history.0.front().unwrap().at;
                prop_assert!(history.0.back().unwrap().at - first < SPAN_SECONDS);
            }
        }
    }
}
