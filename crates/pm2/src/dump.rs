//! PM2's dump: the list of processes that `save` writes and `resurrect` reads.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use supervisor::wire::{Env, NO_LOG, ProcessSpec, ProcessView};

use crate::app::App;
use crate::jlist;
use crate::specs::{Context, Homes, label};
use crate::value::text_of;

/// Why a dump cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// It is not JSON.
    #[error("the dump is damaged: {0}")]
    Syntax(#[from] serde_json::Error),
    /// It is JSON, but not PM2's.
    #[error("the dump is not a list of processes")]
    NoList,
}

/// A process of a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// What is to be run.
    pub spec: ProcessSpec,
    /// Whether it ran when the dump was written.
    pub running: bool,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// What a dump has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dump {
    /// The processes that can be run.
    pub saved: Vec<Saved>,
    /// Why the others cannot, each with its name.
    pub failed: Vec<String>,
}

/// Reads a dump of PM2's or of ours.
///
/// # Errors
/// It is damaged as a whole. (PM2 then takes `dump.pm2.bak`.) Single processes that make no sense are in
/// [`Dump::failed`].
pub fn read(text: &str, homes: &Homes) -> Result<Dump, DumpError> {
    let Value::Array(records) = serde_json::from_str(text)? else { return Err(DumpError::NoList) };
    let mut dump = Dump::default();
    let mut context = Context::new(PathBuf::from("/"), Env::new(), homes.clone());
    for record in records {
        let Value::Object(record) = record else { return Err(DumpError::NoList) };
        match restore(&record, &mut context) {
            Ok(saved) => dump.saved.push(saved),
            Err(why) => dump.failed.push(why),
        }
    }
    Ok(dump)
}

/// Writes a dump that PM2 can read, too. Values of secret variables are not in it.
#[must_use]
pub fn write<'a>(
    processes: impl IntoIterator<Item = (&'a ProcessView, &'a ProcessSpec)>,
    homes: &Homes,
) -> String {
    let records = processes.into_iter().map(|(view, spec)| {
        let mut record = jlist::pm2_env(view, spec, homes);
        // PM2 takes what has these for a process that exists already.
        record.shift_remove("instances");
        record.shift_remove("pm_id");
        for name in &spec.secret_env {
            record.shift_remove(name);
            if let Some(Value::Object(env)) = record.get_mut("env") {
                env.shift_remove(name);
            }
        }
        Value::Object(record)
    });
    format!("{:#}", Value::Array(records.collect()))
}

/// PM2's names of fields in a record, and what they are in a declaration.
const RENAMED: [(&str, &str); 8] = [
    ("pm_exec_path", "script"),
    ("pm_cwd", "cwd"),
    ("exec_interpreter", "interpreter"),
    ("pm_out_log_path", "out_file"),
    ("pm_err_log_path", "error_file"),
    ("pm_log_path", "log_file"),
    ("pm_pid_path", ""),
    ("env", ""),
];

/// The declaration that PM2 made a record of.
fn declaration(record: &Map<String, Value>, env: &Map<String, Value>) -> App {
    let mut app = App::default();
    for (name, value) in record {
        let renamed = RENAMED.iter().find(|(theirs, _)| theirs == name).map(|(_, ours)| *ours);
        // A variable that has the name of a field is not that field.
        let variable = env.get(name).is_some_and(|other| other == value);
        match renamed {
            Some("") => {}
            Some(ours) => drop(app.set(ours, value)),
            None if variable => {}
            // What PM2 keeps beside the declaration is in no table.
            None => drop(app.set(name, value)),
        }
    }
    app
}

fn restore(record: &Map<String, Value>, context: &mut Context) -> Result<Saved, String> {
    let none = Map::new();
    let env = record.get("env").and_then(Value::as_object).unwrap_or(&none);
    let mut app = declaration(record, env);
    let name = app.full_name(None).map_err(|wrong| wrong.to_string())?;
    let instance_var = app.instance_var.as_deref().unwrap_or("NODE_APP_INSTANCE");
    let instance = record.get(instance_var).and_then(Value::as_u64);
    let inherited = variables(env, &name, instance_var);
    if *context.env != inherited {
        context.env = Arc::new(inherited);
    }
    let logs = (app.out_file.take(), app.error_file.take(), app.log_file.take());
    app.env = None;
    app.filter_env = None;
    app.append_env_to_name = None;
    app.name_prefix = None;
    // Their one count is in the variable; and what the record has is what is inherited.
    (app.instances, app.increment_var, app.port) = (None, None, None);
    let taken = context.taken.entry(name.clone()).or_default();
    let wanted = instance.and_then(|number| u32::try_from(number).ok());
    let number = wanted.filter(|number| !taken.contains(number));
    let number = number.or_else(|| (0..).find(|number| !taken.contains(number))).unwrap_or(0);
    let mut alone = context.clone();
    alone.taken.insert(name.clone(), (0..number).collect());
    let specs = app.specs(&alone).map_err(|wrong| wrong.to_string())?;
    let mut spec = specs.specs.into_iter().next().ok_or_else(|| format!("app {name}: is empty"))?;
    context.taken.entry(name).or_default().insert(number);
    place(&mut spec, logs);
    spec.labels.insert(label::TYPED_ENV.to_owned(), typed(env).to_string());
    let mut warnings = specs.warnings;
    let lost = app.differences().into_iter().filter(|(field, _)| WORTH_A_WARNING.contains(field));
    warnings.extend(lost.map(|(field, differs)| format!("{}: {field}: {differs}", spec.name)));
    let running = record.get("status").and_then(Value::as_str) != Some("stopped");
    Ok(Saved { spec, running, warnings })
}

/// Fields that change what an app does. PM2 writes down the others by itself.
const WORTH_A_WARNING: [&str; 3] = ["exec_mode", "wait_ready", "shutdown_with_message"];

/// The log files that the record names, as they are: the numbers in them are part of the names by now.
fn place(
    spec: &mut ProcessSpec,
    logs: (Option<String>, Option<String>, Option<crate::value::LogFile>),
) {
    let absolute = |path: &String| path.starts_with('/');
    if let Some(out) = logs.0.filter(absolute) {
        spec.out_file = PathBuf::from(out);
    }
    if let Some(error) = logs.1.filter(absolute) {
        spec.error_file = Some(PathBuf::from(error)).filter(|error| *error != spec.out_file);
    }
    if let Some(crate::value::LogFile::Path(both)) = logs.2 {
        spec.log_file = Some(PathBuf::from(both)).filter(|file| file.as_os_str() != NO_LOG);
    }
    if spec.log_files().next().is_none() {
        (spec.error_file, spec.log_file) = (None, None);
    }
    // PM2 lets processes share files without asking.
    spec.merge_logs = true;
}

/// The environment in a record without what PM2 put there.
fn variables(env: &Map<String, Value>, name: &str, instance_var: &str) -> Env {
    let text = env.iter().filter_map(|(name, value)| Some((name.clone(), text_of(value)?)));
    let mut variables: Env = text.filter(|(name, _)| is_variable(name)).collect();
    drop_record_variables(&mut variables);
    let nothing = |value: &String| value == "{}";
    if variables.get(name).is_some_and(nothing) {
        variables.remove(name);
    }
    variables.remove(instance_var);
    variables
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

fn typed(env: &Map<String, Value>) -> Value {
    let scalars = env.iter().filter(|(_, value)| value.is_number() || value.is_boolean());
    json!(scalars.map(|(name, _)| name).collect::<Vec<_>>())
}

/// What PM2 7 puts into the environment of its processes, beside the variables that it also has a use for.
const RECORD: [&str; 47] = [
    "PM2_USAGE",
    "PM2_JSON_PROCESSING",
    "PM2_INTERACTOR_PROCESSING",
    "PM2_PROGRAMMATIC",
    "NODE_CHANNEL_FD",
    "NODE_CHANNEL_SERIALIZATION_MODE",
    "NODE_APP_INSTANCE",
    "unique_id",
    "pm_id",
    "status",
    "pm_exec_path",
    "pm_cwd",
    "pm_out_log_path",
    "pm_err_log_path",
    "pm_log_path",
    "pm_pid_path",
    "exec_mode",
    "exec_interpreter",
    "instances",
    "autorestart",
    "autostart",
    "treekill",
    "kill_retry_time",
    "created_at",
    "pm_uptime",
    "restart_time",
    "unstable_restarts",
    "km_link",
    "pmx",
    "automation",
    "vizion",
    "vizion_running",
    "windowsHide",
    "instance_var",
    "max_memory_restart",
    "exit_code",
    "node_version",
    "prev_restart_delay",
    "merge_logs",
    "axm_actions",
    "axm_monitor",
    "axm_options",
    "axm_dynamic",
    "namespace",
    "name",
    "username",
    "version",
];

/// Names that an application may well use itself: they go only where PM2 has put others, too.
const COMMON: [&str; 4] = ["name", "namespace", "username", "version"];

/// Takes out what PM2 tells a process about itself.
pub(crate) fn drop_record_variables(env: &mut Env) {
    let within = env.contains_key("pm_id");
    for name in RECORD {
        if within || !COMMON.contains(&name) {
            env.remove(name);
        }
    }
}

#[cfg(test)]
mod tests;
