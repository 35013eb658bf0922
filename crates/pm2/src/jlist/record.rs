//! The part of PM2's record that does not change while a process runs.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Map, Value, json};
use supervisor::wire::ProcessSpec;

use crate::app::{App, FIELDS};
use crate::specs::{Homes, NONE, file_name, label, numbered_as};

/// What is shown in place of a secret.
const SECRET: &str = "***";

/// Fields that the record has under another name or in another form.
const RENAMED: [&str; 13] = [
    "script",
    "cwd",
    "interpreter",
    "node_args",
    "exec_mode",
    "instances",
    "namespace",
    "env",
    "out_file",
    "error_file",
    "log_file",
    "pid_file",
    "username",
];

/// Fields that PM2 writes down with their defaults, in its order.
fn usual() -> Value {
    json!({
        "vizion": true, "autostart": true, "autorestart": true, "watch": false,
        "instance_var": "NODE_APP_INSTANCE", "pmx": true, "automation": true, "treekill": true,
        "windowsHide": true, "kill_retry_time": 100,
    })
}

/// A declaration as PM2 records it, with the environment in `env` and once more beside it.
pub(crate) fn declared(spec: &ProcessSpec, id: u32, homes: &Homes) -> Map<String, Value> {
    let app = App::from_spec(spec);
    let mut record = Map::new();
    record.insert("name".to_owned(), json!(spec.name));
    if let Some(args) = &app.args {
        record.insert("args".to_owned(), json!(args.0));
    }
    let env = environment(spec, &app);
    record.insert("env".to_owned(), Value::Object(env.clone()));
    if let Value::Object(usual) = usual() {
        record.extend(usual);
    }
    record.extend(fields(&app));
    record.extend(places(spec, &app, id, homes));
    record.insert(instance_var(&app).to_owned(), json!(spec.instance));
    for (name, value) in env {
        // What is an object stays in `env` alone, and a variable named like a field does not hide it.
        if !value.is_object() && !is_ours(&name) {
            record.entry(name).or_insert(value);
        }
    }
    record
}

/// Names that are said of the process itself.
fn is_ours(name: &str) -> bool {
    const LIVE: [&str; 14] = [
        "status",
        "pm_uptime",
        "axm_actions",
        "axm_monitor",
        "axm_options",
        "axm_dynamic",
        "created_at",
        "pm_id",
        "restart_time",
        "unstable_restarts",
        "version",
        "exit_code",
        "node_version",
        "prev_restart_delay",
    ];
    LIVE.contains(&name)
}

fn fields(app: &App) -> Map<String, Value> {
    let shown = FIELDS.iter().filter(|field| !RENAMED.contains(&field.name));
    let mut fields = Map::new();
    for field in shown {
        let Some(value) = (field.get)(app) else { continue };
        let value = match (field.name, value.as_str().map(str::parse::<u32>)) {
            ("uid" | "gid", Some(Ok(number))) => json!(number),
            _ => value,
        };
        let name = if field.name == "windows_hide" { "windowsHide" } else { field.name };
        fields.insert(name.to_owned(), value);
    }
    for (name, variables) in &app.env_named {
        fields.insert(format!("env_{name}"), json!(variables.0));
    }
    fields
}

fn places(spec: &ProcessSpec, app: &App, id: u32, homes: &Homes) -> Map<String, Value> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let out = text(&spec.out_file);
    let error = spec.error_file.as_deref().map_or_else(|| out.clone(), text);
    let pid_file = match &app.pid_file {
        Some(file) => spec.cwd.join(file),
        None => homes.pids.join(format!("{}.pid", file_name(&spec.name))),
    };
    let mut places = Map::new();
    let mut add = |name: &str, value: Value| places.insert(name.to_owned(), value);
    add("username", json!(username(spec)));
    add("namespace", json!(spec.namespace));
    add("node_args", json!(app.node_args.clone().unwrap_or_default().0));
    add("pm_exec_path", json!(app.script));
    add("pm_cwd", json!(text(&spec.cwd)));
    add("exec_interpreter", json!(app.interpreter));
    add("exec_mode", json!("fork_mode"));
    add("instances", json!(app.instances.map_or(1, |count| count.0)));
    add("pm_out_log_path", json!(out));
    add("pm_err_log_path", json!(error));
    if let Some(file) = &spec.log_file {
        add("pm_log_path", json!(text(file)));
    }
    add("pm_pid_path", json!(text(&numbered_as(&pid_file, id, ".pid"))));
    add("km_link", json!(false));
    add("vizion_running", json!(false));
    places
}

/// The environment as PM2 shows it: with the types of the declaration, and with what PM2 adds.
fn environment(spec: &ProcessSpec, app: &App) -> Map<String, Value> {
    let own = app.env.clone().unwrap_or_default();
    let shown = |name: &str, text: &str| {
        if spec.secret_env.contains(name) {
            return json!(SECRET);
        }
        let typed = own.0.get(name).filter(|value| value.is_number() || value.is_boolean());
        // The declaration has the number that `increment_var` counts from; the process has its own.
        typed.and_then(|_| serde_json::from_str(text).ok()).unwrap_or_else(|| json!(text))
    };
    let all = spec.environment().filter(|(name, _)| *name != instance_var(app));
    let mut env: Map<String, Value> =
        all.map(|(name, text)| (name.to_owned(), shown(name, text))).collect();
    // The settings of a PM2 module of this name: there are none. PM2 has text here for what comes from a file, which
    // is the form that its tools look for twice.
    let none = if is_node(spec) { json!({}) } else { json!("{}") };
    env.entry(spec.name.clone()).or_insert(none);
    env.insert("unique_id".to_owned(), json!(unique_id(spec)));
    env
}

fn instance_var(app: &App) -> &str {
    app.instance_var.as_deref().unwrap_or("NODE_APP_INSTANCE")
}

/// Whether PM2 would have loaded its instrumentation into it.
fn is_node(spec: &ProcessSpec) -> bool {
    let interpreter = spec.labels.get(label::INTERPRETER).unwrap_or(NONE);
    matches!(interpreter.rsplit('/').next(), Some("node" | "bun"))
}

/// What PM2's instrumentation says of itself: here only for which app it would be.
pub(super) fn axm_options(spec: &ProcessSpec) -> Value {
    if is_node(spec) { json!({ "module_name": spec.name }) } else { json!({}) }
}

pub(super) fn version(spec: &ProcessSpec) -> &str {
    let version = spec.labels.get(label::VERSION).unwrap_or("");
    if version.is_empty() { "N/A" } else { version }
}

fn username(spec: &ProcessSpec) -> String {
    // Nearly all run as the same user, and each question reads a file.
    static OURS: OnceLock<String> = OnceLock::new();
    match spec.limits.uid {
        Some(uid) => name_of(uid),
        None => OURS.get_or_init(|| name_of(uzers::get_current_uid())).clone(),
    }
}

fn name_of(uid: u32) -> String {
    let user = uzers::get_user_by_uid(uid);
    user.map_or_else(|| uid.to_string(), |user| user.name().to_string_lossy().into_owned())
}

/// In the form of a UUID (version 8), the same for all processes of an app.
fn unique_id(spec: &ProcessSpec) -> String {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, &spec.name, &spec.namespace, &spec.command).hash(&mut hasher);
        hasher.finish()
    };
    let (high, low) = (half(0), half(1));
    format!(
        "{:08x}-{:04x}-8{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 48) & 0x3fff,
        low & 0xffff_ffff_ffff,
    )
}
