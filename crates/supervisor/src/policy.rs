//! When a process that ended by itself starts again: a pure decision, without clock or chance of its own.

use std::collections::VecDeque;

use crate::process::Exit;
use crate::spec::RestartPolicy;

/// What one process's exits have led to so far. Begins afresh at each start that somebody asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RestartLedger {
    /// Restarts in a row since the last healthy run; the exponent of the delay.
    attempts: u32,
    /// Times of unstable exits within the policy's window, oldest first, in the caller's milliseconds.
    unstable: VecDeque<u64>,
}

/// How a run ended, and when.
#[derive(Debug, Clone, Copy)]
pub struct EndedRun {
    /// How it ended; `None` when it could not even be executed.
    pub exit: Option<Exit>,
    /// How long it ran.
    pub uptime_ms: u64,
    /// The time now, on any clock that does not go backwards.
    pub now_ms: u64,
    /// Chance for the jitter, in `0.0..=1.0`.
    pub chance: f64,
}

/// What to do after an exit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Start again after this delay.
    Restart {
        /// Milliseconds from now.
        delay_ms: u64,
    },
    /// It ended too often too soon; only a request brings it back.
    GiveUp {
        /// Why, for people.
        reason: String,
    },
    /// It is not to be started again, and that is no failure.
    Rest,
}

impl RestartLedger {
    /// How many unstable exits count at present.
    #[must_use]
    pub fn unstable(&self) -> u32 {
        u32::try_from(self.unstable.len()).unwrap_or(u32::MAX)
    }

    /// Takes note of an exit and decides.
    pub fn on_exit(&mut self, policy: &RestartPolicy, run: &EndedRun) -> Verdict {
        let stops_here =
            matches!(run.exit, Some(Exit::Code(code)) if policy.stop_exit_codes.contains(&code));
        if !policy.autorestart || stops_here {
            return Verdict::Rest;
        }
        if run.uptime_ms >= policy.healthy_uptime_ms {
            self.attempts = 0;
            self.unstable.clear();
        }
        let oldest = run.now_ms.saturating_sub(policy.restart_window_ms);
        while self.unstable.front().is_some_and(|at| *at < oldest) {
            self.unstable.pop_front();
        }
        if run.exit.is_none() || run.uptime_ms < policy.min_uptime_ms {
            self.unstable.push_back(run.now_ms);
        }
        if self.unstable() >= policy.max_restarts {
            return Verdict::GiveUp { reason: give_up_reason(policy, run, self.unstable()) };
        }
        let delay_ms = delay(policy, self.attempts, run.chance);
        self.attempts = self.attempts.saturating_add(1);
        Verdict::Restart { delay_ms }
    }
}

fn give_up_reason(policy: &RestartPolicy, run: &EndedRun, count: u32) -> String {
    let last = match run.exit {
        Some(exit) => format!("last with {exit}"),
        None => "last because it could not be executed".to_owned(),
    };
    format!("ended {count} times within {} ms of its start, {last}", policy.min_uptime_ms)
}

/// The delay before restart number `attempt` (from 0): exponential with a cap, then up to a fifth less by
/// chance, so that processes that fell together do not rise together.
fn delay(policy: &RestartPolicy, attempt: u32, chance: f64) -> u64 {
    let full = (0..attempt).try_fold(policy.backoff_initial_ms, |delay, _| {
        let next = delay.saturating_mul(3) / 2;
        // A delay of 0 or 1 ms would never grow by halves.
        let next = next.max(delay.saturating_add(u64::from(delay > 0)));
        if next >= policy.backoff_cap_ms { Err(policy.backoff_cap_ms) } else { Ok(next) }
    });
    let full = full.unwrap_or_else(|cap| cap).min(policy.backoff_cap_ms);
    let most_off = full / 5;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let off = (most_off as f64 * chance.clamp(0.0, 1.0)) as u64;
    full - off.min(most_off)
}

#[cfg(test)]
mod tests;
