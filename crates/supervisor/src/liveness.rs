//! When a process that does not answer any more is given up: a pure count of answers.

/// Counts the failures in a row of one run of a process.
#[derive(Debug, Clone)]
pub(crate) struct LivenessLedger {
    limit: u32,
    failures: u32,
}

/// What the answers so far say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Health {
    /// It answered.
    Healthy,
    /// It failed so many times in a row, which is not enough yet.
    Failing(u32),
    /// It failed too often; restart it.
    Dead {
        /// Why, for people.
        reason: String,
    },
}

impl LivenessLedger {
    /// `limit` failures in a row are too many; at least 1.
    pub(crate) fn new(limit: u32) -> Self {
        Self { limit: limit.max(1), failures: 0 }
    }

    /// Takes note of an answer, or of why there was none.
    pub(crate) fn on_answer(&mut self, answer: Result<(), String>) -> Health {
        let Err(problem) = answer else {
            self.failures = 0;
            return Health::Healthy;
        };
        self.failures = self.failures.saturating_add(1);
        if self.failures < self.limit {
            return Health::Failing(self.failures);
        }
        let reason = match self.failures {
            1 => format!("not alive: {problem}"),
            failures => format!("not alive: failed {failures} times in a row, last: {problem}"),
        };
        Health::Dead { reason }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_dead_exactly_after_so_many_failures_in_a_row(
            limit in 0_u32..6,
            answers in prop::collection::vec(any::<bool>(), 0..100),
        ) {
            let mut ledger = LivenessLedger::new(limit);
            let mut in_a_row = 0;
            for answered in answers {
                in_a_row = if answered { 0 } else { in_a_row + 1 };
                let health = ledger.on_answer(if answered { Ok(()) } else { Err("silence".into()) });
                match health {
                    Health::Healthy => prop_assert!(answered),
                    Health::Failing(failures) => {
                        prop_assert_eq!(failures, in_a_row);
                        prop_assert!(failures < limit.max(1));
                    }
                    Health::Dead { reason } => {
                        prop_assert!(in_a_row >= limit.max(1));
                        prop_assert!(reason.ends_with("silence"));
                    }
                }
            }
        }
    }
}
