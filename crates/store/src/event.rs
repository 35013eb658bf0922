//! An event that is to be written into the event log.

use std::borrow::Cow;

use api::events::KindFilter;
use api::tenant::TenantId;
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use serde_json::Value;

/// The longest kind, in bytes.
const MAX_KIND: usize = 100;
/// The longest detail, in bytes: what is said in words is no place for documents.
const MAX_DETAIL: usize = 4096;

/// An event without a number yet. What no database would keep as it is, is not in it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    tenant: Option<TenantId>,
    kind: String,
    detail: String,
    data: Option<Value>,
    at: DateTime<Utc>,
}

impl NewEvent {
    /// An event that happens now; without a tenant it concerns the installation.
    #[must_use]
    pub fn new(tenant: Option<TenantId>, kind: &str, detail: &str) -> Self {
        let now = Utc::now();
        Self {
            tenant,
            kind: plain(kind, MAX_KIND).to_ascii_lowercase(),
            detail: plain(detail, MAX_DETAIL),
            data: None,
            at: micros(now),
        }
    }

    /// The same as having happened at `at`; never later than now, however wrong the clock was that says so.
    #[must_use]
    pub fn happened(mut self, at: DateTime<Utc>) -> Self {
        self.at = self.at.min(micros(at));
        self
    }

    /// The same with an object for programs.
    #[must_use]
    pub fn with(mut self, data: Value) -> Self {
        self.data = Some(scrubbed(data));
        self
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> Option<TenantId> {
        self.tenant
    }

    /// What.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// In words.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// For programs.
    #[must_use]
    pub fn data(&self) -> Option<&Value> {
        self.data.as_ref()
    }

    /// When, in whole microseconds.
    #[must_use]
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// About how many bytes of memory it takes.
    #[must_use]
    pub fn weight(&self) -> usize {
        let data = self.data.as_ref().map_or(0, |data| data.to_string().len());
        size_of::<Self>() + self.kind.len() + self.detail.len() + data
    }
}

/// Which events are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventSelection {
    /// Of this tenant alone.
    pub tenant: Option<TenantId>,
    /// Of these kinds alone.
    pub kinds: KindFilter,
}

/// A time as every database gives it back.
pub(crate) fn micros(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(at)
}

/// A text without NUL, which PostgreSQL refuses, cut where it is too long.
pub(crate) fn plain(text: &str, most: usize) -> String {
    let end = text.floor_char_boundary(most);
    whole(&text[..end]).into_owned()
}

/// A text without NUL.
pub(crate) fn whole(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

/// The same for all texts in a value.
fn scrubbed(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(whole(&text).into_owned()),
        Value::Array(values) => values.into_iter().map(scrubbed).collect(),
        Value::Object(fields) => {
            let clean =
                |(name, value): (String, Value)| (whole(&name).into_owned(), scrubbed(value));
            fields.into_iter().map(clean).collect()
        }
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain,
    }
}
