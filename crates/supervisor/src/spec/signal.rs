//! The signals that may be sent to a process.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A signal, by name (`SIGTERM`, `TERM`) or number in text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum KillSignal {
    /// SIGTERM.
    #[default]
    Term,
    /// SIGINT, what PM2 sends.
    Int,
    /// SIGHUP.
    Hup,
    /// SIGQUIT.
    Quit,
    /// SIGUSR1.
    Usr1,
    /// SIGUSR2.
    Usr2,
    /// SIGKILL: no polite phase at all.
    Kill,
    /// SIGCONT.
    Cont,
    /// SIGSTOP.
    Stop,
    /// SIGALRM.
    Alrm,
    /// SIGWINCH.
    Winch,
    /// SIGABRT.
    Abrt,
}

const NAMES: [(KillSignal, &str, i32); 12] = [
    (KillSignal::Term, "SIGTERM", 15),
    (KillSignal::Int, "SIGINT", 2),
    (KillSignal::Hup, "SIGHUP", 1),
    (KillSignal::Quit, "SIGQUIT", 3),
    (KillSignal::Usr1, "SIGUSR1", 10),
    (KillSignal::Usr2, "SIGUSR2", 12),
    (KillSignal::Kill, "SIGKILL", 9),
    (KillSignal::Cont, "SIGCONT", 18),
    (KillSignal::Stop, "SIGSTOP", 19),
    (KillSignal::Alrm, "SIGALRM", 14),
    (KillSignal::Winch, "SIGWINCH", 28),
    (KillSignal::Abrt, "SIGABRT", 6),
];

/// The text names no signal that is known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no signal; known are SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGKILL, SIGCONT, SIGSTOP, SIGALRM, SIGWINCH and SIGABRT"
)]
pub struct UnknownSignal(pub String);

impl FromStr for KillSignal {
    type Err = UnknownSignal;

    fn from_str(text: &str) -> Result<Self, UnknownSignal> {
        let upper = text.trim().to_ascii_uppercase();
        let number: Option<i32> = upper.parse().ok();
        let named = NAMES.iter().find(|(_, name, value)| {
            *name == upper || name.strip_prefix("SIG") == Some(&upper) || number == Some(*value)
        });
        named.map(|(signal, ..)| *signal).ok_or_else(|| UnknownSignal(text.to_owned()))
    }
}

impl TryFrom<String> for KillSignal {
    type Error = UnknownSignal;

    fn try_from(text: String) -> Result<Self, UnknownSignal> {
        text.parse()
    }
}

impl From<KillSignal> for String {
    fn from(signal: KillSignal) -> Self {
        signal.to_string()
    }
}

impl fmt::Display for KillSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name =
            NAMES.iter().find(|(signal, ..)| signal == self).map_or("SIGTERM", |found| found.1);
        f.write_str(name)
    }
}

impl From<KillSignal> for rustix::process::Signal {
    fn from(signal: KillSignal) -> Self {
        match signal {
            KillSignal::Term => Self::TERM,
            KillSignal::Int => Self::INT,
            KillSignal::Hup => Self::HUP,
            KillSignal::Quit => Self::QUIT,
            KillSignal::Usr1 => Self::USR1,
            KillSignal::Usr2 => Self::USR2,
            KillSignal::Kill => Self::KILL,
            KillSignal::Cont => Self::CONT,
            KillSignal::Stop => Self::STOP,
            KillSignal::Alrm => Self::ALARM,
            KillSignal::Winch => Self::WINCH,
            KillSignal::Abrt => Self::ABORT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_has_a_name_that_reads_back() {
        for (signal, name, number) in NAMES {
            assert_eq!(name.parse(), Ok(signal));
            assert_eq!(name.to_lowercase().trim_start_matches("sig").parse(), Ok(signal));
            assert_eq!(number.to_string().parse(), Ok(signal));
            assert_eq!(signal.to_string(), name);
            assert_eq!(rustix::process::Signal::from(signal).as_raw(), number);
        }
        assert!("SIGNOPE".parse::<KillSignal>().is_err());
    }
}
