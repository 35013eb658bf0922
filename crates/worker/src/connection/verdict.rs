//! How a connection ended, and what follows: pure.

use std::time::Duration;

/// How a connection (or the attempt at one) ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was lost, or never made.
    Lost(String),
    /// The phone scanned the code; WhatsApp wants a new connection for the login.
    Paired,
    /// All codes were shown and none was scanned.
    CodesUsedUp,
    /// WhatsApp refuses this client for now; trying again soon would not help.
    Refused {
        /// Why.
        detail: String,
        /// WhatsApp's own word on how long.
        for_at_least: Option<Duration>,
    },
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
    /// Connect again with new codes after the first wait of the backoff: nothing went wrong.
    NewCodes,
    /// Wait as the backoff says, at least so long.
    BackOff {
        /// For the status.
        detail: String,
        /// The least wait.
        at_least: Duration,
    },
    /// Delete the login's keys and stay so.
    StayLoggedOut(String),
    /// End the worker.
    Yield,
}

impl Verdict {
    /// What follows; `cap` is the longest wait of the backoff.
    pub(super) fn next(self, cap: Duration) -> Next {
        match self {
            Self::Lost(detail) => Next::BackOff { detail, at_least: Duration::ZERO },
            Self::Paired => Next::Again,
            Self::CodesUsedUp => Next::NewCodes,
            Self::Refused { detail, for_at_least } => {
                Next::BackOff { detail, at_least: for_at_least.unwrap_or(cap) }
            }
            Self::LoggedOut(detail) => Next::StayLoggedOut(detail),
            Self::Replaced => Next::Yield,
        }
    }

    /// How final it is: of two verdicts on one connection the more final one holds, so that the
    /// closing of the socket does not hide why it was closed.
    const fn rank(&self) -> u8 {
        match self {
            Self::Lost(_) => 0,
            Self::Paired => 1,
            Self::CodesUsedUp => 2,
            Self::Refused { .. } => 3,
            Self::LoggedOut(_) => 4,
            Self::Replaced => 5,
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
    use super::*;

    const CAP: Duration = Duration::from_secs(300);

    #[test]
    fn a_closing_socket_does_not_hide_why() {
        let why = Verdict::LoggedOut("unlinked".to_owned());
        let held = Verdict::Lost("stream ended".to_owned()).over(Some(why.clone()));
        assert_eq!(held, why);
        assert_eq!(Verdict::Replaced.over(Some(why)), Verdict::Replaced);
    }

    #[test]
    fn a_logout_is_never_tried_again_and_a_replacement_is_never_fought() {
        let next = Verdict::LoggedOut("unlinked".to_owned()).next(CAP);
        assert_eq!(next, Next::StayLoggedOut("unlinked".to_owned()));
        assert_eq!(Verdict::Replaced.next(CAP), Next::Yield);
    }

    #[test]
    fn a_refusal_waits_as_long_as_whatsapp_says_or_the_cap() {
        let refused = |for_at_least| Verdict::Refused { detail: String::new(), for_at_least };
        let least = |verdict: Verdict| match verdict.next(CAP) {
            Next::BackOff { at_least, .. } => at_least,
            other => panic!("{other:?}"),
        };
        assert_eq!(least(refused(None)), CAP);
        assert_eq!(least(refused(Some(Duration::from_secs(7200)))), Duration::from_secs(7200));
        assert_eq!(least(Verdict::Lost(String::new())), Duration::ZERO);
    }
}
