//! Listens to the client's events and turns them into the session's phases and verdicts.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use api::link::QrCode;
use chrono::{Duration, Utc};
use whatsapp_rust::types::events::{
    Event, EventHandler, EventInterest, EventKind, LoggedOut, TemporaryBan,
};

use super::verdict::Verdict;
use crate::answers::AckDesk;
use crate::receipts;
use crate::session::{Phase, Session};
use crate::store::BotStore;

/// Listens to one client.
#[derive(Clone)]
pub(super) struct Observer {
    session: Session,
    store: Arc<BotStore>,
    acks: Arc<AckDesk>,
    state: Arc<Mutex<Seen>>,
}

/// What was seen of one connection.
#[derive(Debug, Default)]
struct Seen {
    verdict: Option<Verdict>,
    connected_at: Option<Instant>,
    reached: bool,
    muted: bool,
}

/// What was seen of a connection that ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// How it ended, if the client said.
    pub(super) verdict: Option<Verdict>,
    /// How long it was logged in; zero if it never was.
    pub(super) held: std::time::Duration,
    /// Whether WhatsApp talked to it: a code came, or the login was taken.
    pub(super) reached: bool,
}

impl Observer {
    pub(super) fn new(session: Session, store: Arc<BotStore>, acks: Arc<AckDesk>) -> Self {
        Self { session, store, acks, state: Arc::default() }
    }

    /// What was seen of the connection that just ended; the next starts afresh.
    pub(super) fn take(&self) -> Outcome {
        let seen = std::mem::take(&mut *self.seen());
        let held = seen.connected_at.map(|at| at.elapsed()).unwrap_or_default();
        Outcome { verdict: seen.verdict, held, reached: seen.reached }
    }

    /// From now on nothing that the client says counts: it was replaced, but tasks of its own may
    /// outlive it, such as the one that shows one code after the other.
    pub(super) fn mute(&self) {
        self.seen().muted = true;
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge(&self, verdict: Verdict) {
        let mut seen = self.seen();
        seen.verdict = Some(verdict.over(seen.verdict.take()));
    }

    fn note(&self, name: &str, detail: &str) {
        if let Err(error) = self.store.note(name, detail, Utc::now()) {
            tracing::error!(%error, name, "cannot keep a note for the control plane");
        }
    }

    fn paired(&self, jid: String) {
        tracing::info!(%jid, "paired with a phone");
        if let Err(error) = self.store.set_paired(&jid, Utc::now()) {
            tracing::error!(%error, "cannot note the pairing");
        }
        self.note("session.paired", &jid);
        self.session.set_login(Some(jid));
        self.session.enter(Phase::Connecting { earlier: None });
        self.judge(Verdict::Paired);
    }

    fn refused(&self, detail: String) {
        tracing::error!(detail, "WhatsApp refuses this client");
        self.judge(Verdict::Refused { detail, for_at_least: None });
    }
}

impl EventHandler for Observer {
    fn handle_event(&self, event: Arc<Event>) {
        if self.seen().muted {
            return;
        }
        match &*event {
            Event::PairingQrCode(qr) => {
                let lifetime = Duration::from_std(qr.timeout).unwrap_or_default();
                let expires_at = Utc::now() + lifetime;
                tracing::info!(%expires_at, "a QR code waits to be scanned");
                self.seen().reached = true;
                self.session.enter(Phase::Scan(QrCode { code: qr.code.clone(), expires_at }));
            }
            Event::PairingQrCodesExhausted(_) => self.judge(Verdict::CodesUsedUp),
            Event::PairSuccess(pairing) => self.paired(pairing.id.to_string()),
            Event::PairError(failure) => {
                tracing::error!(error = failure.error, "pairing failed");
                self.note("session.pairing_failed", &failure.error);
            }
            Event::Connected(_) => {
                tracing::info!("connected to WhatsApp");
                let since = Instant::now();
                {
                    let mut seen = self.seen();
                    seen.connected_at = Some(since);
                    seen.reached = true;
                }
                self.session.enter(Phase::Connected { since });
            }
            Event::Disconnected(end) => {
                let detail = format!("the connection to WhatsApp was lost: {}", end.reason);
                self.judge(Verdict::Lost(detail));
            }
            Event::LoggedOut(end) => self.judge(Verdict::LoggedOut(logged_out(end))),
            Event::StreamReplaced(_) => self.judge(Verdict::Replaced),
            Event::TemporaryBan(ban) => self.judge(banned(ban)),
            Event::ClientOutdated(_) => self.refused(
                "WhatsApp no longer takes this client's version; set WHATSAPP_VERSION to a newer one or update Tenantry".to_owned(),
            ),
            Event::ConnectFailure(failure) => {
                let said = failure.message.as_deref().unwrap_or("no reason given");
                self.refused(format!("WhatsApp refuses the login ({:?}): {said}", failure.reason));
            }
            Event::ServerAck(ack) if ack.class.as_deref() == Some("message") => {
                self.acks.acknowledged(&ack.id, ack.error.clone());
            }
            Event::Receipt(receipt) => receipts::note(&self.store, &self.acks, receipt),
            _ => {}
        }
    }

    fn interest(&self) -> EventInterest {
        EventInterest::of(&[
            EventKind::PairingQrCode,
            EventKind::PairingQrCodesExhausted,
            EventKind::PairSuccess,
            EventKind::PairError,
            EventKind::Connected,
            EventKind::Disconnected,
            EventKind::LoggedOut,
            EventKind::StreamReplaced,
            EventKind::TemporaryBan,
            EventKind::ClientOutdated,
            EventKind::ConnectFailure,
            EventKind::ServerAck,
            EventKind::Receipt,
        ])
    }
}

fn logged_out(end: &LoggedOut) -> String {
    let how = if end.on_connect {
        format!("WhatsApp refused the stored login ({:?})", end.reason)
    } else {
        "the phone unlinked this device".to_owned()
    };
    format!("{how}; start the worker again to get a new QR code")
}

fn banned(ban: &TemporaryBan) -> Verdict {
    let seconds = ban.expire.num_seconds().max(0);
    let detail = format!("WhatsApp banned this account for {seconds} s: {}", ban.code);
    tracing::error!(detail, "banned");
    Verdict::Refused { detail, for_at_least: ban.expire.to_std().ok() }
}
