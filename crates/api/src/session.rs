//! Sessions: a tenant's WhatsApp login.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The state of a WhatsApp session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SessionState {
    /// Not connected to WhatsApp.
    #[default]
    Disconnected,
    /// A QR code waits to be scanned.
    QrReady,
    /// Logged in and connected.
    Connected,
    /// The phone or WhatsApp ended the login; a new QR code is needed.
    LoggedOut,
}

/// A session as the API shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Why the session is not connected, and when the worker tries again.
    pub detail: Option<String>,
}

/// The answer of `GET …/qr?format=json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QrView {
    /// The session's state; a code is there only in `QR_READY`.
    pub state: SessionState,
    /// The text to draw as a QR code.
    pub code: Option<String>,
    /// When WhatsApp replaces the code by the next one.
    pub expires_at: Option<DateTime<Utc>>,
}
