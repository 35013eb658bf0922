//! The worker link: what a worker and the control plane say to each other.
//!
//! A worker speaks HTTP to the address in `TENANTRY_LINK` (`unix:/path` or `http://host:port`) with
//! `Authorization: Bearer <content of TENANTRY_TOKEN_FILE>`. State travels in heartbeats, which are
//! level-triggered: each carries everything, so a lost one does no harm. What must not be lost
//! travels as numbered [`LinkEvent`]s, which the worker keeps until they were accepted.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::messages::{MediaKind, Reaction};
use crate::pacing::Pacing;
use crate::phone::Phone;
use crate::records::{Direction, MessageState};
use crate::rules::WebhookSecret;
use crate::session::SessionState;

/// The body of `POST /link/v1/heartbeat`. A worker sends one at its start, at every change of its
/// session, and every `HEARTBEAT_INTERVAL_MS`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Heartbeat {
    /// The generation from `TENANTRY_GENERATION`.
    pub generation: u64,
    /// The spawn number from `TENANTRY_INCARNATION`; tells a process from its predecessor within a
    /// generation. 0 when the program does not know it.
    #[serde(default)]
    pub incarnation: u64,
    /// The worker's process id.
    #[serde(default)]
    pub pid: Option<u32>,
    /// The session as it is now.
    pub session: SessionReport,
    /// The version of the settings that the worker uses; the answer brings newer ones.
    #[serde(default)]
    pub config_version: u64,
    /// How the worker is inside; absent when the program does not measure it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<WorkerHealth>,
}

/// A session as its worker sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionReport {
    /// The state.
    pub state: SessionState,
    /// The code to scan, in `QR_READY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qr: Option<QrCode>,
    /// Whether a login is stored.
    #[serde(default)]
    pub paired: bool,
    /// The WhatsApp address of the login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jid: Option<String>,
    /// Milliseconds since the last frame from WhatsApp; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_frame_age_ms: Option<u64>,
    /// Set while the worker waits before it connects again: when it will try. It goes on sending
    /// heartbeats meanwhile, and so is never taken for stale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<DateTime<Utc>>,
    /// Why the session is not connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The code to type into the phone, in `QR_READY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairing_code: Option<PairingCode>,
    /// How far the pairing has come; absent while there is a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairing: Option<PairingStep>,
    /// The newest wish about the pairing that was heard: the `request` of its command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairing_request: Option<u64>,
    /// Set when the worker needs help or does not try for a long time: the worker then counts as
    /// being in `ERROR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
}

/// A QR code that waits to be scanned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QrCode {
    /// The text to draw.
    pub code: String,
    /// When WhatsApp replaces it.
    pub expires_at: DateTime<Utc>,
}

/// A code that waits to be typed into the phone: Linked devices, Link a device, Link with phone
/// number instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PairingCode {
    /// Eight letters and digits.
    pub code: String,
    /// The number of the phone that takes it.
    pub phone: Phone,
    /// When it is void.
    pub expires_at: DateTime<Utc>,
}

/// How far the pairing of a session without a login has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PairingStep {
    /// QR codes are shown, one after the other, or are about to be.
    Qr,
    /// A pairing code was asked for and has not come yet.
    CodeRequested,
    /// A pairing code waits to be typed.
    Code,
    /// Nobody used the codes in time; none is shown until somebody asks for one.
    TimedOut,
    /// Somebody called it off; none is shown until somebody asks for one.
    Cancelled,
    /// WhatsApp refused to give a pairing code; `detail` says why.
    Refused,
    /// The phone asks for a passkey, which this worker cannot give.
    PasskeyNeeded,
}

/// What keeps a session from being connected, and would not go away by trying again soon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Trouble {
    /// The kind, for programs.
    pub kind: TroubleKind,
    /// What happened, and what to do.
    pub detail: String,
}

/// The kinds of [`Trouble`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TroubleKind {
    /// WhatsApp was not reached, or did not stay, as often as is tried.
    Unreachable,
    /// WhatsApp refuses the login for a reason that it does not explain.
    Refused,
    /// The version of WhatsApp Web that the worker announces is too old.
    Outdated,
    /// The account is banned for some time.
    BannedForNow,
    /// The account is banned or locked.
    Banned,
    /// Connections fall silent again and again, in a new process too.
    Deaf,
    /// What comes in cannot be stored.
    Storage,
}

/// How a worker is inside, as of a heartbeat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkerHealth {
    /// Milliseconds that WhatsApp took to answer the last ping; absent before the first answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ping_ms: Option<u64>,
    /// Messages that could not be decrypted, since the process was started.
    pub decrypt_failures: u64,
    /// Connections that were made after the first, since the process was started.
    pub reconnects: u64,
    /// Messages that came in and are not dealt with.
    pub inbox_pending: u64,
    /// Messages that wait to be sent.
    pub outbox_pending: u64,
    /// Events that the control plane has not accepted.
    pub events_pending: u64,
    /// Resident memory in kB; absent where it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rss_kb: Option<u64>,
    /// The process's fair share of resident memory in kB: what it shares counts in part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pss_kb: Option<u64>,
}

/// The answer to a heartbeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeartbeatAnswer {
    /// The tenant's settings, when they are newer than the worker's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<WorkerConfig>,
}

/// The settings that a worker needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkerConfig {
    /// Grows with every change.
    pub version: u64,
    /// What the bot answers when there are no rules; empty: it does not answer.
    pub greeting: String,
    /// At most so many answers in a minute.
    pub rate_limit_max_per_minute: u32,
    /// The tenant's name.
    #[serde(default)]
    pub business: String,
    /// The reply rules (`docs/rules.md`); absent: the greeting answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<serde_json::Value>,
    /// What requests to the tenant's webhook are signed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_secret: Option<WebhookSecret>,
    /// How the bot paces itself; what this program does not understand becomes the default.
    #[serde(default, deserialize_with = "crate::pacing::lenient")]
    pub pacing: Pacing,
}

/// The body of `POST /link/v1/events`: in ascending `seq`, at most [`MAX_EVENTS`] of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventBatch {
    /// The generation from `TENANTRY_GENERATION`.
    pub generation: u64,
    /// See [`Heartbeat::incarnation`].
    #[serde(default)]
    pub incarnation: u64,
    /// The id of the numbering that `seq` belongs to: made once with the worker's event store, so that
    /// a store that was deleted and begins again at 1 is not mistaken for the old one.
    #[serde(default)]
    pub store_id: Uuid,
    /// The events.
    pub events: Vec<LinkEvent>,
}

/// The most events in one batch.
pub const MAX_EVENTS: usize = 200;

/// Something that happened in a worker and must not be lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkEvent {
    /// Grows within its `store_id`; the control plane takes each once.
    pub seq: u64,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    #[serde(flatten)]
    pub kind: LinkEventKind,
}

/// What can happen in a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LinkEventKind {
    /// A message came in or went out; goes to the message log.
    Message {
        /// WhatsApp's id of the message.
        message_id: String,
        /// The chat's WhatsApp address.
        chat: String,
        /// Which way it went.
        direction: Direction,
        /// The text.
        text: String,
    },
    /// What became of an outgoing message, a reply or one from outside.
    State {
        /// WhatsApp's id of the message.
        message_id: String,
        /// How far it has come.
        state: MessageState,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The worker has a message from outside, and will send it or tell why not; what becomes of it is
    /// told under WhatsApp's id.
    Accepted {
        /// See [`OutsideMessage::send_id`].
        send_id: Uuid,
        /// The id that it is sent under, whatever happens.
        message_id: String,
    },
    /// Anything else that belongs into the tenant's event log, such as `session.paired`.
    Note {
        /// The event's name, in the form `noun.verb`.
        name: String,
        /// In words.
        detail: String,
    },
}

/// The answer to a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventsAnswer {
    /// Every event up to this `seq` is stored; the worker forgets them.
    pub accepted_through: u64,
}

/// One command on `GET /link/v1/commands` (server-sent events, one JSON object each).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Use these settings from now on.
    Config(WorkerConfig),
    /// Log out of WhatsApp, delete the session's keys, and show a new QR code.
    Logout,
    /// Get a pairing code for this phone and show it in place of QR codes. Without effect while there
    /// is a login, or while a code for this very phone is shown.
    PairWithCode {
        /// The number of the phone.
        phone: Phone,
        /// Comes back as [`SessionReport::pairing_request`].
        #[serde(default)]
        request: u64,
    },
    /// Show QR codes, in place of a pairing code if there is one. Without effect while there is a login.
    PairWithQr {
        /// Comes back as [`SessionReport::pairing_request`].
        #[serde(default)]
        request: u64,
    },
    /// Show no codes. Without effect while there is a login.
    CancelPairing {
        /// Comes back as [`SessionReport::pairing_request`].
        #[serde(default)]
        request: u64,
    },
    /// Try to connect now, however long the wait would be. Without effect on a connection.
    Reconnect {
        /// At a random moment within so many milliseconds, so that a fleet does not come at once.
        #[serde(default)]
        within_ms: u64,
    },
    /// Send a message from outside. It is said again on each new stream until the worker's
    /// [`LinkEventKind::Accepted`] was heard.
    Send(OutsideMessage),
}

/// A message from outside, on its way to the worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutsideMessage {
    /// The control plane's id. What has the same is the same message, and is sent once.
    pub send_id: Uuid,
    /// The WhatsApp address that it goes to.
    pub to: String,
    /// What is sent.
    pub content: OutsideContent,
    /// The message that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Quoted>,
    /// When it fails, if WhatsApp does not have it by then.
    pub expires_at: DateTime<Utc>,
}

/// What a message from outside says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutsideContent {
    /// A text.
    Text(String),
    /// A file.
    Media(OutsideMedia),
    /// A reaction.
    Reaction(Reaction),
}

/// A file of a message from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutsideMedia {
    /// What it is shown as.
    pub kind: MediaKind,
    /// Where it is.
    pub source: OutsideSource,
    /// The text below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
}

/// Where a file of a message from outside is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutsideSource {
    /// At an address.
    Url(String),
    /// At the control plane: `GET /link/v1/media/{id}`.
    Upload(Uuid),
}

/// A message that another one answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quoted {
    /// WhatsApp's id.
    pub message_id: String,
    /// Its text, where the message log has it.
    #[serde(default)]
    pub text: String,
    /// Whether the bot wrote it, where the message log says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_me: Option<bool>,
}
