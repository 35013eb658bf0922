//! Who needs attention, and why: one pure rule.
//!
//! A tenant may have several reasons at once; the most urgent is told. What is stopped on purpose needs nothing, but a
//! limit that was run into is told there too: messages may wait for the bot.

use std::time::Duration;

use api::fleet::{AttentionKind, HeartbeatHealth};
use api::link::{PairingStep, Trouble};
use api::session::SessionState;
use api::worker::{DesiredState, WorkerStatus};
use chrono::{DateTime, TimeDelta, Utc};
use runtime::ObservedState;

use super::health;
use crate::fleet::{Snapshot, view};

/// How long a limit that was run into is worth a look.
const LIMIT_SHOWN: TimeDelta = TimeDelta::minutes(10);

/// The longest part of a reason that somebody else wrote, in characters.
const LONGEST: usize = 300;

/// What the rule looks at.
#[derive(Clone, Debug)]
pub struct Signs<'s> {
    /// Whether the worker is wanted to run.
    pub wanted: bool,
    /// What is observed of the worker.
    pub status: WorkerStatus,
    /// How its signs of life come.
    pub heartbeat: HeartbeatHealth,
    /// Whether a stale worker still gives signs of life: then it is deaf.
    pub beats: bool,
    /// How often the process was started again.
    pub restarts: u32,
    /// What the session says that it cannot mend by itself.
    pub trouble: Option<&'s Trouble>,
    /// The session's state.
    pub session: SessionState,
    /// How far the pairing has come.
    pub pairing: Option<PairingStep>,
    /// When a limit was last run into.
    pub limit_hit: Option<DateTime<Utc>>,
}

impl<'s> Signs<'s> {
    /// Those of a tenant; see [`health::of`] for `interval`. A heartbeat older than `threshold` is none.
    #[must_use]
    pub fn of(
        snapshot: &'s Snapshot,
        limit_hit: Option<DateTime<Utc>>,
        interval: Duration,
        threshold: Duration,
    ) -> Self {
        let link = snapshot.live_link();
        let failed = matches!(
            snapshot.process.as_ref().map(|process| &process.state),
            Some(ObservedState::Failed { .. } | ObservedState::Backoff { .. })
        );
        let restarts = snapshot.process.as_ref().filter(|_| failed).map_or(0, |it| it.restarts);
        Self {
            wanted: snapshot.record.worker.desired == DesiredState::Running,
            status: view::worker_status(snapshot),
            heartbeat: health::of(snapshot, interval),
            beats: link.is_some_and(|link| link.heard.elapsed() <= threshold),
            restarts,
            trouble: view::trouble(snapshot),
            session: view::session_state(snapshot),
            pairing: link.and_then(|link| link.session.pairing),
            limit_hit,
        }
    }

    /// Why somebody should look at it at this moment, if for anything.
    #[must_use]
    pub fn kind(&self, now: DateTime<Utc>) -> Option<AttentionKind> {
        let limit = self.limit_hit.is_some_and(|at| now - at < LIMIT_SHOWN);
        let limit = limit.then_some(AttentionKind::LimitHit);
        if !self.wanted {
            return limit;
        }
        match self.status {
            _ if self.heartbeat == HeartbeatHealth::Stale => Some(AttentionKind::Stale),
            WorkerStatus::Backoff => Some(AttentionKind::RestartLoop),
            WorkerStatus::Error if self.trouble.is_some() => Some(AttentionKind::Trouble),
            WorkerStatus::Error if self.restarts > 0 => Some(AttentionKind::RestartLoop),
            WorkerStatus::Error => Some(AttentionKind::Failed),
            _ if self.session == SessionState::LoggedOut => Some(AttentionKind::LoggedOut),
            WorkerStatus::Running if self.waits_for_a_scan() => Some(AttentionKind::QrWaiting),
            WorkerStatus::Stopped
            | WorkerStatus::Starting
            | WorkerStatus::Running
            | WorkerStatus::Stopping => limit,
        }
    }

    fn waits_for_a_scan(&self) -> bool {
        let ended = matches!(
            self.pairing,
            Some(
                PairingStep::TimedOut
                    | PairingStep::Cancelled
                    | PairingStep::Refused
                    | PairingStep::PasskeyNeeded
            )
        );
        self.session == SessionState::QrReady
            || (ended && self.session == SessionState::Disconnected)
    }

    /// The reason in a sentence; `last_error` is what the worker ended with. It does not change while nothing does:
    /// no ages stand in it.
    #[must_use]
    pub fn reason(&self, kind: AttentionKind, last_error: Option<&str>) -> String {
        match kind {
            AttentionKind::Stale if self.beats => {
                "The bot is connected but hears nothing from WhatsApp.".to_owned()
            }
            AttentionKind::Stale => "The worker gives no sign of life.".to_owned(),
            AttentionKind::RestartLoop if self.status == WorkerStatus::Backoff => {
                because("The worker died and is started again", last_error)
            }
            AttentionKind::RestartLoop => {
                because("The worker died again and again and is not started any more", last_error)
            }
            AttentionKind::Failed => because("The worker failed", last_error),
            AttentionKind::Trouble => {
                let detail = self.trouble.map(|trouble| trouble.detail.as_str());
                because("The session needs help", detail)
            }
            AttentionKind::LoggedOut => {
                "The phone or WhatsApp has logged the bot out; it has to be connected anew."
                    .to_owned()
            }
            AttentionKind::QrWaiting => match self.pairing {
                Some(PairingStep::Code) => "A pairing code waits to be typed into the phone.",
                Some(PairingStep::TimedOut) => {
                    "Nobody scanned the codes in time; none is shown now."
                }
                Some(PairingStep::Cancelled) => "The pairing was called off; no code is shown now.",
                Some(PairingStep::Refused) => "WhatsApp refused to give a pairing code.",
                Some(PairingStep::PasskeyNeeded) => {
                    "The phone asks for a passkey, which the bot cannot give."
                }
                Some(PairingStep::Qr | PairingStep::CodeRequested) | None => {
                    "A QR code waits to be scanned."
                }
            }
            .to_owned(),
            AttentionKind::LimitHit => {
                "A limit was run into in the last ten minutes; see the events.".to_owned()
            }
        }
    }
}

fn because(what: &str, why: Option<&str>) -> String {
    match why.map(str::trim).filter(|why| !why.is_empty()) {
        None => format!("{what}."),
        Some(why) if why.chars().nth(LONGEST).is_some() => {
            let part: String = why.chars().take(LONGEST).collect();
            format!("{what}: {part}…")
        }
        Some(why) => format!("{what}: {why}"),
    }
}

#[cfg(test)]
mod tests;
