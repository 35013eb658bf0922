//! The paths that a process can reach.

use serde_json::{Value, json};

use super::{FieldValue, Words, unexpected};

/// The files and folders that a process can reach, relative to its working directory: `{ "read": ["/usr"], "write": ["data"] }`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confine {
    /// May be read and executed.
    pub read: Vec<String>,
    /// May be read, executed and changed.
    pub write: Vec<String>,
}

impl FieldValue for Confine {
    const EXPECTS: &'static str = "an object with lists of paths: read, write";
    const KIND: &'static str = "object";

    fn read(value: &Value) -> Result<Self, String> {
        let wrong = || unexpected::<Self>(value);
        let mut confine = Self::default();
        for (name, paths) in value.as_object().ok_or_else(wrong)? {
            let Value::Array(_) = paths else { return Err(wrong()) };
            let paths = Words::read(paths).map_err(|_| wrong())?.0;
            match name.as_str() {
                "read" => confine.read = paths,
                "write" => confine.write = paths,
                _ => return Err(wrong()),
            }
        }
        Ok(confine)
    }

    fn write(&self) -> Value {
        json!({ "read": self.read, "write": self.write })
    }

    fn schema() -> Value {
        let paths = json!({ "type": "array", "items": { "type": "string" } });
        json!({
            "type": "object",
            "properties": { "read": paths, "write": paths },
            "additionalProperties": false,
        })
    }
}
