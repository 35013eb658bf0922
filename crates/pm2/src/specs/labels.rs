//! What lists in PM2's format show and a description has no field for.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::program::Program;
use crate::app::{App, FIELDS};

/// Names of labels.
pub mod label {
    /// The script, absolute: PM2's `pm_exec_path`.
    pub const SCRIPT: &str = "pm2.script";
    /// The script's arguments, a JSON list.
    pub const ARGS: &str = "pm2.args";
    /// What runs the script, or `none`.
    pub const INTERPRETER: &str = "pm2.interpreter";
    /// The interpreter's arguments, a JSON list.
    pub const INTERPRETER_ARGS: &str = "pm2.interpreter_args";
    /// `fork_mode`.
    pub const EXEC_MODE: &str = "pm2.exec_mode";
    /// The declared number of instances.
    pub const INSTANCES: &str = "pm2.instances";
    /// The file that it was declared in.
    pub const FILE: &str = "pm2.file";
    /// The declared pid file, absolute or relative to the working directory.
    pub const PID_FILE: &str = "pm2.pid_file";
    /// A JSON object of declared fields that only lists show.
    pub const DECLARED: &str = "pm2.declared";
    /// A JSON list of the variables that were declared as numbers or flags.
    pub const TYPED_ENV: &str = "pm2.typed_env";
    /// The version in `package.json`.
    pub const VERSION: &str = "version";
}

/// The fields that are kept for lists (and for a later change of the declaration) alone.
const ONLY_SHOWN: [&str; 24] = [
    "watch",
    "ignore_watch",
    "watch_options",
    "instance_var",
    "increment_var",
    "filter_env",
    "autostart",
    "wait_ready",
    "shutdown_with_message",
    "source_map_support",
    "disable_source_map_support",
    "pmx",
    "automation",
    "trace",
    "disable_trace",
    "v8",
    "event_loop_inspector",
    "deep_monitoring",
    "io",
    "vizion",
    "post_update",
    "install_url",
    "kill_retry_time",
    "port",
];

/// The labels of an app's processes.
pub(super) fn of(app: &App, program: &Program) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::from([
        (label::SCRIPT.to_owned(), program.script.to_string_lossy().into_owned()),
        (label::ARGS.to_owned(), json!(program.args).to_string()),
        (label::INTERPRETER.to_owned(), program.interpreter.clone()),
        (label::INTERPRETER_ARGS.to_owned(), json!(program.interpreter_args).to_string()),
        (label::EXEC_MODE.to_owned(), "fork_mode".to_owned()),
        (label::DECLARED.to_owned(), declared(app).to_string()),
        (label::VERSION.to_owned(), version(&program.script).unwrap_or_default()),
    ]);
    if let Some(instances) = app.instances {
        labels.insert(label::INSTANCES.to_owned(), instances.0.to_string());
    }
    if let Some(file) = &app.file {
        labels.insert(label::FILE.to_owned(), file.to_string_lossy().into_owned());
    }
    if let Some(file) = &app.pid_file {
        labels.insert(label::PID_FILE.to_owned(), file.clone());
    }
    labels
}

fn declared(app: &App) -> Value {
    let shown = FIELDS.iter().filter(|field| ONLY_SHOWN.contains(&field.name));
    let mut declared: Map<String, Value> =
        shown.filter_map(|field| Some((field.name.to_owned(), (field.get)(app)?))).collect();
    for (name, variables) in &app.env_named {
        declared.insert(format!("env_{name}"), json!(variables.0));
    }
    Value::Object(declared)
}

/// The version of the package that a script belongs to.
fn version(script: &Path) -> Option<String> {
    const LARGEST: u64 = 1 << 20;
    let packages = script.ancestors().skip(1).map(|folder| folder.join("package.json"));
    let package = packages.into_iter().find(|package| {
        package.metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= LARGEST)
    })?;
    let package: Value = serde_json::from_str(&std::fs::read_to_string(package).ok()?).ok()?;
    Some(package.get("version")?.as_str()?.to_owned())
}
