//! Stale workers: alive as a process, but no longer a working bot.
//!
//! [`verdict`] is the pure rule, [`detector`] applies it on a timer.
//!
//! - **Silent**: no heartbeat within the threshold. Heartbeats come from the worker's main loop and
//!   do not depend on WhatsApp, so a worker that waits for a scan or for its next try to connect
//!   goes on beating, and silence always means frozen.
//! - **Deaf**: the session says it is connected, but nothing has come from WhatsApp for too long. A
//!   session that waits for a scan or for its next try is never called deaf.

pub mod detector;

use std::time::Duration;

use api::session::SessionState;
use api::worker::HeartbeatMode;

/// A worker pings WhatsApp when the line is idle, finds a line that died within 55 s and mends it itself
/// (`docs/worker-contract.md`, `LIVENESS_…`). So silence on the line means something only when it lasts
/// longer: then the worker does not do its part.
const MIN_DEAF: Duration = Duration::from_secs(90);

/// What the rule looks at; ages are as of now.
#[derive(Clone, Debug)]
pub struct Signs {
    /// What counts as a sign of life.
    pub heartbeat: HeartbeatMode,
    /// Time since the last heartbeat, or since the process was started or first seen if there was none.
    pub silent_for: Duration,
    /// The session's state in the last heartbeat.
    pub session: SessionState,
    /// Time since the last frame from WhatsApp.
    pub last_frame_age: Option<Duration>,
    /// Time since the detector last restarted this worker.
    pub since_restart: Option<Duration>,
}

/// What to think of a worker whose process runs and is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong.
    Fine,
    /// Something is wrong; `restart` says whether a restart is due now.
    Stale {
        /// In words, for `last_error`.
        reason: String,
        /// Whether to restart: at most once within a threshold.
        restart: bool,
    },
}

/// Judges one worker.
#[must_use]
pub fn verdict(signs: &Signs, threshold: Duration) -> Verdict {
    if signs.heartbeat == HeartbeatMode::Process {
        return Verdict::Fine;
    }
    let reason = if signs.silent_for > threshold {
        format!("stale: no heartbeat for {:.0} s", signs.silent_for.as_secs_f64())
    } else if let (SessionState::Connected, Some(age)) = (signs.session, signs.last_frame_age)
        && age + signs.silent_for > threshold.max(MIN_DEAF)
    {
        format!("stale: connected, but nothing heard from WhatsApp for {:.0} s", age.as_secs_f64())
    } else {
        return Verdict::Fine;
    };
    Verdict::Stale { reason, restart: signs.since_restart.is_none_or(|since| since > threshold) }
}

#[cfg(test)]
mod tests;
