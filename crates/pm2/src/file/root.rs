//! From a file's content to its applications.

use std::path::Path;

use serde_json::{Map, Value};

use super::{Declarations, FileError, Format};
use crate::app::{App, MistakeKind};
use crate::value::{Variables, text_of};

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
    let folders = served(value, &mut problems);
    if apps.is_empty() && folders.is_empty() && problems.is_empty() {
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
    found.apps.extend(folders.into_iter().map(|app| App { file: file.map(Path::to_owned), ..app }));
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
        let other = root.keys().any(|name| name != STATIC && name != "deploy");
        return if other { vec![value] } else { Vec::new() };
    };
    for name in root.keys().filter(|name| name != container) {
        match (name.as_str(), format) {
            ("deploy", _) => {
                warnings.push("deploy: has no effect; there is no deployment".to_owned())
            }
            (STATIC | "$schema", _) => {}
            (_, Format::Toml) => {
                problems.push(format!("{name}: is unknown; a file has [[app]] tables"))
            }
            _ => warnings.push(format!("{name}: is unknown beside {container}, and has no effect")),
        }
    }
    root.get(*container).map(all).unwrap_or_default()
}

/// The folders to serve, beside the applications.
const STATIC: &str = "static";

/// What PM2's file server is told by a variable, by the name that an author gives it.
const SERVE: [(&str, &str); 7] = [
    ("port", "PM2_SERVE_PORT"),
    ("host", "PM2_SERVE_HOST"),
    ("path", "PM2_SERVE_PATH"),
    ("spa", "PM2_SERVE_SPA"),
    ("ftp", "PM2_SERVE_FTP"),
    ("directory", "PM2_SERVE_DIRECTORY"),
    ("monitor", "PM2_SERVE_MONITOR"),
];

/// The folders that a file has served, each an application that runs the file server.
fn served(root: &Value, problems: &mut Vec<String>) -> Vec<App> {
    let folders = root.as_object().and_then(|root| root.get(STATIC)).map(all).unwrap_or_default();
    let mut apps = Vec::new();
    for folder in folders {
        let Value::Object(fields) = folder else {
            problems.push("static: must be a list of objects with path and port".to_owned());
            continue;
        };
        let text = |name: &str| fields.get(name).and_then(text_of);
        let mut env = Variables::default();
        for (name, variable) in SERVE {
            if let Some(value) = text(name) {
                env.set(variable, &value);
            }
        }
        if let Some(credentials) = fields.get("basic_auth") {
            let part = |name: &str| credentials.get(name).and_then(text_of).unwrap_or_default();
            env.set("PM2_SERVE_BASIC_AUTH", "true");
            env.set("PM2_SERVE_BASIC_AUTH_USERNAME", &part("username"));
            env.set("PM2_SERVE_BASIC_AUTH_PASSWORD", &part("password"));
        }
        let port = text("port").unwrap_or_else(|| "8080".to_owned());
        let name = text("name").unwrap_or_else(|| format!("static-page-server-{port}"));
        let script = Some("serve".to_owned());
        apps.push(App { name: Some(name), script, env: Some(env), ..App::default() });
    }
    apps
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
    }
    let differences = app.differences().into_iter();
    warnings.extend(differences.map(|(field, differs)| format!("{label}: {field}: {differs}")));
    if app.script.is_none() && !fields.is_empty() {
        problems.push(format!("{label}: script: is missing: there is nothing to run"));
    }
    app
}
