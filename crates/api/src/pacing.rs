//! How a tenant's bot paces itself, so that its number is not banned (`docs/pacing.md`).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A tenant's pacing: what is absent has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pacing {
    /// Takes everything here away but `slowdown`: for measurements, and for who knows. The tenant's
    /// answers in a minute have their own setting, and stay limited.
    pub off: bool,
    /// How much one contact gets.
    pub contact: ContactLimit,
    /// How long the bot seems to type.
    pub typing: Typing,
    /// When the bot writes to nobody who has not written first; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet: Option<QuietHours>,
    /// How many new contacts a number may write to.
    pub warm_up: WarmUp,
    /// What happens when WhatsApp says that it is too much (429, 463).
    pub slowdown: Slowdown,
}

/// The most messages to one contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ContactLimit {
    /// So many, 1 to 1,000 …
    pub max: u32,
    /// … in any so many minutes, 1 to 1,440.
    pub minutes: u32,
    /// What becomes of an answer beyond.
    pub beyond: Beyond,
}

/// What becomes of an answer beyond a contact's limit. Either way an event tells of it, once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Beyond {
    /// It waits until it is within.
    #[default]
    Wait,
    /// The message gets no answer.
    Suppress,
}

/// How long the bot shows that it types before a text goes out: by the text's length, and never twice
/// the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Typing {
    /// Milliseconds for each character, 0 to 1,000; 0: it does not type at all.
    pub per_character_ms: u32,
    /// At least so many milliseconds, up to `most_ms`.
    pub least_ms: u32,
    /// At most so many milliseconds, up to 25,000.
    pub most_ms: u32,
    /// By up to so much per cent longer or shorter, 0 to 90.
    pub jitter_percent: u32,
}

/// The hours of each day in which nobody is written to who has not written first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// From this time on: `22:00`.
    pub from: String,
    /// Up to this time: `07:00`. Before `from`: on the next day.
    pub to: String,
    /// The tenant's time zone, such as `Africa/Nairobi`; universal time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Whether answers wait too.
    #[serde(default)]
    pub replies: bool,
}

/// How many contacts who never wrote may be written to in any 24 hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WarmUp {
    /// On the day of the pairing, 0 to 100,000.
    pub first_day: u32,
    /// More by so much per cent with each day, 0 to 1,000.
    pub growth_percent: u32,
    /// Never more than so many, from `first_day` to 100,000.
    pub most: u32,
}

/// What follows when WhatsApp refuses a message because there are too many: nothing is sent for a while,
/// then half as much; each further time twice as long, and half of that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Slowdown {
    /// The first pause in seconds, 1 to 3,600.
    pub pause_seconds: u32,
    /// Minutes without another refusal until the rate doubles again, 1 to 1,440.
    pub recovery_minutes: u32,
}

impl Default for ContactLimit {
    fn default() -> Self {
        Self { max: 20, minutes: 10, beyond: Beyond::Wait }
    }
}

impl Default for Typing {
    fn default() -> Self {
        Self { per_character_ms: 30, least_ms: 600, most_ms: 4000, jitter_percent: 25 }
    }
}

impl Default for WarmUp {
    fn default() -> Self {
        Self { first_day: 20, growth_percent: 20, most: 1000 }
    }
}

impl Default for Slowdown {
    fn default() -> Self {
        Self { pause_seconds: 60, recovery_minutes: 15 }
    }
}

impl Pacing {
    /// No pacing.
    #[must_use]
    pub fn off() -> Self {
        Self { off: true, ..Self::default() }
    }

    /// The values that are out of bounds: each with its field and what it must be. Whether the quiet
    /// hours are hours is for who knows time zones.
    #[must_use]
    pub fn out_of_bounds(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let mut within = |field, value: u32, least: u32, most: u32| {
            if !(least..=most).contains(&value) {
                found.push((field, format!("is {value}; write {least} to {most}")));
            }
        };
        within("contact.max", self.contact.max, 1, 1000);
        within("contact.minutes", self.contact.minutes, 1, 1440);
        within("typing.per_character_ms", self.typing.per_character_ms, 0, 1000);
        within("typing.most_ms", self.typing.most_ms, 0, 25_000);
        within("typing.least_ms", self.typing.least_ms, 0, self.typing.most_ms.min(25_000));
        within("typing.jitter_percent", self.typing.jitter_percent, 0, 90);
        within("warm_up.first_day", self.warm_up.first_day, 0, 100_000);
        within("warm_up.growth_percent", self.warm_up.growth_percent, 0, 1000);
        within("warm_up.most", self.warm_up.most, self.warm_up.first_day.min(100_000), 100_000);
        within("slowdown.pause_seconds", self.slowdown.pause_seconds, 1, 3600);
        within("slowdown.recovery_minutes", self.slowdown.recovery_minutes, 1, 1440);
        found
    }
}

impl fmt::Display for Pacing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.off {
            return f.write_str("off");
        }
        let contact = &self.contact;
        write!(f, "{} messages a contact in {} minutes", contact.max, contact.minutes)
    }
}

/// The answer to `GET` and `PUT /admin/tenants/{id}/pacing`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PacingView {
    /// The version of the tenant's settings, which the pacing is part of.
    pub version: u64,
    /// The pacing, with its defaults.
    pub pacing: Pacing,
}

/// A pacing that a control plane of another version may have written.
///
/// # Errors
/// When it is no JSON at all.
pub(crate) fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pacing, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_within_bounds_and_each_bound_is_told() {
        assert_eq!(Pacing::default().out_of_bounds(), []);
        let mut bad = Pacing::off();
        bad.contact.max = 0;
        bad.typing.least_ms = 5000;
        bad.slowdown.recovery_minutes = 2000;
        let fields: Vec<_> = bad.out_of_bounds().into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, ["contact.max", "typing.least_ms", "slowdown.recovery_minutes"]);
    }

    #[test]
    fn what_is_absent_has_its_default_and_what_is_unknown_is_told() {
        let some: Pacing = serde_json::from_str(r#"{"contact": {"max": 5}}"#).unwrap();
        assert_eq!((some.contact.max, some.contact.minutes), (5, 10));
        let error = serde_json::from_str::<Pacing>(r#"{"contact": {"maximum": 5}}"#).unwrap_err();
        assert!(error.to_string().contains("maximum"), "{error}");
    }
}
