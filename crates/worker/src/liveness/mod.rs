//! Whether a connection still works, both ways: pure, no clock and no connection of its own.
//!
//! A number that nobody writes to is quiet, and a connection that died may be quiet too: only an
//! answer tells them apart. So a connection is *proven* by the answer to a ping, which is sent when
//! the last proof is [`Policy::quiet`] old. No answer within [`Policy::patience`] is death; only when
//! something came meanwhile (a backlog may delay the answer) a second ping is granted. A dead
//! connection is thus found [`Policy::longest`] after its last proof, in most cases earlier.

use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// The numbers of the watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How old the last proof may become before a ping.
    pub quiet: Duration,
    /// How long a ping may go unanswered.
    pub patience: Duration,
}

impl Policy {
    /// The longest that a dead connection stays unnoticed.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.quiet + self.patience * 2
    }
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Look again at this moment.
    Look(Instant),
    /// Send a ping, and look again.
    Ping,
    /// The connection is dead.
    Dead,
}

/// Watches one connection.
#[derive(Clone, Debug)]
pub struct Watch {
    policy: Policy,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    /// WhatsApp has said nothing of substance yet and takes no ping.
    Opening { since: Instant },
    /// Proven at this moment.
    Proven { at: Instant },
    /// A ping is out.
    Asked { at: Instant, second: bool },
}

impl Watch {
    /// Watches a connection that is being made since `now`.
    #[must_use]
    pub fn new(policy: Policy, now: Instant) -> Self {
        Self { policy, stage: Stage::Opening { since: now } }
    }

    /// Something came that proves the connection: it was opened, or a ping was answered.
    pub fn proven(&mut self, now: Instant) {
        self.stage = Stage::Proven { at: now };
    }

    /// What to do at `now`, when the last frame came at `last_frame`.
    pub fn look(&mut self, now: Instant, last_frame: Option<Instant>) -> Act {
        let Policy { quiet, patience } = self.policy;
        match self.stage {
            Stage::Opening { since } => {
                let heard = last_frame.map_or(since, |frame| frame.max(since));
                let deadline = heard + self.policy.longest();
                if now >= deadline { Act::Dead } else { Act::Look(deadline) }
            }
            Stage::Proven { at } if now < at + quiet => Act::Look(at + quiet),
            Stage::Proven { .. } => self.ask(now, false),
            Stage::Asked { at, .. } if now < at + patience => Act::Look(at + patience),
            Stage::Asked { at, second: false } if last_frame.is_some_and(|frame| frame > at) => {
                self.ask(now, true)
            }
            Stage::Asked { .. } => Act::Dead,
        }
    }

    fn ask(&mut self, now: Instant, second: bool) -> Act {
        self.stage = Stage::Asked { at: now, second };
        Act::Ping
    }
}

/// What is done about connections of a login that died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Make another.
    Reconnect,
    /// End the process, so that it is started again.
    Restart,
    /// Say so loudly, and try rarely.
    Alert,
}

/// The steps of healing. `in_a_row`: how many connections have died with none healthy between
/// them, this one included; `restarted`: whether the process was started anew for it before.
#[must_use]
pub fn remedy(in_a_row: u32, restarted: bool) -> Remedy {
    match (in_a_row, restarted) {
        (0 | 1, _) => Remedy::Reconnect,
        (_, false) => Remedy::Restart,
        (_, true) => Remedy::Alert,
    }
}
