//! What can go wrong when driving the simulator.

use std::path::PathBuf;

/// An operation on the simulated network that could not be done.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A phone number is not 5 to 15 digits (E.164 without the plus sign).
    #[error("`{0}` is not a phone number: 5 to 15 digits, country code first, no plus sign")]
    InvalidPhone(String),
    /// The number is already taken by an account or a contact.
    #[error("the number {0} already exists on this network")]
    NumberTaken(String),
    /// No account has this number.
    #[error("there is no account with the number {0}")]
    UnknownAccount(String),
    /// No contact has this number.
    #[error("there is no contact with the number {0}")]
    UnknownContact(String),
    /// The contact never sent a message with this id.
    #[error("there is no message with the id {0}")]
    UnknownMessage(String),
    /// No group has this id.
    #[error("there is no group with the id {0}")]
    UnknownGroup(String),
    /// The number is not in the group.
    #[error("{0} is not a member of the group")]
    NotAMember(String),
    /// A group needs somebody in it.
    #[error("a group has at least one member")]
    EmptyGroup,
    /// The account has no linked device.
    #[error("the account {0} has no linked device")]
    NotLinked(String),
    /// The account's device is linked, but has no connection.
    #[error("the account {0} is not connected")]
    NotConnected(String),
    /// The text is not the content of a pairing QR code.
    #[error("not a pairing code: {0}")]
    MalformedQr(&'static str),
    /// The reference in the QR code was never issued, was used, or has expired.
    #[error("the pairing code is unknown, used or expired")]
    QrExpired,
    /// No companion waits for a code of this account, or not any more.
    #[error("no companion waits for a code of this account, or the code has expired")]
    CodeExpired,
    /// The typed code is not the one that the companion shows.
    #[error("this is not the code that the companion shows")]
    WrongCode,
    /// The phone asks for a passkey before it links the companion.
    #[error("the phone asks for a passkey")]
    PasskeyNeeded,
    /// The companion refused the pairing.
    #[error("the companion refused the pairing: {code} {text}")]
    PairingRefused {
        /// Error code sent by the companion, such as 401.
        code: String,
        /// Reason sent by the companion, such as `hmac-mismatch`.
        text: String,
    },
    /// The companion went away, or did not answer, before the pairing was done.
    #[error("the companion did not complete the pairing")]
    PairingAbandoned,
    /// The device has as many undelivered messages as the simulator holds.
    #[error("the account {0} has too many undelivered messages")]
    QueueFull(String),
    /// A fault cannot be made like this.
    #[error("not a fault: {0}")]
    InvalidFault(&'static str),
    /// What was waited for did not happen in time.
    #[error("timed out waiting for {0}")]
    TimedOut(&'static str),
    /// The session database already belongs to a paired bot.
    #[error("{} already holds a paired session", .0.display())]
    AlreadyPaired(PathBuf),
    /// A key is not 32 bytes, or not hexadecimal.
    #[error("not a key: {0}")]
    InvalidKey(&'static str),
    /// The session database could not be read or written.
    #[error("session database: {0}")]
    Session(String),
    /// A file could not be sealed or opened.
    #[error("media: {0}")]
    Media(String),
    /// An end-to-end encryption step failed.
    #[error("signal protocol: {0}")]
    Signal(String),
    /// The operating system refused something.
    #[error("{context}: {source}")]
    Io {
        /// What was being done.
        context: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl SimError {
    /// A stable word for the kind of error, as the HTTP interface shows it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidPhone(_) => "invalid_phone",
            Self::NumberTaken(_) => "number_taken",
            Self::UnknownAccount(_) => "unknown_account",
            Self::UnknownContact(_) => "unknown_contact",
            Self::UnknownMessage(_) => "unknown_message",
            Self::UnknownGroup(_) => "unknown_group",
            Self::NotAMember(_) => "not_a_member",
            Self::EmptyGroup => "empty_group",
            Self::NotLinked(_) => "not_linked",
            Self::NotConnected(_) => "not_connected",
            Self::MalformedQr(_) => "malformed_qr",
            Self::QrExpired => "qr_expired",
            Self::CodeExpired => "code_expired",
            Self::PasskeyNeeded => "passkey_needed",
            Self::WrongCode => "wrong_code",
            Self::PairingRefused { .. } => "pairing_refused",
            Self::PairingAbandoned => "pairing_abandoned",
            Self::QueueFull(_) => "queue_full",
            Self::InvalidFault(_) => "invalid_fault",
            Self::TimedOut(_) => "timed_out",
            Self::AlreadyPaired(_) => "already_paired",
            Self::InvalidKey(_) => "invalid_key",
            Self::Session(_) => "session",
            Self::Media(_) => "media",
            Self::Signal(_) => "signal",
            Self::Io { .. } => "io",
        }
    }

    /// Wraps an operating system error together with what was being done.
    pub(crate) fn io(context: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { context, source }
    }
}

impl From<wacore_libsignal::protocol::SignalProtocolError> for SimError {
    fn from(error: wacore_libsignal::protocol::SignalProtocolError) -> Self {
        Self::Signal(error.to_string())
    }
}

impl From<wacore_libsignal::protocol::CurveError> for SimError {
    fn from(error: wacore_libsignal::protocol::CurveError) -> Self {
        Self::Signal(error.to_string())
    }
}
