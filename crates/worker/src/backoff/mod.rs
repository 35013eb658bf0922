//! How long to wait before the next attempt to connect: pure, no clock and no randomness of its own.
//!
//! The ceiling of the wait grows by a factor with every failure in a row, up to a cap. The wait
//! itself is drawn between a tenth of the ceiling and the ceiling ("full jitter" with a floor), so
//! that thousands of workers that lost WhatsApp at the same moment do not come back at the same one.

use std::time::Duration;

#[cfg(test)]
mod tests;

/// So many restarts in a row that WhatsApp asks for are obeyed at once.
const RESTARTS: u32 = 3;

/// The part of the ceiling below which no wait is drawn.
const FLOOR: f64 = 0.1;

/// The numbers of the backoff.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// The ceiling of the first wait.
    pub initial: Duration,
    /// What the ceiling is multiplied by after each failure; at least 1.
    pub factor: f64,
    /// The ceiling never grows beyond this.
    pub max: Duration,
    /// After so many failures in a row the worker gives up for [`Policy::probe`].
    pub attempts: u32,
    /// A connection that held this long counts as healthy: what comes after it is a new trouble.
    pub healthy: Duration,
    /// The wait between attempts of a worker that has given up; drawn between half of it and all.
    pub probe: Duration,
}

/// The failures so far.
#[derive(Clone, Debug)]
pub struct Backoff {
    policy: Policy,
    failures: u32,
    restarts: u32,
}

/// What to do after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// How long to wait before the next attempt.
    pub delay: Duration,
    /// How many attempts have failed in a row.
    pub failures: u32,
    /// How the failures stand to [`Policy::attempts`].
    pub standing: Standing,
}

/// How the failures in a row stand to the number after which the worker gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Fewer.
    Within,
    /// Exactly as many: the moment to say so.
    Reached,
    /// More: it has been said.
    Beyond,
}

impl Backoff {
    /// No failures yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, failures: 0, restarts: 0 }
    }

    /// An attempt failed. `jitter` is a random number in `0.0..=1.0`.
    pub fn failed(&mut self, jitter: f64) -> Wait {
        let ceiling = self.ceiling();
        self.failures = self.failures.saturating_add(1);
        let standing = match self.failures.cmp(&self.policy.attempts) {
            std::cmp::Ordering::Less => Standing::Within,
            std::cmp::Ordering::Equal => Standing::Reached,
            std::cmp::Ordering::Greater => Standing::Beyond,
        };
        let delay = match standing {
            Standing::Within => ceiling.mul_f64(FLOOR + (1.0 - FLOOR) * jitter.clamp(0.0, 1.0)),
            Standing::Reached | Standing::Beyond => self.probe(jitter),
        };
        Wait { delay, failures: self.failures, standing }
    }

    /// The wait of a worker that has given up. `jitter` is a random number in `0.0..=1.0`.
    #[must_use]
    pub fn probe(&self, jitter: f64) -> Duration {
        self.policy.probe.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
    }

    /// WhatsApp asks for a new connection; gives whether to make it at once. Only so often in a row,
    /// or a mistake on either side would become a storm.
    pub fn restart(&mut self) -> bool {
        self.restarts = self.restarts.saturating_add(1);
        self.restarts <= RESTARTS
    }

    /// A connection ended that had held for `held`; forgets the failures when that was
    /// [`Policy::healthy`], and says so.
    pub fn held(&mut self, held: Duration) -> bool {
        let healthy = held >= self.policy.healthy;
        if healthy {
            self.reset();
        }
        healthy
    }

    /// Forgets the failures.
    pub fn reset(&mut self) {
        (self.failures, self.restarts) = (0, 0);
    }

    /// The ceiling of the next wait.
    fn ceiling(&self) -> Duration {
        let max = self.policy.max.as_secs_f64();
        let grown = self.policy.factor.powi(i32::try_from(self.failures).unwrap_or(i32::MAX));
        // `min` also turns an overflow to infinity into the cap.
        Duration::from_secs_f64((self.policy.initial.as_secs_f64() * grown).min(max))
    }
}
