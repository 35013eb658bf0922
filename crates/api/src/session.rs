//! Sessions: a tenant's WhatsApp login.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::link::{PairingCode, PairingStep, Trouble};
use crate::phone::Phone;

/// The state of a WhatsApp session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SessionState {
    /// Not connected to WhatsApp.
    #[default]
    Disconnected,
    /// A QR code waits to be scanned, or a pairing code to be typed.
    QrReady,
    /// Logged in and connected.
    Connected,
    /// The phone or WhatsApp ended the login; a new QR code is needed.
    LoggedOut,
}

/// A session as the API shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// The state.
    pub state: SessionState,
    /// Whether a login is stored, so that a start needs no QR code.
    pub paired: bool,
    /// The WhatsApp address of the login, such as `254700000001:3@s.whatsapp.net`.
    pub jid: Option<String>,
    /// When the session last became `CONNECTED`.
    pub connected_at: Option<DateTime<Utc>>,
    /// Milliseconds since the last frame from WhatsApp, as of the last heartbeat.
    pub last_frame_age_ms: Option<u64>,
    /// Why the session is not connected.
    pub detail: Option<String>,
    /// When the worker tries again.
    #[serde(default)]
    pub retry_at: Option<DateTime<Utc>>,
    /// How far the pairing has come, while there is no login.
    #[serde(default)]
    pub pairing: Option<PairingStep>,
    /// The code to type into the phone.
    #[serde(default)]
    pub pairing_code: Option<PairingCode>,
    /// What needs help, or will not be tried for a long time.
    #[serde(default)]
    pub trouble: Option<Trouble>,
}

/// The body of `POST …/session/pairing-code`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskPairingCode {
    /// The number of the phone that shall take the code; absent: the tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
}

/// One event of `GET …/session/events`: the session and the code that waits, whenever one of them
/// changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionEvent {
    /// The session.
    pub session: SessionView,
    /// The QR code that waits.
    pub qr: QrView,
}

/// The answer of `GET …/qr?format=json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QrView {
    /// The session's state; a code is there only in `QR_READY`.
    pub state: SessionState,
    /// The text to draw as a QR code.
    pub code: Option<String>,
    /// When WhatsApp replaces the code by the next one.
    pub expires_at: Option<DateTime<Utc>>,
}
