//! Values that can be given in several forms: a list or a text, a flag or a list.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{FieldValue, unexpected};

/// Several words: a list, or one text that is split as a shell would, with quotes honoured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(pub Vec<String>);

impl FieldValue for Words {
    const EXPECTS: &'static str = "a list of texts, or one text with balanced quotes";
    const KIND: &'static str = "list or text";

    fn read(value: &Value) -> Result<Self, String> {
        let words = match value {
            Value::String(text) => shlex::split(text),
            other => texts(other),
        };
        words.map(Self).ok_or_else(|| unexpected::<Self>(value))
    }

    fn write(&self) -> Value {
        json!(self.0)
    }

    fn schema() -> Value {
        json!({ "anyOf": [text_list(), { "type": ["string", "number"] }] })
    }
}

/// A list of texts (numbers and flags count as texts), or one number.
fn texts(value: &Value) -> Option<Vec<String>> {
    let scalar = |item: &Value| match item {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    match value {
        Value::Array(items) => items.iter().map(scalar).collect(),
        Value::Number(_) => scalar(value).map(|text| vec![text]),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Object(_) => None,
    }
}

fn text_list() -> Value {
    json!({ "type": "array", "items": { "type": ["string", "number", "boolean"] } })
}

/// Exit codes: a list or one number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Codes(pub BTreeSet<i32>);

impl FieldValue for Codes {
    const EXPECTS: &'static str = "an exit code from 0 to 255, or a list of them";
    const KIND: &'static str = "list or number";

    fn read(value: &Value) -> Result<Self, String> {
        let all = match value {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        let code = |item: &Value| i32::read(item).ok().filter(|code| (0..=255).contains(code));
        let codes = all.iter().map(code).collect::<Option<_>>();
        codes.map(Self).ok_or_else(|| unexpected::<Self>(value))
    }

    fn write(&self) -> Value {
        json!(self.0)
    }

    fn schema() -> Value {
        let code = json!({ "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": 255 },
            { "type": "string", "pattern": "^\\s*\\d+\\s*$" },
        ] });
        json!({ "anyOf": [code, { "type": "array", "items": code }] })
    }
}

/// How many processes: a number, `"max"` (or 0) for one per processor, or a negative number for so many
/// fewer than there are processors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instances(pub i32);

impl Instances {
    /// How many that is on a machine of so many processors.
    #[must_use]
    pub fn count(self, cpus: u32) -> u32 {
        match self.0 {
            0 => cpus.max(1),
            less @ ..0 => cpus.saturating_sub(less.unsigned_abs()).max(1),
            number => number.unsigned_abs(),
        }
    }
}

impl FieldValue for Instances {
    const EXPECTS: &'static str = "a number, or \"max\"";
    const KIND: &'static str = "number or max";

    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) if text == "max" => Ok(Self(0)),
            other => i32::read(other).map(Self).map_err(|_| unexpected::<Self>(value)),
        }
    }

    fn write(&self) -> Value {
        json!(self.0)
    }

    fn schema() -> Value {
        json!({ "anyOf": [
            { "type": "integer" },
            { "type": "string", "pattern": "^(max|\\s*[+-]?\\d+\\s*)$" },
        ] })
    }
}

/// What to watch: nothing, the working directory, or certain paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watch {
    /// Nothing.
    Off,
    /// The working directory.
    All,
    /// These files and folders, relative to the working directory.
    Paths(Vec<String>),
}

impl FieldValue for Watch {
    const EXPECTS: &'static str = "true, false, a path, or a list of paths";
    const KIND: &'static str = "flag, text or list";

    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Bool(true) => Ok(Self::All),
            Value::Bool(false) => Ok(Self::Off),
            Value::String(path) => Ok(match path.as_str() {
                "true" | "" => Self::All,
                "false" => Self::Off,
                path => Self::Paths(vec![path.to_owned()]),
            }),
            Value::Array(items) if items.is_empty() => Ok(Self::All),
            other => texts(other).map(Self::Paths).ok_or_else(|| unexpected::<Self>(value)),
        }
    }

    fn write(&self) -> Value {
        match self {
            Self::Off => json!(false),
            Self::All => json!(true),
            Self::Paths(paths) => json!(paths),
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [{ "type": ["boolean", "string", "number"] }, text_list()] })
    }
}

/// Which variables of the caller's environment a process does not get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterEnv {
    /// None is left out.
    Off,
    /// All are.
    All,
    /// The one of this name.
    Named(String),
    /// Those whose name has one of these in it.
    Containing(Vec<String>),
}

impl FieldValue for FilterEnv {
    const EXPECTS: &'static str =
        "true, false, the name of a variable, or a list of parts of names";
    const KIND: &'static str = "flag, text or list";

    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Bool(true) => Ok(Self::All),
            Value::Bool(false) => Ok(Self::Off),
            Value::String(name) if name.is_empty() => Ok(Self::Off),
            Value::String(name) => Ok(Self::Named(name.clone())),
            Value::Array(items) if items.is_empty() => Ok(Self::Off),
            Value::Array(_) => {
                texts(value).map(Self::Containing).ok_or_else(|| unexpected::<Self>(value))
            }
            Value::Null | Value::Number(_) | Value::Object(_) => Err(unexpected::<Self>(value)),
        }
    }

    fn write(&self) -> Value {
        match self {
            Self::Off => json!(false),
            Self::All => json!(true),
            Self::Named(name) => json!(name),
            Self::Containing(parts) => json!(parts),
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [{ "type": ["boolean", "string"] }, text_list()] })
    }
}

/// The file that receives both streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogFile {
    /// There is none.
    Off,
    /// The usual one, `NAME.log` beside the other two.
    Usual,
    /// This one.
    Path(String),
}

impl FieldValue for LogFile {
    const EXPECTS: &'static str = "true, false, or a path";
    const KIND: &'static str = "flag or text";

    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Bool(true) => Ok(Self::Usual),
            Value::Bool(false) => Ok(Self::Off),
            Value::String(path) if path.is_empty() => Ok(Self::Off),
            Value::String(path) => Ok(Self::Path(path.clone())),
            other => Err(unexpected::<Self>(other)),
        }
    }

    fn write(&self) -> Value {
        match self {
            Self::Off => json!(false),
            Self::Usual => json!(true),
            Self::Path(path) => json!(path),
        }
    }

    fn schema() -> Value {
        json!({ "type": ["boolean", "string"] })
    }
}
