//! The event log: one event, and which kinds of event are asked for.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::tenant::TenantId;

/// One event of the event log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventView {
    /// The event's number. It grows through the whole log, and so through each tenant's events; an event never
    /// becomes visible after one with a larger number.
    pub seq: i64,
    /// The tenant that it happened to; none: it concerns the installation.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub tenant_id: Option<TenantId>,
    /// What happened, such as `worker.started`, `session.connected`, `message.in`.
    pub kind: String,
    /// In words.
    pub detail: String,
    /// For programs: an object, which depends on the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub data: Option<serde_json::Value>,
    /// When, in microseconds.
    pub at: DateTime<Utc>,
}

/// The most patterns in a [`KindFilter`].
pub const MAX_PATTERNS: usize = 20;

/// Which kinds of event are asked for: patterns with commas between them, each a kind (`worker.stale`) or all that
/// begin with a word (`message.*`). Without any pattern: all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KindFilter(Vec<KindPattern>);

/// One pattern of a [`KindFilter`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KindPattern {
    /// This very kind.
    Exactly(String),
    /// All that begin with this text, which ends with a dot.
    Under(String),
}

/// A text that is no [`KindFilter`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no kind of event: write a kind (worker.stale) or all of a group (message.*), with commas between up to {MAX_PATTERNS} of them"
)]
pub struct KindError(String);

impl KindFilter {
    /// The patterns; none: every kind matches.
    #[must_use]
    pub fn patterns(&self) -> &[KindPattern] {
        &self.0
    }

    /// Whether an event of this kind is asked for.
    #[must_use]
    pub fn matches(&self, kind: &str) -> bool {
        self.0.is_empty()
            || self.0.iter().any(|pattern| match pattern {
                KindPattern::Exactly(exactly) => exactly == kind,
                KindPattern::Under(group) => kind.starts_with(group.as_str()),
            })
    }
}

impl FromStr for KindFilter {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        let refused = |part: &str| KindError(part.chars().take(80).collect());
        let is_kind = |text: &str| {
            let may = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c);
            !text.is_empty() && text.len() <= 100 && text.chars().all(may)
        };
        let parts: Vec<_> =
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
        if parts.len() > MAX_PATTERNS {
            return Err(refused(text));
        }
        let pattern = |part: &str| match part.strip_suffix(".*") {
            Some(group) if is_kind(group) => Ok(KindPattern::Under(format!("{group}."))),
            None if is_kind(part) => Ok(KindPattern::Exactly(part.to_owned())),
            Some(_) | None => Err(refused(part)),
        };
        parts.into_iter().map(pattern).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for KindFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pattern) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "," })?;
            match pattern {
                KindPattern::Exactly(kind) => f.write_str(kind)?,
                KindPattern::Under(group) => write!(f, "{group}*")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{KindFilter, MAX_PATTERNS};

    #[test]
    fn a_filter_is_kinds_and_groups() {
        let filter: KindFilter = "message.*, worker.stale".parse().unwrap();
        for (kind, wanted) in [
            ("message.in", true),
            ("worker.stale", true),
            ("worker.stale_again", false),
            ("messages.in", false),
            ("message", false),
        ] {
            assert_eq!(filter.matches(kind), wanted, "{kind}");
        }
        assert_eq!(filter.to_string(), "message.*,worker.stale");
        assert!(KindFilter::default().matches("anything"));
        assert_eq!("".parse::<KindFilter>().unwrap(), KindFilter::default());
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let many = vec!["a.b"; MAX_PATTERNS + 1].join(",");
        for text in ["*", "message*", "Message.in", "a b", "%", "x.*.y", ".*", many.as_str()] {
            assert!(text.parse::<KindFilter>().is_err(), "{text}");
        }
    }
}
