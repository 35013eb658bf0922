//! From a file's content to its applications.

use std::path::Path;

use serde_json::{Map, Value};

use super::{Declarations, FileError, Format};
use crate::app::{App, MistakeKind};
use crate::field::Field;

/// Takes the applications out of what a file holds.
pub(super) fn declarations(
    value: &Value,
    format: Format,
    shown: &str,
    file: Option<&Path>,
) -> Result<Declarations, FileError> {
    let mut found = Declarations::default();
    let mut problems = Vec::new();
    let apps = applications(value, format, &mut found.warnings, &mut problems);
    if apps.is_empty() && problems.is_empty() {
        problems.push(match format {
            Format::Toml => "has no applications: give each a table [[app]]".to_owned(),
            _ => "has no applications: give them as a list, or as { apps: […] }".to_owned(),
        });
    }
    for (position, app) in apps.into_iter().enumerate() {
        let Value::Object(fields) = app else {
            problems.push(format!("application {}: must be an object of fields", position + 1));
            continue;
        };
        let app = application(fields, position, format, &mut found.warnings, &mut problems);
        found.apps.push(App { file: file.map(Path::to_owned), ..app });
    }
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(FileError::Invalid { path: shown.to_owned(), problems })
    }
}

/// The values that should be applications.
fn applications<'a>(
    value: &'a Value,
    format: Format,
    warnings: &mut Vec<String>,
    problems: &mut Vec<String>,
) -> Vec<&'a Value> {
    let Value::Object(root) = value else { return all(value) };
    let containers: &[&str] = match format {
        Format::Toml => &["app", "apps"],
        Format::Json | Format::Yaml | Format::JavaScript => &["apps", "pm2"],
    };
    let Some(container) = containers.iter().find(|name| root.contains_key(**name)) else {
        return if root.is_empty() { Vec::new() } else { vec![value] };
    };
    for name in root.keys().filter(|name| name != container) {
        match (name.as_str(), format) {
            ("deploy", _) => warnings.push("deploy: has no effect; there is no deployment".to_owned()),
            ("static", _) => warnings.push("static: has no effect; declare an application with script: \"serve\", or use `serve`".to_owned()),
            ("$schema", _) => {}
            (_, Format::Toml) => problems.push(format!("{name}: is unknown; a file has [[app]] tables")),
            _ => warnings.push(format!("{name}: is unknown beside {container}, and has no effect")),
        }
    }
    root.get(*container).map(all).unwrap_or_default()
}

fn all(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// Reads one application. What is wrong with it is added to the problems.
fn application(
    fields: &Map<String, Value>,
    position: usize,
    format: Format,
    warnings: &mut Vec<String>,
    problems: &mut Vec<String>,
) -> App {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let label = text("name").or_else(|| text("script"));
    let label = label.map_or_else(|| format!("application {}", position + 1), str::to_owned);
    let mut app = App::default();
    for (name, value) in fields {
        match app.set(name, value) {
            Ok(()) => {}
            Err(mistake) if mistake.kind == MistakeKind::Unknown && format != Format::Toml => {
                warnings.push(format!("{label}: {mistake}; it has no effect"));
            }
            Err(mistake) => problems.push(format!("{label}: {mistake}")),
        }
        if let Some(differs) = Field::find(name).and_then(|field| field.differs)
            && Field::is_asked_for(value)
        {
            warnings.push(format!("{label}: {name}: {differs}"));
        }
    }
    if app.script.is_none() && !fields.is_empty() {
        problems.push(format!("{label}: script: is missing: there is nothing to run"));
    }
    app
}
