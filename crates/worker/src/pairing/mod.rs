//! How a session without a login gets one: pure, no clock and no connection of its own.
//!
//! ```text
//!              ┌──────── a person wants QR codes ────────┐
//!              ▼                                         │
//!    ┌──────► Qr ──(a person wants a pairing code)──► Asking ──(it came)──► Code
//!    │         │                                       │  ▲                 │ │
//!    │         │ unscanned for too long         refused│  └(connection lost)┘ │ expired
//!    │         ▼                                       ▼                      ▼
//!    └───── Ended ◄────────── called off, a passkey is demanded, … ───────────┘
//!  asked for                        (each but Paired) ──the phone links──► Paired
//! ```
//!
//! Nothing is shown in `Ended`, and no connection is held: only a person begins anew.

use std::time::{Duration, Instant};

use api::Phone;
use api::link::{PairingCode, PairingStep, QrCode};

#[cfg(test)]
mod tests;

/// Where the pairing stands; each state holds only what is valid in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// There is a login.
    Paired,
    /// QR codes are shown, or about to be.
    Qr {
        /// When they have been shown for long enough; `None` before the first.
        until: Option<Instant>,
    },
    /// A pairing code is wanted.
    Asking {
        /// For this phone.
        phone: Phone,
        /// Whether WhatsApp was asked on the present connection.
        sent: bool,
    },
    /// A pairing code is shown.
    Code {
        /// For this phone.
        phone: Phone,
        /// When it is void.
        until: Instant,
    },
    /// Nothing is shown until a person asks.
    Ended(Ending),
}

/// Why no code is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nobody used the codes in time.
    TimedOut,
    /// A person called it off.
    Cancelled,
    /// WhatsApp gave no pairing code; why.
    Refused(String),
    /// The phone demands a passkey.
    PasskeyNeeded,
}

/// What a person wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A pairing code for this phone.
    Code(Phone),
    /// QR codes.
    Qr,
    /// No codes.
    Cancel,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A person wants something.
    Wish(Wish),
    /// WhatsApp gave a QR code.
    Qr(QrCode),
    /// WhatsApp gave a pairing code that is good for so long.
    Code(PairingCode, Duration),
    /// WhatsApp gave no pairing code; why.
    Refused(String),
    /// WhatsApp says that the pairing code is void.
    Void,
    /// The phone demands a passkey.
    Passkey,
    /// The phone has linked the session.
    Linked,
    /// The login is no more.
    Unlinked,
    /// The connection has ended, and with it every code.
    Lost,
    /// Time went by.
    Time,
}

/// What is to be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// Show a QR code.
    ShowQr(QrCode),
    /// Show a pairing code.
    ShowCode(PairingCode),
    /// Ask WhatsApp for a pairing code, in place of any other.
    Ask(Phone),
    /// Make a new connection, which brings new codes.
    Connect,
    /// End the connection: nothing is to be shown.
    HangUp,
}

/// The pairing of one session.
#[derive(Clone, Debug)]
pub struct Pairing {
    state: State,
    /// Whether the present connection has brought a code: only then it takes a request for one.
    ready: bool,
    /// For how long codes are shown that nobody uses.
    limit: Duration,
}

impl Pairing {
    /// The pairing of a session with or without a login.
    #[must_use]
    pub fn new(paired: bool, limit: Duration) -> Self {
        let state = if paired { State::Paired } else { State::Qr { until: None } };
        Self { state, ready: false, limit }
    }

    /// Why no code is shown, if that is so.
    #[must_use]
    pub fn ending(&self) -> Option<&Ending> {
        match &self.state {
            State::Ended(ending) => Some(ending),
            _ => None,
        }
    }

    /// When time has to be looked at again.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Qr { until } => until,
            State::Code { until, .. } => Some(until),
            State::Paired | State::Asking { .. } | State::Ended(_) => None,
        }
    }

    /// The state as others hear it; `None` with a login.
    #[must_use]
    pub fn step(&self) -> Option<PairingStep> {
        match &self.state {
            State::Paired => None,
            State::Qr { .. } => Some(PairingStep::Qr),
            State::Asking { .. } => Some(PairingStep::CodeRequested),
            State::Code { .. } => Some(PairingStep::Code),
            State::Ended(ending) => Some(match ending {
                Ending::TimedOut => PairingStep::TimedOut,
                Ending::Cancelled => PairingStep::Cancelled,
                Ending::Refused(_) => PairingStep::Refused,
                Ending::PasskeyNeeded => PairingStep::PasskeyNeeded,
            }),
        }
    }

    /// Takes in what happened at `now`, and says what is to be done.
    pub fn take(&mut self, input: Input, now: Instant) -> Effect {
        match input {
            Input::Linked => self.enter(State::Paired, Effect::Nothing),
            Input::Unlinked => self.enter(State::Qr { until: None }, Effect::Nothing),
            Input::Lost => self.lost(),
            _ if self.state == State::Paired => Effect::Nothing,
            Input::Wish(wish) => self.wish(wish, now),
            Input::Qr(code) => self.qr(code, now),
            Input::Code(code, lives) => match &self.state {
                State::Asking { phone, .. } if *phone == code.phone => {
                    let until = now + lives.min(self.limit);
                    self.enter(
                        State::Code { phone: code.phone.clone(), until },
                        Effect::ShowCode(code),
                    )
                }
                _ => Effect::Nothing,
            },
            Input::Refused(why) => match self.state {
                State::Asking { sent: true, .. } => self.end(Ending::Refused(why)),
                _ => Effect::Nothing,
            },
            Input::Void => match self.state {
                State::Code { .. } => self.end(Ending::TimedOut),
                _ => Effect::Nothing,
            },
            Input::Passkey => self.end(Ending::PasskeyNeeded),
            Input::Time => match self.deadline() {
                Some(deadline) if deadline <= now => self.end(Ending::TimedOut),
                _ => Effect::Nothing,
            },
        }
    }

    fn enter(&mut self, state: State, effect: Effect) -> Effect {
        self.state = state;
        effect
    }

    fn end(&mut self, ending: Ending) -> Effect {
        match self.state {
            // The first reason stays.
            State::Ended(_) => Effect::Nothing,
            _ => self.enter(State::Ended(ending), Effect::HangUp),
        }
    }

    fn lost(&mut self) -> Effect {
        self.ready = false;
        if let State::Asking { phone, .. } | State::Code { phone, .. } = &self.state {
            // A code dies with its connection; the next one brings another.
            self.state = State::Asking { phone: phone.clone(), sent: false };
        }
        Effect::Nothing
    }

    fn wish(&mut self, wish: Wish, now: Instant) -> Effect {
        match (wish, &mut self.state) {
            (Wish::Cancel, _) => self.end(Ending::Cancelled),
            (Wish::Qr, State::Qr { until }) => {
                *until = until.map(|_| now + self.limit);
                Effect::Nothing
            }
            (Wish::Qr, _) => self.enter(State::Qr { until: None }, Effect::Connect),
            (Wish::Code(wanted), State::Asking { phone, .. } | State::Code { phone, .. })
                if *phone == wanted =>
            {
                Effect::Nothing
            }
            (Wish::Code(phone), State::Ended(_)) => {
                self.enter(State::Asking { phone, sent: false }, Effect::Connect)
            }
            (Wish::Code(phone), _) if self.ready => {
                self.enter(State::Asking { phone: phone.clone(), sent: true }, Effect::Ask(phone))
            }
            (Wish::Code(phone), _) => {
                self.enter(State::Asking { phone, sent: false }, Effect::Nothing)
            }
        }
    }

    fn qr(&mut self, code: QrCode, now: Instant) -> Effect {
        self.ready = true;
        match &mut self.state {
            State::Qr { until } => {
                until.get_or_insert(now + self.limit);
                Effect::ShowQr(code)
            }
            State::Asking { phone, sent } if !*sent => {
                *sent = true;
                Effect::Ask(phone.clone())
            }
            State::Paired | State::Asking { .. } | State::Code { .. } | State::Ended(_) => {
                Effect::Nothing
            }
        }
    }
}

impl Ending {
    /// What happened and what to do, in words.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::TimedOut => "pairing timed out; ask for a new code".to_owned(),
            Self::Cancelled => "the pairing was called off; ask for a code to begin again".to_owned(),
            Self::Refused(why) => format!("WhatsApp gives no pairing code: {why}"),
            Self::PasskeyNeeded => "the phone asks for a passkey, which a bot cannot give; link it from a phone on which WhatsApp asks for none (or take the passkey away in WhatsApp: Settings, Account, Passkeys), then ask for a new code".to_owned(),
        }
    }
}
