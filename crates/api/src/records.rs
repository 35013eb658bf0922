//! Records: messages, events, the audit log, logs, pages of them, and health.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::session::SessionView;
use crate::tenant::{TenantId, TenantStatus};
use crate::worker::WorkerView;

/// A page of records. `next` goes into `?after=` (or `?before=` where the newest come first).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The records.
    pub items: Vec<T>,
    /// Where the next page starts; absent on the last page.
    pub next: Option<i64>,
}

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Direction {
    /// From a contact to the bot.
    In,
    /// From the bot to a contact.
    Out,
}

/// How far an outgoing message has come. Only ever forward, and `failed` only comes from `queued` or
/// `sent`. For the worker, which keeps the states, `failed` is final. The control plane fails a message
/// as `expired` without asking a worker that is off; one that had sent it after all corrects that when
/// it is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// It waits to be sent.
    Queued,
    /// WhatsApp has it.
    Sent,
    /// It reached the recipient's phone.
    Delivered,
    /// The recipient read it.
    Read,
    /// It will not be sent, or nobody knows; a reason says why.
    Failed,
}

impl MessageState {
    /// All of them, in order.
    pub const ALL: [Self; 5] =
        [Self::Queued, Self::Sent, Self::Delivered, Self::Read, Self::Failed];

    /// The word for it, as on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
        }
    }

    /// Whether a message of this state may come to `next`: only forward, past a state whose news was
    /// lost if need be. What reached the recipient cannot fail any more, and what failed stays so.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Failed, _) => false,
            (_, Self::Failed) => self <= Self::Sent,
            _ => self < next,
        }
    }
}

/// One message of the message log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MessageView {
    /// The record's number; grows.
    pub seq: i64,
    /// WhatsApp's id of the message.
    pub message_id: String,
    /// The chat's WhatsApp address.
    pub chat: String,
    /// Which way it went.
    pub direction: Direction,
    /// The text.
    pub text: String,
    /// When it was sent.
    pub at: DateTime<Utc>,
    /// How far an outgoing message has come, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<MessageState>,
}

/// The answer of `GET …/logs` without `follow`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogView {
    /// The last lines, oldest first.
    pub lines: Vec<String>,
}

/// The answer of `GET …/status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusView {
    /// The tenant's id.
    pub tenant_id: TenantId,
    /// The display name.
    pub name: String,
    /// Where the tenant stands.
    pub status: TenantStatus,
    /// The worker.
    pub worker: WorkerView,
    /// The session.
    pub session: SessionView,
}

/// The answer of `GET /health` and `GET /ready`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HealthView {
    /// `ok`, or `degraded` when a part is ill.
    pub status: String,
    /// The program's version.
    pub version: String,
    /// The parts, each `ok` or what is wrong with it.
    pub parts: std::collections::BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::MessageState;

    #[test]
    fn the_word_is_that_of_the_wire() {
        for state in MessageState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }

    proptest! {
        #[test]
        fn whatever_is_heard_a_message_only_goes_forward_and_ends(
            heard in prop::collection::vec(0_usize..5, 0..40),
        ) {
            let (mut state, mut changes) = (MessageState::Queued, 0);
            let mut arrived = false;
            for next in heard.into_iter().map(|n| MessageState::ALL[n]) {
                if state.may_become(next) {
                    prop_assert!(next > state);
                    prop_assert!(!(arrived && next == MessageState::Failed));
                    state = next;
                    changes += 1;
                    arrived |= matches!(next, MessageState::Delivered | MessageState::Read);
                }
                prop_assert!(!state.may_become(state), "the same news twice is told once");
            }
            prop_assert!(changes <= 3);
        }
    }
}
