//! Sizes and times with units.

use serde_json::{Value, json};

use super::{FieldValue, unexpected, whole};

/// A number of bytes: `1048576`, `"1024K"`, `"1M"`. Units are powers of 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

/// A time in milliseconds: `1500`, `"1500"`, `"2s"`, `"3m"`, `"1h"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

const SIZES: [(&str, u64); 4] = [("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10), ("B", 1)];
/// `ms` comes before the units that it ends with; it and `d` are additions to PM2's.
const TIMES: [(&str, u64); 5] =
    [("ms", 1), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)];

/// The number before a unit, times the unit. None where the text is no such thing or is too large.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let (digits, factor) = units
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))
        .unwrap_or((text, 1));
    // `parse` alone would take a sign.
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    plain.then(|| digits.parse::<u64>().ok()?.checked_mul(factor)).flatten()
}

impl Bytes {
    /// Reads a size as a field has it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        scaled(text, &SIZES).map(Self)
    }
}

impl Millis {
    /// Reads a time as a field has it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        scaled(text, &TIMES).map(Self)
    }
}

impl FieldValue for Bytes {
    const EXPECTS: &'static str =
        "a size: a number of bytes, or a number with K, M or G, such as \"200M\"";
    const KIND: &'static str = "size";

    fn read(value: &Value) -> Result<Self, String> {
        let read = match value {
            Value::String(text) => Self::parse(text),
            other => whole(other).map(Self),
        };
        read.ok_or_else(|| unexpected::<Self>(value))
    }

    fn write(&self) -> Value {
        json!(self.0)
    }

    fn schema() -> Value {
        json!({ "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": "^\\s*\\d+(G|M|K|B)?\\s*$" },
        ] })
    }
}

impl FieldValue for Millis {
    const EXPECTS: &'static str =
        "a time: a number of milliseconds, or a number with s, m, h or d, such as \"30s\"";
    const KIND: &'static str = "time";

    fn read(value: &Value) -> Result<Self, String> {
        let read = match value {
            Value::String(text) => Self::parse(text),
            other => whole(other).map(Self),
        };
        read.ok_or_else(|| unexpected::<Self>(value))
    }

    fn write(&self) -> Value {
        json!(self.0)
    }

    fn schema() -> Value {
        json!({ "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": "^\\s*\\d+(ms|s|m|h|d)?\\s*$" },
        ] })
    }
}
