//! What the table of fields says to editors and readers.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::app::FIELDS;
use crate::value::{FieldValue as _, Variables};

/// The JSON Schema (draft 2020-12) of a file of declarations.
#[must_use]
pub fn json_schema() -> Value {
    let apps = |names: &[&str]| {
        let list = json!({ "anyOf": [
            { "type": "array", "items": { "$ref": "#/$defs/app" } },
            { "$ref": "#/$defs/app" },
        ] });
        let properties = names.iter().map(|name| ((*name).to_owned(), list.clone()));
        Value::Object(properties.collect())
    };
    let required = |name: &str| json!({ "type": "object", "required": [name] });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Applications",
        "description": "Applications to run, as in PM2's ecosystem files.",
        "anyOf": [
            { "type": "array", "items": { "$ref": "#/$defs/app" } },
            {
                "type": "object",
                "properties": apps(&["apps", "pm2", "app"]),
                "anyOf": [required("apps"), required("pm2"), required("app")],
            },
            { "$ref": "#/$defs/app" },
        ],
        "$defs": { "app": app() },
    })
}

fn app() -> Value {
    let mut properties = Map::new();
    let mut scripts = Vec::new();
    for field in FIELDS {
        for name in field.names() {
            let Value::Object(mut schema) = (field.schema)() else { continue };
            schema.insert("description".to_owned(), json!(description(field)));
            if field.name == "script" {
                scripts.push(json!({ "required": [name] }));
            }
            properties.insert(name, Value::Object(schema));
        }
    }
    json!({
        "type": "object",
        "properties": properties,
        "patternProperties": { "^env_\\S+$": Variables::schema() },
        "additionalProperties": false,
        "anyOf": scripts,
    })
}

fn description(field: &crate::field::Field) -> String {
    let mut text = field.doc.trim().to_owned();
    if let Some(differs) = field.differs {
        let _infallible = write!(text, " Differs from PM2: {differs}.");
    }
    text
}

/// The reference of all fields, a Markdown table.
#[must_use]
pub fn fields_markdown() -> String {
    let mut table =
        String::from("| field | value | default | meaning |\n| --- | --- | --- | --- |\n");
    for field in FIELDS {
        let mut names = format!("`{}`", field.name);
        for alias in field.aliases {
            let _infallible = write!(names, ", `{alias}`");
        }
        let meaning = description(field).replace('|', "\\|");
        let (kind, default) = (field.kind, field.default.replace('|', "\\|"));
        let _infallible = writeln!(table, "| {names} | {kind} | {default} | {meaning} |");
    }
    let env = "variables on top of `env` when NAME is selected (`--env NAME`).";
    let _infallible = writeln!(table, "| `env_NAME` | object |  | {env} |");
    table
}

#[cfg(test)]
mod tests;
