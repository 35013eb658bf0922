//! Things that go wrong with an account's device, on command.
//!
//! A fault is *armed* for an account and stays so until it was used as often as
//! asked for, or until it is ended by command. What a use is depends on the fault.

mod malformed;
pub(crate) mod strike;

use serde::{Deserialize, Serialize};

pub use malformed::Malformed;

/// What can go wrong between the network and an account's device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The TCP connection is dropped without a word; at once, or as soon as the
    /// device is online. A use is a connection; one unless told otherwise.
    Cut,
    /// The socket stays open and is silent both ways: nothing is read, nothing
    /// written. What is to be written waits. A use is a connection; one unless
    /// told otherwise.
    Stall,
    /// Half-open: the network keeps sending, but reads nothing. A use is a
    /// connection; one unless told otherwise.
    Deaf,
    /// Half-open: the network reads and acts, but sends nothing. What it would send
    /// waits. A use is a connection; one unless told otherwise.
    Mute,
    /// Every frame, in both directions, takes this long. A use is a connection.
    Slow {
        /// Milliseconds for each frame, at most [`Fault::SLOWEST_MS`].
        delay_ms: u64,
    },
    /// Messages to the device overtake each other in pairs: the first of two waits
    /// for the second. A use is a pair.
    Reorder,
    /// A message to the device comes twice, the very same stanza. A use is a message.
    Duplicate,
    /// A login is answered with `<failure>`. A use is a login.
    RefuseLogin {
        /// Reason code: 401 logged out, 402 temporarily banned (for an hour), 403
        /// locked, 405 outdated client, 406 banned, 503 service unavailable, …
        reason: u16,
    },
    /// A companion that asks for a pairing code of the account is refused. A use is a request.
    RefusePairingCode {
        /// 400 bad request, 403 forbidden, 429 too often, 452 not available, 500 internal.
        code: u16,
    },
    /// A phone that is to link a device asks for a passkey instead. A use is a scan or a
    /// typed code.
    DemandPasskey,
    /// A message from the device vanishes: nobody gets it and nobody confirms it. A
    /// use is a message.
    LoseMessages,
    /// A message from the device is delivered, but the server's acknowledgement is
    /// lost. A use is a message.
    LoseAcks,
    /// Receipts from the device are lost, so what they confirm stays queued. A use is
    /// a receipt.
    LoseReceipts,
    /// A message from the device is refused: its acknowledgement carries an error, and
    /// nobody gets it. A use is a message; one unless told otherwise.
    Nack {
        /// 429 too fast, 463 no right to write to strangers, …
        code: u16,
    },
    /// The device gets a stanza that no sound server would send; at once, or as soon as it
    /// is online. A use is a stanza; one unless told otherwise.
    Malformed {
        /// What is wrong with it.
        stanza: Malformed,
    },
    /// `<stream:error>` with this code and the end of the connection; at once, or as
    /// soon as the device is online. A use is a connection; one unless told otherwise.
    StreamError {
        /// 401 logged out, 409 conflict, 429 too fast, 503 unavailable, 515 restart, …
        code: u16,
    },
    /// The device hears that another client took its place, and is disconnected; at
    /// once, or as soon as it is online. A use is a connection; one unless told otherwise.
    Replace,
    /// The phone unlinks the device: a connected one is told at once, any other is
    /// refused at its next login. Used once.
    Logout,
}

/// A [`Fault`] without its details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is explained at the fault of the same name")]
pub enum FaultKind {
    Cut,
    Stall,
    Deaf,
    Mute,
    Slow,
    Reorder,
    Duplicate,
    RefuseLogin,
    RefusePairingCode,
    DemandPasskey,
    LoseMessages,
    LoseAcks,
    LoseReceipts,
    Nack,
    Malformed,
    StreamError,
    Replace,
    Logout,
}

impl FaultKind {
    /// Every kind of fault.
    pub const ALL: [Self; 18] = [
        Self::Cut,
        Self::Stall,
        Self::Deaf,
        Self::Mute,
        Self::Slow,
        Self::Reorder,
        Self::Duplicate,
        Self::RefuseLogin,
        Self::RefusePairingCode,
        Self::DemandPasskey,
        Self::LoseMessages,
        Self::LoseAcks,
        Self::LoseReceipts,
        Self::Nack,
        Self::Malformed,
        Self::StreamError,
        Self::Replace,
        Self::Logout,
    ];
}

impl Fault {
    /// The longest delay of a frame, in milliseconds.
    pub const SLOWEST_MS: u64 = 60_000;

    /// Which fault this is.
    #[must_use]
    pub fn kind(self) -> FaultKind {
        match self {
            Self::Cut => FaultKind::Cut,
            Self::Stall => FaultKind::Stall,
            Self::Deaf => FaultKind::Deaf,
            Self::Mute => FaultKind::Mute,
            Self::Slow { .. } => FaultKind::Slow,
            Self::Reorder => FaultKind::Reorder,
            Self::Duplicate => FaultKind::Duplicate,
            Self::RefuseLogin { .. } => FaultKind::RefuseLogin,
            Self::RefusePairingCode { .. } => FaultKind::RefusePairingCode,
            Self::DemandPasskey => FaultKind::DemandPasskey,
            Self::LoseMessages => FaultKind::LoseMessages,
            Self::LoseAcks => FaultKind::LoseAcks,
            Self::LoseReceipts => FaultKind::LoseReceipts,
            Self::Nack { .. } => FaultKind::Nack,
            Self::Malformed { .. } => FaultKind::Malformed,
            Self::StreamError { .. } => FaultKind::StreamError,
            Self::Replace => FaultKind::Replace,
            Self::Logout => FaultKind::Logout,
        }
    }

    /// How often the fault happens unless told otherwise; `None` is until it is ended.
    #[must_use]
    pub fn usual_uses(self) -> Option<u32> {
        match self {
            Self::Cut
            | Self::Stall
            | Self::Deaf
            | Self::Mute
            | Self::Nack { .. }
            | Self::Malformed { .. }
            | Self::StreamError { .. }
            | Self::Replace
            | Self::Logout => Some(1),
            Self::Slow { .. }
            | Self::Reorder
            | Self::Duplicate
            | Self::RefuseLogin { .. }
            | Self::RefusePairingCode { .. }
            | Self::DemandPasskey
            | Self::LoseMessages
            | Self::LoseAcks
            | Self::LoseReceipts => None,
        }
    }
}

/// A fault that will happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ArmedFault {
    /// The fault.
    pub fault: Fault,
    /// How often it still happens; absent when it lasts until it is ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uses_left: Option<u32>,
}

/// The faults of one account, at most one of each kind.
#[derive(Default)]
pub(crate) struct Faults(Vec<ArmedFault>);

impl Faults {
    /// Arms a fault in place of one of the same kind. No uses at all end it.
    pub(crate) fn arm(&mut self, fault: Fault, uses_left: Option<u32>) {
        self.end(fault.kind());
        if uses_left != Some(0) {
            self.0.push(ArmedFault { fault, uses_left });
        }
    }

    /// Ends a fault, if it is armed.
    pub(crate) fn end(&mut self, kind: FaultKind) {
        self.0.retain(|armed| armed.fault.kind() != kind);
    }

    /// Whether a fault is armed.
    pub(crate) fn has(&self, kind: FaultKind) -> bool {
        self.0.iter().any(|armed| armed.fault.kind() == kind)
    }

    /// Uses a fault once, if it is armed.
    pub(crate) fn spend(&mut self, kind: FaultKind) -> Option<Fault> {
        let place = self.0.iter().position(|armed| armed.fault.kind() == kind)?;
        let fault = self.0[place].fault;
        if let Some(left) = &mut self.0[place].uses_left {
            *left -= 1;
            if *left == 0 {
                self.0.remove(place);
            }
        }
        Some(fault)
    }

    /// What is armed.
    pub(crate) fn armed(&self) -> Vec<ArmedFault> {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is armed, ended and used in whatever order: each fault happens as often as it
        /// was last armed for, and no more.
        #[test]
        fn faults_are_counted(steps in proptest::collection::vec((0usize..3, 0u8..4, 0u32..4), 0..60)) {
            const KINDS: [Fault; 3] = [Fault::Cut, Fault::LoseAcks, Fault::Nack { code: 429 }];
            let mut faults = Faults::default();
            // Uses left of each; `None` is any number of times.
            let mut model = [Some(0), Some(0), Some(0)];
            for (kind, step, uses) in steps {
                let fault = KINDS[kind];
                match step {
                    0 => {
                        faults.arm(fault, Some(uses));
                        model[kind] = Some(uses);
                    }
                    1 => {
                        faults.arm(fault, None);
                        model[kind] = None;
                    }
                    2 => {
                        faults.end(fault.kind());
                        model[kind] = Some(0);
                    }
                    _ => {
                        let expected = model[kind] != Some(0);
                        prop_assert_eq!(faults.spend(fault.kind()), expected.then_some(fault));
                        model[kind] = model[kind].map(|left| left.saturating_sub(1));
                    }
                }
                for (fault, left) in KINDS.iter().zip(model) {
                    prop_assert_eq!(faults.has(fault.kind()), left != Some(0));
                }
            }
        }
    }

    #[test]
    fn a_fault_happens_as_often_as_asked() {
        let mut faults = Faults::default();
        faults.arm(Fault::Nack { code: 429 }, Some(2));
        faults.arm(Fault::LoseAcks, None);
        assert_eq!(faults.spend(FaultKind::Cut), None);
        assert_eq!(faults.spend(FaultKind::Nack), Some(Fault::Nack { code: 429 }));
        assert_eq!(faults.spend(FaultKind::Nack), Some(Fault::Nack { code: 429 }));
        assert_eq!(faults.spend(FaultKind::Nack), None);
        for _ in 0..100 {
            assert_eq!(faults.spend(FaultKind::LoseAcks), Some(Fault::LoseAcks));
        }
        faults.end(FaultKind::LoseAcks);
        assert!(!faults.has(FaultKind::LoseAcks));
        assert_eq!(faults.armed(), []);
    }

    #[test]
    fn arming_again_replaces_and_no_uses_end() {
        let mut faults = Faults::default();
        faults.arm(Fault::Nack { code: 429 }, Some(5));
        faults.arm(Fault::Nack { code: 463 }, Some(1));
        let armed = ArmedFault { fault: Fault::Nack { code: 463 }, uses_left: Some(1) };
        assert_eq!(faults.armed(), [armed]);
        faults.arm(Fault::Nack { code: 463 }, Some(0));
        assert_eq!(faults.armed(), []);
    }

    #[test]
    fn faults_have_a_plain_json_form() {
        let read = |text| serde_json::from_str::<Fault>(text);
        assert_eq!(read(r#""cut""#).unwrap(), Fault::Cut);
        assert_eq!(read(r#"{"slow":{"delay_ms":5}}"#).unwrap(), Fault::Slow { delay_ms: 5 });
        assert!(read(r#"{"slow":{"delay":5}}"#).is_err());
        assert!(read(r#""melt""#).is_err());
    }
}
