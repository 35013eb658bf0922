//! What a process is doing, and which requests that allows.
//!
//! ```text
//!             start, restart                      ended by itself,
//!  stopped ───────────────────▶ launching         to be restarted
//!     ▲  ▲        ▲                │   │   ┌──────────────────────────┐
//!     │  │        │       executed │   │   │                          ▼
//!     │  │        │                ▼   │ online ◀── (launching) ── waiting restart
//!     │  │        │      ┌──── online ◀┘   │                        │      │
//!     │  │        │ stop,│         │        │ too many unstable     stop  start
//!     │  │ ended, │ restart        │        ▼ exits                  │      │
//!     │  │ rests  │      ▼         └─────▶ errored ──▶ launching     ▼   launching
//!     │  └────────┼── (ended)                  ▲                  stopped
//!     │           │                            │ could not be executed
//!     └────── stopping ── then start ──▶ launching
//! ```
//! Every process that exists is in exactly one of the states; [`Phase`] is their plain name, and
//! [`admit`] the one place that says what a request does in each of them. Stop outranks start: a stop that
//! arrives while another request is under way wins over it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It returned this exit code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It ended while nobody could learn how.
    Unknown,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Unknown => f.write_str("an unknown exit status"),
        }
    }
}

impl Exit {
    /// From a status as `wait(2)` reports it.
    pub(crate) fn from_wait_status(status: i32) -> Self {
        match status & 0x7f {
            0 => Self::Code((status >> 8) & 0xff),
            signal => Self::Signal(signal),
        }
    }
}

/// The name of a process's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Its program is being executed.
    Launching,
    /// Its main process lives.
    Online,
    /// It was told to end, and some process of its tree lives.
    Stopping,
    /// It does not run.
    Stopped,
    /// It ended by itself and will be started again after a delay.
    WaitingRestart,
    /// It ended too often or could not be executed.
    Errored,
}

/// What follows when a tree that was told to end is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AfterStop {
    /// Nothing: it stays stopped.
    Rest,
    /// It is started again.
    Launch,
    /// It is dropped from the table.
    Forget,
    /// The restart policy decides, as if it had failed by itself.
    Judge,
    /// It stays errored: who asked for it knows why.
    Fail,
}

/// What can be asked for a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Run it.
    Start,
    /// End it, politely first.
    Stop,
    /// End it after a short grace.
    ForceStop,
    /// End it, then run it.
    Restart,
    /// End it after a short grace, then run it.
    ForceRestart,
    /// End it and forget it.
    Delete,
}

/// What a request leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Execute it now.
    Launch,
    /// Tell its tree to end; then do what is said.
    Terminate {
        /// What follows.
        then: AfterStop,
        /// Whether only the short grace is given.
        force: bool,
    },
    /// Its tree ends already (or is about to, once its launch is through): what follows is now this.
    Redirect {
        /// What follows.
        then: AfterStop,
        /// Whether the end is to be hastened.
        force: bool,
    },
    /// It does not run: put it to rest.
    Rest,
    /// It does not run: drop it.
    Forget,
    /// Refused, because it runs.
    AlreadyRunning,
    /// Refused, because another request is under way that outranks this one.
    Busy(&'static str),
}

/// Decides what `verb` does to a process in `phase`. `then` is what follows the end that is under way: in
/// `Stopping` always something, in `Launching` something only when a stop is already waiting.
#[must_use]
pub fn admit(phase: Phase, then: Option<AfterStop>, verb: Verb) -> Admission {
    match phase {
        Phase::Stopped | Phase::Errored | Phase::WaitingRestart => match verb {
            Verb::Start | Verb::Restart | Verb::ForceRestart => Admission::Launch,
            Verb::Stop | Verb::ForceStop => Admission::Rest,
            Verb::Delete => Admission::Forget,
        },
        Phase::Online => admit_online(verb),
        Phase::Launching => match (then, verb) {
            (None, Verb::Start) => Admission::AlreadyRunning,
            (None, Verb::Restart | Verb::ForceRestart) => Admission::Busy("it is being started"),
            (then, verb) => admit_ending(then, verb),
        },
        Phase::Stopping => admit_ending(then, verb),
    }
}

fn admit_online(verb: Verb) -> Admission {
    match verb {
        Verb::Start => Admission::AlreadyRunning,
        Verb::Stop => Admission::Terminate { then: AfterStop::Rest, force: false },
        Verb::ForceStop => Admission::Terminate { then: AfterStop::Rest, force: true },
        Verb::Restart => Admission::Terminate { then: AfterStop::Launch, force: false },
        Verb::ForceRestart => Admission::Terminate { then: AfterStop::Launch, force: true },
        Verb::Delete => Admission::Terminate { then: AfterStop::Forget, force: false },
    }
}

fn admit_ending(then: Option<AfterStop>, verb: Verb) -> Admission {
    match (then, verb) {
        (_, Verb::Delete) => Admission::Redirect { then: AfterStop::Forget, force: false },
        (Some(AfterStop::Forget), Verb::Stop | Verb::ForceStop) => {
            Admission::Redirect { then: AfterStop::Forget, force: verb == Verb::ForceStop }
        }
        (Some(AfterStop::Forget), Verb::Start | Verb::Restart | Verb::ForceRestart) => {
            Admission::Busy("it is being deleted")
        }
        (_, Verb::ForceStop) => Admission::Redirect { then: AfterStop::Rest, force: true },
        (_, Verb::Stop) => Admission::Redirect { then: AfterStop::Rest, force: false },
        (_, Verb::ForceRestart) => Admission::Redirect { then: AfterStop::Launch, force: true },
        (Some(AfterStop::Judge | AfterStop::Fail), Verb::Start | Verb::Restart) => {
            Admission::Redirect { then: AfterStop::Launch, force: false }
        }
        (Some(AfterStop::Launch), Verb::Start) => Admission::AlreadyRunning,
        (Some(AfterStop::Launch), Verb::Restart) => Admission::Busy("it is being restarted"),
        (Some(AfterStop::Rest) | None, Verb::Start | Verb::Restart) => {
            Admission::Busy("it is being stopped")
        }
    }
}

#[cfg(test)]
mod tests;
