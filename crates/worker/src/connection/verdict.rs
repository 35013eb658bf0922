//! How a connection ended, and what follows: pure.
//!
//! | how it ended | what follows |
//! |---|---|
//! | lost, or never made; 500, 503 | another attempt, as the backoff says |
//! | WhatsApp wants a new connection (515) | one at once; only so often in a row |
//! | refused without a reason (400, 409, 413, …) | another attempt, after the longest wait |
//! | this version is too old (405) | `ERROR`; tried rarely, for the version is looked up anew |
//! | banned for a time (402) | `ERROR` until then |
//! | banned (406) or locked (403) | `ERROR`; the keys are kept, and nothing is tried |
//! | logged out (401), by the phone or by WhatsApp | the keys are deleted, and nothing is tried |
//! | another client took the login (409, `replaced`) | the worker ends |
//! | what came in could not be stored | `ERROR`; another attempt, as the backoff says, takes it once there is room |
//! | the line died | see [`crate::liveness`] |

use std::time::Duration;

use api::link::{Trouble, TroubleKind};

/// How a connection (or the attempt at one) ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was lost, or never made.
    Lost(String),
    /// It fell silent; what was found.
    Dead(String),
    /// WhatsApp wants a new connection.
    Restart,
    /// The phone scanned the code; WhatsApp wants a new connection for the login.
    Paired,
    /// What came in could not be stored.
    Unstored(String),
    /// All codes were shown and none was scanned.
    CodesUsedUp,
    /// WhatsApp refuses this client for now; trying again soon would not help.
    Refused(String),
    /// This client's version is too old.
    Outdated(String),
    /// The account is banned for so long.
    BannedForNow(String, Duration),
    /// The account is banned or locked.
    Banned(String),
    /// The login was ended.
    LoggedOut(String),
    /// Another client uses the login.
    Replaced,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Connect again at once.
    Again,
    /// Connect again at once if that has not been done too often; else as after a loss.
    Restart,
    /// Connect again with new codes after the first wait of the backoff: nothing went wrong.
    NewCodes,
    /// Wait as the backoff says, at least so long.
    BackOff {
        /// What it counts as when it is the last attempt.
        kind: TroubleKind,
        /// For the status.
        detail: String,
        /// The least wait.
        at_least: Duration,
    },
    /// Take the next step of healing.
    Heal(String),
    /// Say what is the matter.
    Stuck {
        /// What is the matter.
        trouble: Trouble,
        /// When to try all the same.
        retry: Retry,
    },
    /// Delete the login's keys and stay so.
    StayLoggedOut(String),
    /// End the worker.
    Yield,
}

/// When a worker that is stuck tries again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    /// When somebody asks for it.
    Asked,
    /// Rarely.
    Rarely,
    /// After this time.
    After(Duration),
}

impl Verdict {
    /// What follows; `cap` is the longest wait of the backoff.
    pub(super) fn next(self, cap: Duration) -> Next {
        let stuck = |kind, detail, retry| Next::Stuck { trouble: Trouble { kind, detail }, retry };
        match self {
            Self::Lost(detail) => {
                let kind = TroubleKind::Unreachable;
                Next::BackOff { kind, detail, at_least: Duration::ZERO }
            }
            Self::Dead(detail) => Next::Heal(detail),
            Self::Restart => Next::Restart,
            Self::Paired => Next::Again,
            Self::Unstored(detail) => {
                Next::BackOff { kind: TroubleKind::Storage, detail, at_least: Duration::ZERO }
            }
            Self::CodesUsedUp => Next::NewCodes,
            Self::Refused(detail) => {
                Next::BackOff { kind: TroubleKind::Refused, detail, at_least: cap }
            }
            Self::Outdated(detail) => stuck(TroubleKind::Outdated, detail, Retry::Rarely),
            Self::BannedForNow(detail, time) => {
                // A ban of no length is no reason to knock without a pause.
                stuck(TroubleKind::BannedForNow, detail, Retry::After(time.max(cap)))
            }
            Self::Banned(detail) => stuck(TroubleKind::Banned, detail, Retry::Asked),
            Self::LoggedOut(detail) => Next::StayLoggedOut(detail),
            Self::Replaced => Next::Yield,
        }
    }

    /// How final it is: of two verdicts on one connection the more final one holds, so that the
    /// closing of the socket does not hide why it was closed.
    const fn rank(&self) -> u8 {
        match self {
            Self::Lost(_) => 0,
            Self::Dead(_) => 1,
            Self::Restart => 2,
            Self::Paired => 3,
            Self::Unstored(_) => 4,
            Self::CodesUsedUp => 5,
            Self::Refused(_) => 6,
            Self::Outdated(_) => 7,
            Self::BannedForNow(..) => 8,
            Self::Banned(_) => 9,
            Self::LoggedOut(_) => 10,
            Self::Replaced => 11,
        }
    }

    /// Keeps the more final of the two.
    pub(super) fn over(self, earlier: Option<Self>) -> Self {
        match earlier {
            Some(earlier) if earlier.rank() > self.rank() => earlier,
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CAP: Duration = Duration::from_secs(300);

    fn any_verdict() -> impl Strategy<Value = Verdict> {
        let text = || "x".to_owned();
        prop_oneof![
            Just(Verdict::Lost(text())),
            Just(Verdict::Dead(text())),
            Just(Verdict::Restart),
            Just(Verdict::Paired),
            Just(Verdict::Unstored(text())),
            Just(Verdict::CodesUsedUp),
            Just(Verdict::Refused(text())),
            Just(Verdict::Outdated(text())),
            (0_u64..9999).prop_map(move |s| Verdict::BannedForNow(text(), Duration::from_secs(s))),
            Just(Verdict::Banned(text())),
            Just(Verdict::LoggedOut(text())),
            Just(Verdict::Replaced),
        ]
    }

    proptest! {
        /// Whatever is seen of a connection and in whatever order: what is final is not tried again.
        #[test]
        fn the_most_final_verdict_holds(seen in prop::collection::vec(any_verdict(), 1..6)) {
            let mut held = None;
            for verdict in seen.clone() {
                held = Some(verdict.over(held.take()));
            }
            let next = held.unwrap().next(CAP);
            if seen.contains(&Verdict::Replaced) {
                prop_assert_eq!(next, Next::Yield);
            } else if seen.iter().any(|it| matches!(it, Verdict::LoggedOut(_))) {
                prop_assert!(matches!(next, Next::StayLoggedOut(_)));
            } else if seen.iter().any(|it| matches!(it, Verdict::Banned(_))) {
                let untried = matches!(next, Next::Stuck { retry: Retry::Asked, .. });
                prop_assert!(untried);
            } else {
                prop_assert!(!matches!(next, Next::StayLoggedOut(_) | Next::Yield), "keys deleted");
            }
        }
    }

    #[test]
    fn a_closing_socket_does_not_hide_why() {
        let why = Verdict::LoggedOut("unlinked".to_owned());
        let held = Verdict::Lost("stream ended".to_owned()).over(Some(why.clone()));
        assert_eq!(held, why);
        assert_eq!(Verdict::Replaced.over(Some(why)), Verdict::Replaced);
    }

    #[test]
    fn a_refusal_waits_the_longest_and_a_loss_as_the_backoff_says() {
        let least = |verdict: Verdict| match verdict.next(CAP) {
            Next::BackOff { at_least, .. } => at_least,
            other => panic!("{other:?}"),
        };
        assert_eq!(least(Verdict::Refused(String::new())), CAP);
        assert_eq!(least(Verdict::Lost(String::new())), Duration::ZERO);
    }

    #[test]
    fn a_ban_lasts_as_long_as_whatsapp_says() {
        let two_hours = Duration::from_secs(7200);
        let next = Verdict::BannedForNow(String::new(), two_hours).next(CAP);
        assert!(matches!(next, Next::Stuck { retry: Retry::After(time), .. } if time == two_hours));
        let next = Verdict::BannedForNow(String::new(), Duration::ZERO).next(CAP);
        assert!(matches!(next, Next::Stuck { retry: Retry::After(time), .. } if time == CAP));
    }
}
