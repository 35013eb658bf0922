//! The pace at which a control plane that does not answer is asked again, and what is logged of it.

use std::time::Duration;

use api::client::ClientError;

/// The ceiling of the first wait.
const FIRST: Duration = Duration::from_millis(250);

/// The ceiling never grows beyond this: a control plane that is back is found soon.
const CAP: Duration = Duration::from_secs(5);

/// Failures in a row of one kind of call.
#[derive(Debug)]
pub(super) struct Pace {
    call: &'static str,
    failures: u32,
}

impl Pace {
    pub(super) fn new(call: &'static str) -> Self {
        Self { call, failures: 0 }
    }

    /// The call was answered.
    pub(super) fn answered(&mut self) {
        if self.failures > 0 {
            tracing::info!(call = self.call, failures = self.failures, "the control plane is back");
        }
        self.failures = 0;
    }

    /// The call failed: how long to wait. Said aloud once, then quietly.
    pub(super) fn failed(&mut self, error: &ClientError) -> Duration {
        if self.failures == 0 {
            tracing::warn!(call = self.call, %error, "the control plane does not take this; the worker goes on and asks again");
        } else {
            tracing::debug!(call = self.call, %error, failures = self.failures, "still not taken");
        }
        let wait = ceiling(self.failures).mul_f64(0.5 + rand::random::<f64>() / 2.0);
        self.failures = self.failures.saturating_add(1);
        wait
    }
}

fn ceiling(failures: u32) -> Duration {
    FIRST.saturating_mul(1 << failures.min(16)).min(CAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_the_cap() {
        let ms: Vec<u128> = (0..7).map(|n| ceiling(n).as_millis()).collect();
        assert_eq!(ms, [250, 500, 1000, 2000, 4000, 5000, 5000]);
        assert_eq!(ceiling(u32::MAX), CAP);
    }
}
