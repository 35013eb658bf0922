//! How a simulated network behaves.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// In which namespace contacts are presented to a bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Addressing {
    /// By phone number; the hidden identity (LID) is told beside it.
    #[default]
    PhoneNumber,
    /// By hidden identity; the phone number is told beside it.
    Lid,
}

/// Settings of a simulated network; `Config::default()` suits most tests.
#[derive(Debug, Clone)]
pub struct Config {
    /// Loopback port of the WebSocket endpoint; 0 takes a free one.
    pub ws_port: u16,
    /// Loopback port of the HTTP interface; 0 takes a free one, `None` leaves it out.
    pub http_port: Option<u16>,
    /// Loopback port where clients upload and download files; 0 takes a free one.
    pub media_port: u16,
    /// File that keeps the server's static key, so that a restarted simulator is
    /// still trusted by prepared sessions. Created (mode 0600) when missing.
    /// Without a file every start has a new key.
    pub static_key_file: Option<PathBuf>,
    /// References handed out to a client that wants to be paired. The real service sends six.
    pub qr_ref_count: usize,
    /// How long the first reference is valid. Clients show it for 60 s.
    pub qr_first_lifetime: Duration,
    /// How much longer each further reference is valid. Clients show it for 20 s.
    pub qr_next_lifetime: Duration,
    /// How long a code that is typed into the phone is valid. Clients show it for 180 s.
    pub pairing_code_lifetime: Duration,
    /// Longest wait for a companion to confirm a scan.
    pub pairing_timeout: Duration,
    /// How contacts are addressed in messages to bots.
    pub addressing: Addressing,
    /// Whether accounts say at pairing that their chats moved to hidden identities.
    pub lid_migrated: bool,
    /// Whether contacts answer a received message with a delivery receipt.
    pub delivery_receipts: bool,
    /// Whether a phone shares an app-state key with a newly linked device. Without
    /// it clients take ten seconds longer to be ready for the first time.
    pub share_app_state_key: bool,
    /// Undelivered messages held for each device.
    pub queue_limit: usize,
    /// Texts remembered for each contact and direction; older ones are forgotten.
    pub history_limit: usize,
    /// Largest file, encrypted, that may be uploaded, in bytes.
    pub media_limit: usize,
    /// Bytes of all files together; the oldest make room for new ones.
    pub media_store_limit: usize,
    /// Stanzas waiting to be written to one connection before it is closed as too slow.
    pub outbound_limit: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ws_port: 0,
            http_port: None,
            media_port: 0,
            static_key_file: None,
            qr_ref_count: 6,
            qr_first_lifetime: Duration::from_secs(60),
            qr_next_lifetime: Duration::from_secs(20),
            pairing_code_lifetime: Duration::from_secs(180),
            pairing_timeout: Duration::from_secs(15),
            addressing: Addressing::PhoneNumber,
            lid_migrated: false,
            delivery_receipts: true,
            share_app_state_key: true,
            queue_limit: 10_000,
            history_limit: 10_000,
            media_limit: 64 << 20,
            media_store_limit: 256 << 20,
            outbound_limit: 4_096,
        }
    }
}
