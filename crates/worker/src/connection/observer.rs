//! Listens to the client's events and turns them into news for the loop, and into verdicts.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use api::link::QrCode;
use chrono::{Duration, Utc};
use tokio::sync::mpsc;
use whatsapp_rust::types::events::{
    ConnectFailure, ConnectFailureReason, Event, EventHandler, EventInterest, EventKind, LoggedOut,
    TemporaryBan,
};

use super::verdict::Verdict;
use crate::answers::AckDesk;
use crate::receipts;
use crate::session::{Phase, Session};
use crate::store::BotStore;
use crate::vitals::Vitals;

/// What the loop has to hear of a connection while it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// A QR code came.
    Qr(QrCode),
    /// The pairing code is void.
    CodeVoid,
    /// The phone demands a passkey.
    Passkey,
    /// The phone linked the session.
    Linked,
    /// The login was taken.
    Connected,
    /// What came in could not be stored.
    Unstored,
}

/// News that may wait; the loop takes each as it comes.
const NEWS: usize = 32;

/// No ban is waited for longer: it is then tried again, whatever WhatsApp said.
const LONGEST_BAN: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 3600);

/// Listens to one client.
#[derive(Clone)]
pub(super) struct Observer {
    session: Session,
    store: Arc<BotStore>,
    acks: Arc<AckDesk>,
    vitals: Vitals,
    news: mpsc::Sender<News>,
    state: Arc<Mutex<Seen>>,
}

/// What was seen of one connection.
#[derive(Debug, Default)]
struct Seen {
    verdict: Option<Verdict>,
    connected_at: Option<Instant>,
    reached: bool,
    muted: bool,
    /// What the stream was ended with, for a loss that follows.
    stream_error: Option<String>,
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

impl Outcome {
    /// Nothing was seen.
    pub(super) const NOTHING: Self =
        Self { verdict: None, held: std::time::Duration::ZERO, reached: false };
}

impl Observer {
    pub(super) fn new(
        session: Session,
        store: Arc<BotStore>,
        acks: Arc<AckDesk>,
        vitals: Vitals,
    ) -> (Self, mpsc::Receiver<News>) {
        let (news, receiver) = mpsc::channel(NEWS);
        (Self { session, store, acks, vitals, news, state: Arc::default() }, receiver)
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

    /// What came in could not be stored, and why.
    pub(super) fn unstored(&self, why: &str) {
        {
            let seen = self.seen();
            if seen.muted || matches!(seen.verdict, Some(Verdict::Unstored(_))) {
                return;
            }
        }
        let detail = format!(
            "what comes in cannot be stored ({why}); WhatsApp keeps it, and it is taken once the disk of the session's folder takes it: make room there (it is tried again by itself)"
        );
        self.judge(Verdict::Unstored(detail));
        self.tell(News::Unstored);
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge(&self, verdict: Verdict) {
        let mut seen = self.seen();
        seen.verdict = Some(verdict.over(seen.verdict.take()));
    }

    fn tell(&self, news: News) {
        if let Err(error) = self.news.try_send(news) {
            tracing::error!(%error, "news of the connection got lost");
        }
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
        self.tell(News::Linked);
    }

    fn connected(&self) {
        tracing::info!("connected to WhatsApp");
        let since = Instant::now();
        {
            let mut seen = self.seen();
            seen.connected_at = Some(since);
            seen.reached = true;
        }
        self.vitals.connected();
        self.session.enter(Phase::Connected { since });
        self.tell(News::Connected);
    }

    fn lost(&self, reason: &impl std::fmt::Display) {
        let ended = self.seen().stream_error.take();
        let why = match ended {
            Some(code) => format!("WhatsApp ended the stream with error {code}"),
            None => reason.to_string(),
        };
        self.judge(Verdict::Lost(format!("the connection to WhatsApp was lost: {why}")));
    }

    fn refused(&self, failure: &ConnectFailure) {
        let said = failure.message.as_deref().unwrap_or("no reason given");
        let detail = format!("WhatsApp refuses the login ({:?}): {said}", failure.reason);
        tracing::error!(detail, "WhatsApp refuses this client");
        self.judge(if failure.reason.should_reconnect() {
            Verdict::Lost(detail)
        } else {
            Verdict::Refused(detail)
        });
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
                self.seen().reached = true;
                self.tell(News::Qr(QrCode { code: qr.code.clone(), expires_at }));
            }
            Event::PairingQrCodesExhausted(_) => self.judge(Verdict::CodesUsedUp),
            Event::PairingCodeRefresh(_) => self.tell(News::CodeVoid),
            Event::PairPasskeyRequest(_) => self.tell(News::Passkey),
            Event::PairSuccess(pairing) => self.paired(pairing.id.to_string()),
            Event::PairError(failure) => {
                tracing::error!(error = failure.error, "pairing failed");
                self.note("session.pairing_failed", &failure.error);
            }
            Event::Connected(_) => self.connected(),
            Event::StreamError(error) => self.seen().stream_error = Some(error.code.clone()),
            Event::Disconnected(end) => self.lost(&end.reason),
            Event::LoggedOut(end) => self.judge(logged_out(end)),
            Event::StreamReplaced(_) => self.judge(Verdict::Replaced),
            Event::TemporaryBan(ban) => self.judge(banned(ban)),
            Event::ClientOutdated(_) => self.judge(Verdict::Outdated(
                "WhatsApp no longer takes this client's version; set WHATSAPP_VERSION to a newer one or update Tenantry, then restart the worker".to_owned(),
            )),
            Event::ConnectFailure(failure) => self.refused(failure),
            Event::UndecryptableMessage(_) => self.vitals.decrypt_failed(),
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
            EventKind::PairingCodeRefresh,
            EventKind::PairPasskeyRequest,
            EventKind::PairSuccess,
            EventKind::PairError,
            EventKind::Connected,
            EventKind::StreamError,
            EventKind::Disconnected,
            EventKind::LoggedOut,
            EventKind::StreamReplaced,
            EventKind::TemporaryBan,
            EventKind::ClientOutdated,
            EventKind::ConnectFailure,
            EventKind::UndecryptableMessage,
            EventKind::Receipt,
            EventKind::ServerAck,
        ])
    }
}

/// The end of a login; a ban or a lock is none, for it may be lifted, and the keys be of use again.
fn logged_out(end: &LoggedOut) -> Verdict {
    match (end.on_connect, &end.reason) {
        (true, ConnectFailureReason::AccountLocked | ConnectFailureReason::UnknownLogout) => {
            Verdict::Banned(format!(
                "WhatsApp has banned or locked this account ({:?}); open WhatsApp on its phone to see why and to appeal, then reconnect the session or restart the worker",
                end.reason
            ))
        }
        (true, reason) => Verdict::LoggedOut(format!(
            "WhatsApp refused the stored login ({reason:?}); ask for a code, or start the worker again, to link it anew"
        )),
        (false, _) => Verdict::LoggedOut(
            "the phone unlinked this device; ask for a code, or start the worker again, to link it anew".to_owned(),
        ),
    }
}

fn banned(ban: &TemporaryBan) -> Verdict {
    let seconds = ban.expire.num_seconds().max(0);
    let detail = format!(
        "WhatsApp banned this account for {seconds} s: {}; send less, and to people who know the number; it is tried again when the ban ends",
        ban.code
    );
    tracing::error!(detail, "banned");
    let time = ban.expire.to_std().unwrap_or_default().min(LONGEST_BAN);
    Verdict::BannedForNow(detail, time)
}
