//! When a process that ended by itself starts again: a pure decision, without clock or chance of its own.
//!
//! Two ways of failing too often are told apart. A run that did not even last `min_uptime_ms` is *unstable*,
//! whatever its exit; a run that failed (a signal, another code than 0, a program that could not be executed)
//! before `healthy_uptime_ms` is a *crash*. The first catches programs that cannot start, the second slow
//! crash loops, which seem to start well each time.

use std::collections::VecDeque;

use crate::process::Exit;
use crate::spec::RestartPolicy;

/// Limits above this are taken as none, and so many times are remembered at most: it bounds the memory, and who
/// writes such a number means "always".
const MOST_COUNTED: usize = 1000;

/// What one process's exits have led to so far. Begins afresh at each start that somebody asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RestartLedger {
    /// Restarts in a row since the last healthy run; the exponent of the delay.
    attempts: u32,
    unstable: Recent,
    crashes: Recent,
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

impl EndedRun {
    fn is_unstable(&self, policy: &RestartPolicy) -> bool {
        self.exit.is_none() || self.uptime_ms < policy.min_uptime_ms
    }

    fn is_crash(&self, policy: &RestartPolicy) -> bool {
        match self.exit {
            None => true,
            // Of an exit that nobody saw nothing is said against the process.
            Some(Exit::Code(0) | Exit::Unknown) => false,
            Some(Exit::Code(_) | Exit::Signal(_)) => self.uptime_ms < policy.healthy_uptime_ms,
        }
    }
}

impl RestartLedger {
    /// How many unstable exits count at present.
    #[must_use]
    pub fn unstable(&self) -> u32 {
        self.unstable.count()
    }

    /// How many crashes count at present.
    #[must_use]
    pub fn crashes(&self) -> u32 {
        self.crashes.count()
    }

    /// Takes note of an exit and decides.
    pub fn on_exit(&mut self, policy: &RestartPolicy, run: &EndedRun) -> Verdict {
        let stops_here =
            matches!(run.exit, Some(Exit::Code(code)) if policy.stop_exit_codes.contains(&code));
        if !policy.autorestart || stops_here {
            return Verdict::Rest;
        }
        if run.exit.is_some() {
            self.forgive(policy, run.uptime_ms);
        }
        self.unstable.forget_before(run.now_ms.saturating_sub(policy.restart_window_ms));
        self.crashes.forget_before(run.now_ms.saturating_sub(policy.crash_window_ms));
        if run.is_unstable(policy) {
            self.unstable.note(run.now_ms);
            if self.unstable.reaches(policy.max_restarts) {
                return Verdict::GiveUp { reason: unstable_reason(policy, run, self.unstable()) };
            }
        }
        if run.is_crash(policy) {
            self.crashes.note(run.now_ms);
            if policy.max_crashes > 0 && self.crashes.reaches(policy.max_crashes) {
                return Verdict::GiveUp { reason: crash_reason(policy, run, self.crashes()) };
            }
        }
        let delay_ms = delay(policy, self.attempts, run.chance);
        self.attempts = self.attempts.saturating_add(1);
        Verdict::Restart { delay_ms }
    }

    /// Takes note that a run was ended by the supervisor itself in order to start it anew (its memory limit, changed
    /// files, cron). Nothing is held against it; if it was healthy, the delays begin afresh.
    pub fn on_deliberate_restart(&mut self, policy: &RestartPolicy, uptime_ms: u64) {
        self.forgive(policy, uptime_ms);
    }

    /// Crashes stay counted: a process that crashes every few minutes must not be excused by one good run.
    fn forgive(&mut self, policy: &RestartPolicy, uptime_ms: u64) {
        if uptime_ms >= policy.healthy_uptime_ms {
            self.attempts = 0;
            self.unstable.0.clear();
        }
    }
}

/// Times of what happened lately, oldest first, in the caller's milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Recent(VecDeque<u64>);

impl Recent {
    fn count(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    fn reaches(&self, limit: u32) -> bool {
        usize::try_from(limit).is_ok_and(|limit| limit <= MOST_COUNTED && self.0.len() >= limit)
    }

    fn note(&mut self, now_ms: u64) {
        if self.0.len() >= MOST_COUNTED {
            self.0.pop_front();
        }
        self.0.push_back(now_ms);
    }

    fn forget_before(&mut self, oldest_ms: u64) {
        while self.0.front().is_some_and(|at| *at < oldest_ms) {
            self.0.pop_front();
        }
    }
}

fn unstable_reason(policy: &RestartPolicy, run: &EndedRun, count: u32) -> String {
    format!(
        "ended {count} times within {} of its start in the last {} (max_restarts), last {}",
        span(policy.min_uptime_ms),
        span(policy.restart_window_ms),
        last(run)
    )
}

fn crash_reason(policy: &RestartPolicy, run: &EndedRun, count: u32) -> String {
    format!(
        "failed {count} times within {} of its start in the last {} (max_crashes), last {}",
        span(policy.healthy_uptime_ms),
        span(policy.crash_window_ms),
        last(run)
    )
}

fn last(run: &EndedRun) -> String {
    match run.exit {
        Some(exit) => format!("after {} with {exit}", span(run.uptime_ms)),
        None => "because it could not be executed".to_owned(),
    }
}

/// A length of time for people, in the largest unit that leaves no rest.
fn span(ms: u64) -> String {
    match ms {
        ms if ms > 0 && ms % 3_600_000 == 0 => format!("{} h", ms / 3_600_000),
        ms if ms > 0 && ms % 60_000 == 0 => format!("{} min", ms / 60_000),
        ms if ms > 0 && ms % 1000 == 0 => format!("{} s", ms / 1000),
        ms => format!("{ms} ms"),
    }
}

/// The delay before restart number `attempt` (from 0): exponential with a cap, then a part of it less by chance, so
/// that processes that fell together do not rise together, and never less than the fixed delay.
fn delay(policy: &RestartPolicy, attempt: u32, chance: f64) -> u64 {
    let full = growing_delay(policy, attempt);
    let percent = u64::from(policy.backoff_jitter_percent.min(100));
    let most_off = full.saturating_mul(percent) / 100;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let off = (most_off as f64 * chance.clamp(0.0, 1.0)) as u64;
    (full - off.min(most_off)).max(policy.restart_delay_ms)
}

fn growing_delay(policy: &RestartPolicy, attempt: u32) -> u64 {
    let (initial, cap) = (policy.backoff_initial_ms, policy.backoff_cap_ms);
    if initial == 0 {
        return 0;
    }
    let grown = (0..attempt).try_fold(initial, |delay, _| {
        // A delay of 1 ms would never grow by halves.
        let next = (delay.saturating_mul(3) / 2).max(delay.saturating_add(1));
        if next >= cap { Err(cap) } else { Ok(next) }
    });
    grown.unwrap_or_else(|cap| cap).min(cap)
}

#[cfg(test)]
mod tests;
