//! The last hour of the fleet: a ring of samples.

use std::collections::VecDeque;

use api::fleet::{FleetSample, MessageRate};
use chrono::{DateTime, Utc};

use super::machine::Ticks;

/// An hour, one sample each ten seconds.
const KEPT: usize = 360;

/// So many samples are a minute.
const MINUTE: usize = 6;

/// Messages since the server began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// That came in.
    pub received: u64,
    /// That went out.
    pub sent: u64,
}

impl Messages {
    fn since(self, before: Self) -> Self {
        Self {
            received: self.received.saturating_sub(before.received),
            sent: self.sent.saturating_sub(before.sent),
        }
    }
}

/// What a sample is made of, beside the messages.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// When.
    pub at: DateTime<Utc>,
    /// Tenants that are active.
    pub active: u64,
    /// Tenants that need attention.
    pub attention: u64,
    /// CPU of all workers.
    pub cpu_percent: f64,
    /// Memory of all workers.
    pub memory_bytes: u64,
    /// The processors' time.
    pub ticks: Option<Ticks>,
    /// Memory of the machine that is in use.
    pub machine_memory_bytes: u64,
}

/// The samples.
#[derive(Default)]
pub struct Samples {
    ring: VecDeque<FleetSample>,
    /// The messages as of the newest sample.
    messages: Messages,
    ticks: Option<Ticks>,
}

impl Samples {
    /// Takes a sample in. `messages` are those since the server began.
    pub fn add(&mut self, measured: &Measured, messages: Messages) {
        let step = messages.since(self.messages);
        self.messages = messages;
        let ticks = std::mem::replace(&mut self.ticks, measured.ticks);
        let machine = measured.ticks.zip(ticks).map(|(now, before)| now.percent_since(before));
        if self.ring.len() >= KEPT {
            self.ring.pop_front();
        }
        self.ring.push_back(FleetSample {
            at: measured.at,
            active: measured.active,
            attention: measured.attention,
            received: step.received,
            sent: step.sent,
            cpu_percent: measured.cpu_percent,
            machine_cpu_percent: machine.unwrap_or(0.0),
            memory_bytes: measured.memory_bytes,
            machine_memory_bytes: measured.machine_memory_bytes,
        });
    }

    /// All of them, oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<FleetSample> {
        self.ring.iter().copied().collect()
    }

    /// The newest.
    #[must_use]
    pub fn newest(&self) -> Option<FleetSample> {
        self.ring.back().copied()
    }

    /// The messages of the last minute's samples, and of the time since.
    #[must_use]
    pub fn rate(&self, messages: Messages) -> MessageRate {
        let rest = messages.since(self.messages);
        let begin = MessageRate { received: rest.received, sent: rest.sent };
        self.ring.iter().rev().take(MINUTE).fold(begin, |sum, sample| MessageRate {
            received: sum.received + sample.received,
            sent: sum.sent + sample.sent,
        })
    }
}

#[cfg(test)]
mod tests {
    use api::fleet::MessageRate;
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{KEPT, Measured, Messages, Samples};

    fn measured(step: usize) -> Measured {
        let seconds = i64::try_from(step).unwrap_or(0) * 10;
        Measured {
            at: DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(seconds),
            active: 1,
            attention: 0,
            cpu_percent: 0.5,
            memory_bytes: 1,
            ticks: None,
            machine_memory_bytes: 2,
        }
    }

    #[test]
    fn an_hour_is_kept_and_a_rate_is_of_the_last_minute() {
        let mut samples = Samples::default();
        let total = |step: usize| {
            let received = u64::try_from(step).unwrap();
            Messages { received, sent: 2 * received }
        };
        assert_eq!(samples.rate(total(3)), MessageRate { received: 3, sent: 6 });
        for step in 1..=KEPT + 10 {
            samples.add(&measured(step), total(step));
        }
        let all = samples.all();
        assert_eq!(all.len(), KEPT);
        assert!(all.iter().all(|sample| (sample.received, sample.sent) == (1, 2)));
        assert!(all.is_sorted_by(|one, two| one.at < two.at));
        assert_eq!(samples.newest(), all.last().copied());
        let later = Messages { received: total(KEPT + 10).received + 5, ..total(KEPT + 10) };
        assert_eq!(samples.rate(later), MessageRate { received: 11, sent: 12 });
    }
}
