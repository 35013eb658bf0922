//! Environment variables as a declaration gives them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{FieldValue, unexpected};

/// Environment variables by name. They keep their JSON type (`PORT: 3000`), since PM2's lists show it.
/// `null` takes the variable away.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Variables(pub BTreeMap<String, Value>);

impl FieldValue for Variables {
    const EXPECTS: &'static str = "an object of variables";
    const KIND: &'static str = "object";

    fn read(value: &Value) -> Result<Self, String> {
        let variables = value.as_object().ok_or_else(|| unexpected::<Self>(value))?;
        for name in variables.keys() {
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(format!("has {name:?}, which is no name for a variable"));
            }
        }
        let owned = variables.iter().map(|(name, value)| (name.clone(), value.clone()));
        Ok(Self(owned.collect()))
    }

    fn write(&self) -> Value {
        json!(self.0)
    }

    fn schema() -> Value {
        json!({ "type": "object", "propertyNames": { "pattern": "^[^=]+$" } })
    }
}

impl Variables {
    /// One variable more, as text.
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), json!(value));
    }
}

/// What a process sees of such a value; objects and lists are JSON. `None` where the variable is taken away.
#[must_use]
pub fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Some(value.to_string())
        }
    }
}
