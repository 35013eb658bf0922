//! What happens on the simulated network, for those who watch.

use serde::Serialize;

use crate::fault::{Fault, FaultKind};
use crate::presence::Sign;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum SimEvent {
    /// An account was added.
    AccountAdded {
        /// Its number.
        phone: String,
    },
    /// A contact was added.
    ContactAdded {
        /// Its number.
        phone: String,
    },
    /// New connections are refused from now on, or accepted again.
    Refusing {
        /// Which of the two.
        refusing: bool,
    },
    /// The screen in front of an account's phone shows another code, or none any more.
    Screen {
        /// The account.
        phone: String,
    },
    /// A client that is not linked asked to be paired.
    PairingOffered,
    /// A client asked for a code to be typed into an account's phone.
    CodeRequested {
        /// The account.
        phone: String,
    },
    /// A device was linked.
    Linked {
        /// The account.
        phone: String,
        /// Number of the device.
        device: u16,
    },
    /// A device is no longer linked.
    Unlinked {
        /// The account.
        phone: String,
    },
    /// A linked device receives messages.
    Online {
        /// The account.
        phone: String,
    },
    /// A linked device lost its connection.
    Offline {
        /// The account.
        phone: String,
    },
    /// A login was refused, because the device is not linked (any more).
    LoginRefused {
        /// The number the client tried to log in with.
        phone: String,
    },
    /// A fault that was armed for an account happened.
    FaultStruck {
        /// The account.
        phone: String,
        /// What happened.
        fault: Fault,
    },
    /// A fault of an account was ended by command.
    FaultEnded {
        /// The account.
        phone: String,
        /// What it was.
        kind: FaultKind,
    },
    /// A contact sent a text.
    Sent {
        /// The contact.
        contact: String,
        /// Number of the account, or id of the group, it is for.
        to: String,
        /// Message id.
        id: String,
    },
    /// A contact received a text.
    Received {
        /// The contact.
        contact: String,
        /// The account it came from.
        from: String,
        /// Message id.
        id: String,
    },
    /// A bot says whether it is available.
    Presence {
        /// The account.
        phone: String,
        /// Whether it is.
        available: bool,
    },
    /// A bot types, or stops.
    Typing {
        /// The account.
        phone: String,
        /// Phone number of the contact, or id of the group.
        chat: String,
        /// What it does.
        sign: Sign,
    },
    /// A client uploaded a file.
    Uploaded {
        /// The hash of the encrypted file, as it stands in the file's path.
        token: String,
    },
    /// A bot confirmed a text.
    Confirmed {
        /// The contact who sent it.
        contact: String,
        /// Message id.
        id: String,
    },
}
