//! One application's declaration: PM2's fields and our own, in one table.

use serde_json::Value;
use supervisor::wire::{KillSignal, LogType, Stdin};

use crate::field::{Field, declaration};
use crate::value::{
    Alive, Anything, Bytes, Codes, Confine, ExecMode, FilterEnv, Instances, LogFile, Millis,
    Percent, Ready, Rlimits, Variables, Watch, Words,
};

declaration! {
    /// What to run: a path (relative to `cwd`) or a command in `PATH`. A text with a space is a line for `bash -c`.
    script: String, ["exec", "cmd", "command"];
    /// Its name in lists.
    name: String, [], "the script's file name without extension";
    /// Comes before the name: `PREFIX:NAME`.
    name_prefix: String, [];
    /// With `--env NAME`, the name becomes `NAME-ENV`.
    append_env_to_name: bool, [], "false";
    /// A group that can be used as a target.
    namespace: String, [], "default";
    /// Working directory; also the base of relative paths.
    cwd: String, [], "that of the caller";
    /// Arguments of the script.
    args: Words, [];
    /// The program that runs the script; `none` executes the script itself.
    interpreter: String, ["exec_interpreter"], "by the script's extension or first bytes";
    /// Arguments of the interpreter.
    node_args: Words, ["interpreter_args"];
    /// PM2's way to run a Node program.
    exec_mode: ExecMode, [], "fork", "cluster mode is Node's own: the app runs as separate processes (fork mode); NODE_APP_INSTANCE tells them apart, and a port can be shared only by what asks the kernel for it (SO_REUSEPORT) or by a proxy";
    /// How many processes: a number, `max` (or 0) for one per processor, or a negative number for so many fewer.
    instances: Instances, [], "1";
    /// The variable that tells the instances apart.
    instance_var: String, [], "NODE_APP_INSTANCE";
    /// A variable of `env` that is one more for each instance.
    increment_var: String, [];
    /// Environment variables. Objects become JSON; `null` takes an inherited variable away.
    env: Variables, [];
    /// Variables whose values are never shown in lists, nor saved in dumps. (Tenantry's own.)
    secret_env: Words, [];
    /// Which variables of the caller are not handed on: `true` for all, a name, or a list of parts of names.
    filter_env: FilterEnv, [], "false";
    /// Sets the variable PORT.
    port: u16, [];
    /// The file for standard output. `NULL` or `/dev/null` throws it away.
    out_file: String, ["out", "output", "out_log"], "NAME-out.log";
    /// The file for standard error. `NULL` or `/dev/null` throws it away.
    error_file: String, ["error", "err", "err_file", "err_log"], "NAME-error.log";
    /// One more file for both; `true` for `NAME.log`.
    log_file: LogFile, ["log"], "false";
    /// Whether the log files' names have no number of the process.
    merge_logs: bool, ["combine_logs"], "true without `instances`, else false";
    /// Whether all output is thrown away.
    disable_logs: bool, [], "false";
    /// `json` writes one JSON object a line.
    log_type: LogType, [], "raw";
    /// Puts the time before each line, in this format (day.js: `YYYY-MM-DD HH:mm:ss`).
    log_date_format: String, [];
    /// The same as `log_date_format: "YYYY-MM-DDTHH:mm:ss"`.
    time: bool, [], "false";
    /// A log file is rotated at this size; 0 for never. (Tenantry's own.)
    log_max_size: Bytes, [], "10M";
    /// A log file is rotated at this age; 0 for never. (Tenantry's own.)
    log_max_age: Millis, [], "0";
    /// How many rotated files are kept. (Tenantry's own.)
    log_keep: u32, [], "5";
    /// Rotated files are removed at this age; 0 keeps them. (Tenantry's own.)
    log_retention: Millis, [], "0";
    /// Whether rotated files are compressed. (Tenantry's own.)
    log_compress: bool, [], "true";
    /// Where PM2 would write the pid.
    pid_file: String, ["pid"], "NAME-ID.pid", "no pid file is written; lists show its path, and `pid NAME` prints the pid";
    /// Whether it is started when it is added.
    autostart: bool, [], "true";
    /// Whether it is started again when it ends by itself.
    autorestart: bool, [], "true";
    /// Exit codes after which it is not started again.
    stop_exit_codes: Codes, [];
    /// An exit sooner than this is unstable. At least 100 ms.
    min_uptime: Millis, [], "1000";
    /// So many unstable exits within `min_uptime` × `max_restarts` make it `errored`.
    max_restarts: u32, [], "16";
    /// So many failures within an hour make it `errored` too, however slow they come; 0 for never. (Tenantry's own.)
    max_crashes: u32, [], "100";
    /// Time before each restart.
    restart_delay: Millis, [], "0";
    /// First delay of growing ones: half as long again each time, at most 15 s, afresh after 30 s of uptime.
    exp_backoff_restart_delay: Millis, [], "0";
    /// Restarts it when the memory of its whole tree is above this.
    max_memory_restart: Bytes, [];
    /// Restarts it by a cron pattern (5 fields, or 6 with seconds; local time); `0` for never.
    cron_restart: String, ["cron"];
    /// Time from the polite signal to SIGKILL.
    kill_timeout: Millis, [], "1600";
    /// The polite signal. (In PM2 for all apps at once, by PM2_KILL_SIGNAL, which works here too.)
    kill_signal: KillSignal, [], "SIGINT";
    /// Whether the polite signal goes to all descendants. No descendant outlives the stop in any case.
    treekill: bool, [], "true";
    /// How long it may take to become ready.
    listen_timeout: Millis, [], "3000";
    /// Waits until the app says that it is ready.
    wait_ready: bool, [], "false", "PM2 waits for process.send('ready'); here the app sends READY=1 to NOTIFY_SOCKET (systemd's protocol), and counts as online after listen_timeout all the same";
    /// When it counts as online: `spawned`, `notify`, `port:8080`, `http://:8080/health`. (Tenantry's own.)
    ready: Ready, [], "spawned";
    /// What must go on answering, else it is restarted: `notify`, `port:8080`, `http://:8080/health`, or an object of `probe`, `interval`, `timeout`, `failures`. (Tenantry's own.)
    liveness: Alive, [];
    /// Restarts it when files change: `true` for the working directory, or paths.
    watch: Watch, [], "false";
    /// Changes within this time lead to one restart.
    watch_delay: Millis, [], "200";
    /// Paths that are not watched: regular expressions, globs or parts of paths.
    ignore_watch: Words, [], "hidden files, node_modules";
    /// Options of PM2's file watcher.
    watch_options: Anything, [], "", "these options are those of PM2's watcher (chokidar) and have no effect; links are not followed, and the kernel tells of changes";
    /// The user that it runs as, by name or number; needs root.
    uid: String, ["user"], "that of the supervisor";
    /// The group that it runs as, by name or number; needs root.
    gid: String, [], "the user's";
    /// Resource limits: `{ "nofile": 65536 }`. (Tenantry's own.)
    rlimits: Rlimits, [];
    /// Scheduling priority, -20 to 19. (Tenantry's own.)
    nice: i32, [];
    /// Most memory of the tree, held by the kernel. (Tenantry's own.)
    memory_max: Bytes, [];
    /// Most processor use of the tree in percent of one core, held by the kernel. (Tenantry's own.)
    cpu_max: Percent, [];
    /// Whether it can never gain privileges. (Tenantry's own.)
    no_new_privs: bool, [], "false";
    /// The only paths that it can reach: `{ "read": [], "write": [] }`. (Tenantry's own.)
    confine: Confine, [];
    /// `pipe` lets `send` and `attach` write to it, `null` gives it nothing. (Tenantry's own.)
    stdin: Stdin, [], "pipe";
    /// Whether a second copy of the same script may be started.
    force: bool, [], "false";
    /// Whether the command line is to write a file with this declaration.
    write: bool, [], "false";
    /// Ends the app by a message.
    shutdown_with_message: bool, [], "false", "PM2 sends the message 'shutdown' over Node's channel; here the app is sent kill_signal";
    /// Time between two looks while PM2 waits for the end.
    kill_retry_time: Millis, [], "100", "the kernel tells of the end; nothing is looked at again and again";
    /// Runs a shell command instead of a script.
    execute_command: bool, [], "false", "a script with a space in it is run by bash";
    /// Maps of compiled sources.
    source_map_support: bool, [], "", "nothing is loaded into the app; give Node the argument --enable-source-maps in node_args";
    /// Maps of compiled sources.
    disable_source_map_support: bool, [], "", "nothing is loaded into the app, so there is nothing to turn off";
    /// PM2's instrumentation.
    pmx: Anything, [], "", "nothing is loaded into the app";
    /// PM2's instrumentation.
    automation: bool, [], "", "nothing is loaded into the app";
    /// PM2's tracing.
    trace: bool, [], "", "nothing is loaded into the app, so nothing is traced";
    /// PM2's tracing.
    disable_trace: bool, [], "", "nothing is loaded into the app, so there is nothing to turn off";
    /// PM2's instrumentation.
    v8: bool, [], "", "nothing is loaded into the app";
    /// PM2's instrumentation.
    event_loop_inspector: bool, [], "", "nothing is loaded into the app";
    /// PM2's instrumentation.
    deep_monitoring: bool, [], "", "nothing is loaded into the app";
    /// Settings of PM2's instrumentation.
    io: Anything, [], "", "nothing is loaded into the app";
    /// Data of the version control.
    vizion: bool, [], "", "version control is not looked at; lists show the version of package.json";
    /// Commands after PM2's pull.
    post_update: Anything, [], "", "there is no pull";
    /// Where PM2 got a module from.
    install_url: String, [], "", "there are no modules";
    /// Who started it.
    username: String, [], "", "lists show the user that it runs as";
    /// For Windows.
    windows_hide: bool, [], "", "there are no windows to hide";
}

/// Whether a value asks for what is different here: not one that turns it off.
fn is_asked_for(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !matches!(text.as_str(), "" | "false" | "fork_mode"),
        Value::Array(items) => !items.is_empty(),
        Value::Bool(true) | Value::Object(_) => true,
    }
}

/// The start of the fields that hold the variables of one environment.
const ENV_PREFIX: &str = "env_";

impl App {
    /// Takes over every field that `flags` has: flags win. Variables are merged one by one.
    pub fn overlay(&mut self, flags: &Self) {
        let env = self.env.take();
        self.overlay_fields(flags);
        if let Some(mut merged) = env {
            merged.0.extend(self.env.take().unwrap_or_default().0);
            self.env = Some(merged);
        }
        for (name, variables) in &flags.env_named {
            self.env_named.entry(name.clone()).or_default().0.extend(variables.0.clone());
        }
        if flags.file.is_some() {
            self.file.clone_from(&flags.file);
        }
    }

    /// What a user of PM2 must know about the fields that are set and do something else here, each with its field.
    #[must_use]
    pub fn differences(&self) -> Vec<(&'static str, &'static str)> {
        let asked = |field: &&Field| (field.get)(self).as_ref().is_some_and(is_asked_for);
        let set = FIELDS.iter().filter(asked);
        set.filter_map(|field| Some((field.name, field.differs?))).collect()
    }

    /// Sets one field by any of its names; `null` leaves it unset.
    ///
    /// # Errors
    /// What is wrong, with the field's name: it is unknown, or the value is of another kind.
    pub fn set(&mut self, name: &str, value: &Value) -> Result<(), Mistake> {
        let mistake = |kind, text: String| Mistake { kind, field: name.to_owned(), text };
        if value.is_null() {
            return Ok(());
        }
        if let Some(field) = Field::find(name) {
            return (field.set)(self, value).map_err(|wrong| mistake(MistakeKind::Value, wrong));
        }
        if let Some(environment) = environment_of(name) {
            let variables = crate::value::FieldValue::read(value);
            let variables = variables.map_err(|wrong| mistake(MistakeKind::Value, wrong))?;
            self.env_named.insert(environment.to_owned(), variables);
            return Ok(());
        }
        let text = match Field::nearest(name) {
            Some(nearest) => format!("is unknown; did you mean {nearest}?"),
            None => "is unknown".to_owned(),
        };
        Err(mistake(MistakeKind::Unknown, text))
    }
}

/// `env_production` → `production`.
pub(crate) fn environment_of(field: &str) -> Option<&str> {
    let name = field.strip_prefix(ENV_PREFIX)?;
    (!name.is_empty() && !name.contains(char::is_whitespace)).then_some(name)
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {text}")]
pub struct Mistake {
    /// What kind of mistake.
    pub kind: MistakeKind,
    /// The field as it was written.
    pub field: String,
    /// What is wrong, to follow the field's name.
    pub text: String,
}

/// What kind of mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MistakeKind {
    /// There is no such field.
    Unknown,
    /// Its value is not acceptable.
    Value,
}

#[cfg(test)]
mod tests;
