//! PM2's flags for a process, and the fields of a declaration that they set.

use clap::Args;
use serde_json::Value;

/// The flags of `start`, which `restart` and `reload` take too.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Process")]
pub struct ProcessOptions {
    /// Its name in lists
    #[arg(long, short, value_name = "NAME")]
    name: Option<String>,
    /// A group that can be used as a target
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// How many processes: a number, `max` for one per processor, -N for so many fewer
    #[arg(long, short, value_name = "N", allow_hyphen_values = true)]
    instances: Option<String>,
    /// Working directory
    #[arg(long, value_name = "DIR")]
    cwd: Option<String>,
    /// The program that runs the script; `none` executes the script itself
    #[arg(long, value_name = "PROGRAM")]
    interpreter: Option<String>,
    /// Arguments of the interpreter
    #[arg(long, visible_alias = "node-args", value_name = "ARGS", allow_hyphen_values = true)]
    interpreter_args: Option<String>,
    /// Set a variable (KEY=VALUE), or choose the variables of `env_NAME` (NAME); may be repeated
    #[arg(long, value_name = "KEY=VALUE|NAME")]
    pub env: Vec<String>,
    /// Do not hand on the shell's variables with this in their names (all of them without a value)
    #[arg(long, value_name = "PART", num_args = 0..=1, default_missing_value = "true")]
    filter_env: Vec<String>,
    /// Set the variable PORT
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    #[command(flatten)]
    logs: LogFiles,
    #[command(flatten)]
    restarts: Restarts,
    #[command(flatten)]
    stopping: Stopping,
    #[command(flatten)]
    watching: Watching,
    /// The user that it runs as; needs root
    #[arg(long, value_name = "USER")]
    uid: Option<String>,
    /// The group that it runs as; needs root
    #[arg(long, value_name = "GROUP")]
    gid: Option<String>,
    #[command(flatten)]
    node: NodeOnly,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Logs")]
struct LogFiles {
    /// The file for standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<String>,
    /// The file for standard error
    #[arg(long, short, value_name = "FILE")]
    error: Option<String>,
    /// One more file for both
    #[arg(long, short, value_name = "FILE", num_args = 0..=1, default_missing_value = "")]
    log: Option<String>,
    /// `raw`, or `json` for one object a line
    #[arg(long, value_name = "TYPE")]
    log_type: Option<String>,
    /// Put the time before each line, in this format (`YYYY-MM-DD HH:mm:ss`)
    #[arg(long, value_name = "FORMAT")]
    log_date_format: Option<String>,
    /// Put the time before each line
    #[arg(long)]
    time: bool,
    /// Write all instances to the same files
    #[arg(long)]
    merge_logs: bool,
    /// Throw all output away
    #[arg(long)]
    disable_logs: bool,
    /// The file with the pid
    #[arg(long, short, value_name = "FILE")]
    pid: Option<String>,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Restarts")]
struct Restarts {
    /// Do not start it again when it ends by itself
    #[arg(long)]
    no_autorestart: bool,
    /// Exit codes after which it is not started again
    #[arg(long, value_name = "CODES", value_delimiter = ',', num_args = 1..)]
    stop_exit_codes: Vec<i32>,
    /// So many unstable exits make it errored
    #[arg(long, value_name = "N")]
    max_restarts: Option<u32>,
    /// An exit sooner than this is unstable
    #[arg(long, value_name = "TIME")]
    min_uptime: Option<String>,
    /// Time before each restart
    #[arg(long, value_name = "TIME")]
    restart_delay: Option<String>,
    /// First delay of growing ones
    #[arg(long, value_name = "TIME")]
    exp_backoff_restart_delay: Option<String>,
    /// Restart it when the memory of its whole tree is above this
    #[arg(long, value_name = "SIZE")]
    max_memory_restart: Option<String>,
    /// Restart it by a cron pattern; `0` for never
    #[arg(long, short, visible_alias = "cron", value_name = "PATTERN")]
    cron_restart: Option<String>,
    /// Add it without starting it
    #[arg(long)]
    no_autostart: bool,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Starting and stopping")]
struct Stopping {
    /// The signal that asks for the end
    #[arg(long, value_name = "SIGNAL")]
    kill_signal: Option<String>,
    /// Time from the polite signal to SIGKILL
    #[arg(long, short, value_name = "TIME")]
    kill_timeout: Option<String>,
    /// Send the polite signal to the main process alone
    #[arg(long)]
    no_treekill: bool,
    /// Wait until it says that it is ready
    #[arg(long)]
    wait_ready: bool,
    /// How long it may take to become ready
    #[arg(long, value_name = "TIME")]
    listen_timeout: Option<String>,
    /// End it by a message
    #[arg(long)]
    shutdown_with_message: bool,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Watching")]
struct Watching {
    /// Restart it when files change: these, or all of its working directory
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub watch: Vec<String>,
    /// Paths that are not watched
    #[arg(long, value_name = "PATH")]
    ignore_watch: Vec<String>,
    /// Changes within this time lead to one restart
    #[arg(long, value_name = "TIME")]
    watch_delay: Option<String>,
    /// Watch only files with these extensions
    #[arg(long, value_name = "EXTENSIONS", hide = true)]
    ext: Option<String>,
}

/// Flags that only PM2's instrumentation of Node gives a meaning to. They are accepted, so that scripts go on working.
#[derive(Debug, Clone, Default, Args)]
struct NodeOnly {
    /// Node only
    #[arg(long, hide = true)]
    source_map_support: bool,
    /// Node only
    #[arg(long, hide = true)]
    disable_source_map_support: bool,
    /// Node only
    #[arg(long, hide = true)]
    no_pmx: bool,
    /// Node only
    #[arg(long, hide = true)]
    no_automation: bool,
    /// Node only
    #[arg(long, hide = true)]
    trace: bool,
    /// Node only
    #[arg(long, hide = true)]
    disable_trace: bool,
    /// Node only
    #[arg(long, hide = true)]
    v8: bool,
    /// Node only
    #[arg(long, hide = true)]
    event_loop_inspector: bool,
    /// Node only
    #[arg(long, hide = true)]
    deep_monitoring: bool,
    /// Node only
    #[arg(long, hide = true)]
    no_vizion: bool,
    /// Every process runs so here
    #[arg(long, short = 'x', hide = true)]
    execute_command: bool,
}

/// One field of a declaration with its value.
pub type Setting = (&'static str, Value);

impl ProcessOptions {
    /// The fields that the flags set, without those of the environment and of watching.
    pub fn settings(&self) -> Vec<Setting> {
        let (logs, restarts, stopping) = (&self.logs, &self.restarts, &self.stopping);
        let texts = [
            ("name", &self.name),
            ("namespace", &self.namespace),
            ("instances", &self.instances),
            ("cwd", &self.cwd),
            ("interpreter", &self.interpreter),
            ("node_args", &self.interpreter_args),
            ("out_file", &logs.output),
            ("error_file", &logs.error),
            ("log_type", &logs.log_type),
            ("log_date_format", &logs.log_date_format),
            ("pid_file", &logs.pid),
            ("min_uptime", &restarts.min_uptime),
            ("restart_delay", &restarts.restart_delay),
            ("exp_backoff_restart_delay", &restarts.exp_backoff_restart_delay),
            ("max_memory_restart", &restarts.max_memory_restart),
            ("cron_restart", &restarts.cron_restart),
            ("kill_signal", &stopping.kill_signal),
            ("kill_timeout", &stopping.kill_timeout),
            ("listen_timeout", &stopping.listen_timeout),
            ("watch_delay", &self.watching.watch_delay),
            ("uid", &self.uid),
            ("gid", &self.gid),
        ];
        let switches = [
            ("time", logs.time, true),
            ("merge_logs", logs.merge_logs, true),
            ("disable_logs", logs.disable_logs, true),
            ("autorestart", restarts.no_autorestart, false),
            ("autostart", restarts.no_autostart, false),
            ("treekill", stopping.no_treekill, false),
            ("wait_ready", stopping.wait_ready, true),
            ("shutdown_with_message", stopping.shutdown_with_message, true),
        ];
        let given = texts.into_iter().filter_map(|(field, text)| Some((field, text.as_deref()?)));
        let mut settings: Vec<Setting> =
            given.map(|(field, text)| (field, value(field, text))).collect();
        let switched = switches.into_iter().filter(|(_, given, _)| *given);
        settings.extend(switched.map(|(field, _, value)| (field, Value::Bool(value))));
        settings.extend(self.lists());
        settings
    }

    fn lists(&self) -> Vec<Setting> {
        let mut settings: Vec<Setting> = Vec::new();
        if let Some(log) = &self.logs.log {
            // Without a file, the name tells it.
            settings.push((
                "log_file",
                if log.is_empty() { true.into() } else { value("log_file", log) },
            ));
        }
        if let Some(port) = self.port {
            settings.push(("port", port.into()));
        }
        if let Some(count) = self.restarts.max_restarts {
            settings.push(("max_restarts", count.into()));
        }
        if !self.restarts.stop_exit_codes.is_empty() {
            settings.push(("stop_exit_codes", self.restarts.stop_exit_codes.clone().into()));
        }
        if !self.watching.ignore_watch.is_empty() {
            settings.push(("ignore_watch", self.watching.ignore_watch.clone().into()));
        }
        match self.filter_env.as_slice() {
            [] => {}
            [all] if all == "true" => settings.push(("filter_env", true.into())),
            parts => settings.push(("filter_env", parts.to_vec().into())),
        }
        settings
    }

    /// The field of watching, when a flag asks for it.
    pub fn watch(&self) -> Option<Setting> {
        let paths: Vec<&String> =
            self.watching.watch.iter().filter(|path| !path.is_empty()).collect();
        if self.watching.watch.is_empty() {
            return None;
        }
        // PM2 takes `--watch true` for the bare flag.
        let all = paths.is_empty() || paths.iter().all(|path| *path == "true");
        Some(("watch", if all { true.into() } else { serde_json::json!(paths) }))
    }

    /// Whether a flag asks for watching.
    pub const fn wants_watch(&self) -> bool {
        !self.watching.watch.is_empty()
    }

    /// The variables that `--env KEY=VALUE` sets.
    pub fn variables(&self) -> Vec<(String, String)> {
        let pairs = self.env.iter().filter_map(|text| text.split_once('='));
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// The environment that `--env NAME` chooses; the last one wins.
    pub fn env_name(&self) -> Option<&str> {
        self.env.iter().map(String::as_str).rfind(|text| !text.contains('='))
    }

    /// Whether nothing is to be changed.
    pub fn is_empty(&self) -> bool {
        self.settings().is_empty() && self.env.is_empty()
    }
}

/// The text, or nothing for `null`, by which PM2 takes a setting back.
fn value(field: &str, text: &str) -> Value {
    match (text, field) {
        ("null", "node_args") => Value::Array(Vec::new()),
        ("null", _) => Value::Null,
        (text, _) => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::{Map, Value, json};

    use super::ProcessOptions;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: ProcessOptions,
        words: Vec<String>,
        #[arg(last = true)]
        args: Vec<String>,
    }

    fn read(line: &str) -> Line {
        Line::try_parse_from(std::iter::once("start").chain(line.split(' '))).unwrap()
    }

    fn settings(line: &str) -> Value {
        let options = read(line).options;
        let settings = options.settings().into_iter().chain(options.watch());
        Value::Object(
            settings.map(|(field, value)| (field.to_owned(), value)).collect::<Map<_, _>>(),
        )
    }

    #[test]
    fn flags_become_fields() {
        assert_eq!(
            settings("app.js -n web -i -1 --node-args --harmony -o out.log --no-autorestart -k 5s"),
            json!({
                "name": "web", "instances": "-1", "node_args": "--harmony", "out_file": "out.log",
                "autorestart": false, "kill_timeout": "5s",
            })
        );
        assert_eq!(
            settings(
                "--stop-exit-codes 1,2 --cron 0 --node-args=null --merge-logs -l all.log app.js"
            ),
            json!({
                "stop_exit_codes": [1, 2], "cron_restart": "0", "node_args": [],
                "merge_logs": true, "log_file": "all.log",
            })
        );
        assert_eq!(settings("app.js"), json!({}));
        assert!(read("app.js").options.is_empty());
    }

    #[test]
    fn watching_does_not_swallow_the_script() {
        assert_eq!(settings("--watch app.js"), json!({ "watch": true }));
        assert_eq!(read("--watch app.js").words, ["app.js"]);
        assert_eq!(settings("app.js --watch=src --watch=lib"), json!({ "watch": ["src", "lib"] }));
    }

    #[test]
    fn env_sets_a_variable_or_chooses_a_name() {
        let options = read("app.js --env A=1 --env production --env B=x=y").options;
        let variable = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(options.variables(), [variable("A", "1"), variable("B", "x=y")]);
        assert_eq!(options.env_name(), Some("production"));
        assert_eq!(read("app.js --env A=1").options.env_name(), None);
    }

    #[test]
    fn what_stands_behind_two_hyphens_is_the_scripts() {
        let line = read("app.js -x -- -f --name x");
        assert_eq!(line.args, ["-f", "--name", "x"]);
    }
}
