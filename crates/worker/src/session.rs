//! The session as this worker sees it: one phase at a time, published as a snapshot.
//!
//! ```text
//!     ┌──────────────── connection lost, or not made ─────────────────────┐
//!     ▼                                                                   │
//! Connecting ──► Scan ⇄ TypeCode ──(phone links)──► Connecting ──► Connected
//!  ▲  ▲  ▲            └─(unused)─► Unpaired ─(asked for)─┐              │
//!  │  │  └───────────────────────────────────────────────┘              │
//!  │  └── Waiting (between attempts), Stuck (after the last one) ◄──────┤
//!  └──────────── LoggedOut ◄──────────────────────── (phone unlinks) ───┘
//! ```
//!
//! `Stuck` is what makes the worker's status `ERROR`; it is left by a rare attempt or by an operator.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use api::link::{PairingCode, PairingStep, QrCode, SessionReport, Trouble};
use api::session::SessionState;
use chrono::{DateTime, Utc};
use tokio::sync::watch;

#[cfg(test)]
mod tests;

/// What the session is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A connection is being made.
    Connecting {
        /// Why the one before ended or was not made.
        earlier: Option<String>,
    },
    /// Between two attempts.
    Waiting {
        /// Why there is no connection.
        detail: String,
        /// When the next attempt is made.
        retry_at: DateTime<Utc>,
    },
    /// A code waits to be scanned.
    Scan(QrCode),
    /// A code waits to be typed into the phone.
    TypeCode(PairingCode),
    /// There is no login and no code is shown; only a person's wish for one changes that.
    Unpaired {
        /// Why, and what to do.
        detail: String,
    },
    /// Trying again soon would not help.
    Stuck {
        /// What happened, and what to do.
        trouble: Trouble,
        /// When it is tried all the same; `None`: when somebody asks for it.
        retry_at: Option<DateTime<Utc>>,
    },
    /// Logged in and connected.
    Connected {
        /// Since when.
        since: Instant,
    },
    /// The login was ended; only the operator brings a new one.
    LoggedOut {
        /// Who ended it, and what to do.
        detail: String,
    },
}

/// A snapshot of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What it is doing.
    pub phase: Phase,
    /// The WhatsApp address of the stored login, if there is one.
    pub login: Option<String>,
    /// How far the pairing is; `None` with a login.
    pub pairing: Option<PairingStep>,
    /// The newest wish about the pairing that was heard.
    pub pairing_request: Option<u64>,
}

impl Snapshot {
    /// Whether messages can be sent.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Connected { .. })
    }

    /// The snapshot as the control plane hears it.
    #[must_use]
    pub fn report(&self, last_frame_age_ms: Option<u64>) -> SessionReport {
        let base = SessionReport {
            paired: self.login.is_some(),
            jid: self.login.clone(),
            last_frame_age_ms,
            pairing: self.pairing,
            pairing_request: self.pairing_request,
            ..SessionReport::default()
        };
        match &self.phase {
            Phase::Connecting { earlier } => {
                let detail = match earlier {
                    Some(earlier) => format!("connecting to WhatsApp again; before: {earlier}"),
                    None => "connecting to WhatsApp".to_owned(),
                };
                SessionReport { detail: Some(detail), ..base }
            }
            Phase::Waiting { detail, retry_at } => {
                SessionReport { detail: Some(detail.clone()), retry_at: Some(*retry_at), ..base }
            }
            Phase::Scan(qr) => {
                SessionReport { state: SessionState::QrReady, qr: Some(qr.clone()), ..base }
            }
            Phase::TypeCode(code) => SessionReport {
                state: SessionState::QrReady,
                pairing_code: Some(code.clone()),
                ..base
            },
            Phase::Unpaired { detail } => SessionReport { detail: Some(detail.clone()), ..base },
            Phase::Stuck { trouble, retry_at } => SessionReport {
                detail: Some(trouble.detail.clone()),
                retry_at: *retry_at,
                trouble: Some(trouble.clone()),
                ..base
            },
            Phase::Connected { .. } => SessionReport { state: SessionState::Connected, ..base },
            Phase::LoggedOut { detail } => SessionReport {
                state: SessionState::LoggedOut,
                detail: Some(detail.clone()),
                ..base
            },
        }
    }
}

/// Where the session's snapshots are published.
#[derive(Clone, Debug)]
pub struct Session(Arc<watch::Sender<Snapshot>>);

impl Session {
    /// A session that is about to connect.
    #[must_use]
    pub fn new(login: Option<String>) -> Self {
        let phase = Phase::Connecting { earlier: None };
        let snapshot = Snapshot { phase, login, pairing: None, pairing_request: None };
        Self(Arc::new(watch::Sender::new(snapshot)))
    }

    /// Follows the snapshots.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Snapshot> {
        self.0.subscribe()
    }

    /// The present snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.0.borrow().clone()
    }

    /// Enters a phase.
    pub fn enter(&self, phase: Phase) {
        self.0.send_if_modified(|now| {
            let changed = now.phase != phase;
            now.phase = phase;
            changed
        });
    }

    /// Notes how far the pairing is.
    pub fn set_pairing(&self, pairing: Option<PairingStep>) {
        self.0.send_if_modified(|now| {
            let changed = now.pairing != pairing;
            now.pairing = pairing;
            changed
        });
    }

    /// Notes the newest wish about the pairing together with what came of it so far, so that nobody
    /// takes the state before for the answer.
    pub fn heard_wish(&self, request: u64, pairing: Option<PairingStep>) {
        self.0.send_modify(|now| (now.pairing_request, now.pairing) = (Some(request), pairing));
    }

    /// Notes which login is stored.
    pub fn set_login(&self, login: Option<String>) {
        self.0.send_if_modified(|now| {
            let changed = now.login != login;
            now.login = login;
            changed
        });
    }
}

/// When the last frame came from WhatsApp; written by the transport, read by the heartbeat.
#[derive(Clone, Debug)]
pub struct LastFrame {
    start: Instant,
    /// Milliseconds after `start`, plus one; 0 before the first frame.
    at: Arc<AtomicU64>,
}

impl LastFrame {
    /// No frame yet.
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now(), at: Arc::default() }
    }

    /// A frame came just now.
    pub fn mark(&self) {
        self.at.store(self.elapsed_ms() + 1, Ordering::Relaxed);
    }

    /// When the last frame came; `None` before the first.
    #[must_use]
    pub fn at(&self) -> Option<Instant> {
        let at = self.at.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.start + std::time::Duration::from_millis(at))
    }

    /// Milliseconds since the last frame; `None` before the first.
    #[must_use]
    pub fn age_ms(&self) -> Option<u64> {
        let at = self.at.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.elapsed_ms().saturating_sub(at))
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Default for LastFrame {
    fn default() -> Self {
        Self::new()
    }
}
