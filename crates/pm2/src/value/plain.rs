//! Texts, flags, numbers and words from a short list.

use serde_json::{Value, json};
use supervisor::wire::{KillSignal, LogType, Stdin};

use super::{FieldValue, unexpected, whole};

impl FieldValue for String {
    const EXPECTS: &'static str = "a text";
    const KIND: &'static str = "text";

    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Ok(text.clone()),
            // `name: 3` in YAML is a number without its author meaning one.
            Value::Number(number) => Ok(number.to_string()),
            other => Err(unexpected::<Self>(other)),
        }
    }

    fn write(&self) -> Value {
        json!(self)
    }

    fn schema() -> Value {
        json!({ "type": ["string", "number"] })
    }
}

impl FieldValue for bool {
    const EXPECTS: &'static str = "true or false";
    const KIND: &'static str = "flag";

    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Bool(flag) => Ok(*flag),
            Value::String(text) if text == "true" => Ok(true),
            Value::String(text) if text == "false" => Ok(false),
            other => Err(unexpected::<Self>(other)),
        }
    }

    fn write(&self) -> Value {
        json!(self)
    }

    fn schema() -> Value {
        json!({ "enum": [true, false, "true", "false"] })
    }
}

impl FieldValue for u32 {
    const EXPECTS: &'static str = "a whole number from 0 to 4294967295";
    const KIND: &'static str = "number";

    fn read(value: &Value) -> Result<Self, String> {
        let number = whole(value).and_then(|number| Self::try_from(number).ok());
        number.ok_or_else(|| unexpected::<Self>(value))
    }

    fn write(&self) -> Value {
        json!(self)
    }

    fn schema() -> Value {
        json!({ "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": u32::MAX },
            { "type": "string", "pattern": "^\\s*\\d+\\s*$" },
        ] })
    }
}

impl FieldValue for u16 {
    const EXPECTS: &'static str = "a whole number from 0 to 65535";
    const KIND: &'static str = "number";

    fn read(value: &Value) -> Result<Self, String> {
        let number = whole(value).and_then(|number| Self::try_from(number).ok());
        number.ok_or_else(|| unexpected::<Self>(value))
    }

    fn write(&self) -> Value {
        json!(self)
    }

    fn schema() -> Value {
        json!({ "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": u16::MAX },
            { "type": "string", "pattern": "^\\s*\\d+\\s*$" },
        ] })
    }
}

impl FieldValue for i32 {
    const EXPECTS: &'static str = "a whole number";
    const KIND: &'static str = "number";

    fn read(value: &Value) -> Result<Self, String> {
        let number = match value {
            Value::Number(number) => number.as_i64().and_then(|number| number.try_into().ok()),
            Value::String(text) => text.trim().parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        number.ok_or_else(|| unexpected::<Self>(value))
    }

    fn write(&self) -> Value {
        json!(self)
    }

    fn schema() -> Value {
        json!({ "anyOf": [
            { "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX },
            { "type": "string", "pattern": "^\\s*[+-]?\\d+\\s*$" },
        ] })
    }
}

/// Percent of one processor core: `50`, `"150%"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent(pub u32);

impl FieldValue for Percent {
    const EXPECTS: &'static str = "percent of one core, such as 50 or \"150%\"";
    const KIND: &'static str = "percent";

    fn read(value: &Value) -> Result<Self, String> {
        let number = match value {
            Value::String(text) => text.trim().trim_end_matches('%').parse().ok(),
            other => whole(other),
        };
        let fits = number.and_then(|number| u32::try_from(number).ok());
        fits.map(Self).ok_or_else(|| unexpected::<Self>(value))
    }

    fn write(&self) -> Value {
        json!(self.0)
    }

    fn schema() -> Value {
        json!({ "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": u32::MAX },
            { "type": "string", "pattern": "^\\s*\\d+%*\\s*$" },
        ] })
    }
}

/// PM2's two ways to run a Node program. Here both are separate processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecMode {
    /// Each instance is a process of its own.
    Fork,
    /// Node's cluster module shares one listening socket between the instances.
    Cluster,
}

impl FieldValue for ExecMode {
    const EXPECTS: &'static str = "\"fork\" or \"cluster\"";
    const KIND: &'static str = "fork, cluster";

    fn read(value: &Value) -> Result<Self, String> {
        match value.as_str() {
            Some("fork" | "fork_mode") => Ok(Self::Fork),
            Some("cluster" | "cluster_mode") => Ok(Self::Cluster),
            Some(_) | None => Err(unexpected::<Self>(value)),
        }
    }

    fn write(&self) -> Value {
        json!(match self {
            Self::Fork => "fork_mode",
            Self::Cluster => "cluster_mode",
        })
    }

    fn schema() -> Value {
        json!({ "enum": ["fork", "fork_mode", "cluster", "cluster_mode"] })
    }
}

impl FieldValue for LogType {
    const EXPECTS: &'static str = "\"json\" or \"raw\"";
    const KIND: &'static str = "json, raw";

    fn read(value: &Value) -> Result<Self, String> {
        match value.as_str() {
            Some("json") => Ok(Self::Json),
            Some("raw" | "") => Ok(Self::Raw),
            Some(_) | None => Err(unexpected::<Self>(value)),
        }
    }

    fn write(&self) -> Value {
        json!(match self {
            Self::Json => "json",
            Self::Raw => "raw",
        })
    }

    fn schema() -> Value {
        json!({ "enum": ["json", "raw", ""] })
    }
}

impl FieldValue for Stdin {
    const EXPECTS: &'static str = "\"pipe\" or \"null\"";
    const KIND: &'static str = "pipe, null";

    fn read(value: &Value) -> Result<Self, String> {
        match value.as_str() {
            Some("pipe") => Ok(Self::Pipe),
            Some("null") => Ok(Self::Null),
            Some(_) | None => Err(unexpected::<Self>(value)),
        }
    }

    fn write(&self) -> Value {
        json!(match self {
            Self::Pipe => "pipe",
            Self::Null => "null",
        })
    }

    fn schema() -> Value {
        json!({ "enum": ["pipe", "null"] })
    }
}

impl FieldValue for KillSignal {
    const EXPECTS: &'static str = "a signal, such as \"SIGTERM\"";
    const KIND: &'static str = "signal";

    fn read(value: &Value) -> Result<Self, String> {
        let text = String::read(value).map_err(|_| unexpected::<Self>(value))?;
        text.parse().map_err(|_| unexpected::<Self>(value))
    }

    fn write(&self) -> Value {
        json!(self.to_string())
    }

    fn schema() -> Value {
        json!({ "type": ["string", "integer"] })
    }
}

/// A value that nobody here looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct Anything(pub Value);

impl FieldValue for Anything {
    const EXPECTS: &'static str = "anything";
    const KIND: &'static str = "anything";

    fn read(value: &Value) -> Result<Self, String> {
        Ok(Self(value.clone()))
    }

    fn write(&self) -> Value {
        self.0.clone()
    }

    fn schema() -> Value {
        json!({})
    }
}
