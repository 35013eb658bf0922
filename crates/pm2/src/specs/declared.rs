//! The way back: the declaration that a description could have come from.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use supervisor::wire::{Confinement, KillSignal, LogType, NO_LOG, ProcessSpec, Readiness, Stdin};

use super::interpreter::NONE;
use super::label;
use crate::app::App;
use crate::value::{
    Alive, Bytes, Codes, Confine, Instances, LogFile, Millis, Percent, Ready, Rlimits, Variables,
    Watch, Words,
};

impl App {
    /// The declaration of one process that runs or could run: with absolute paths, and only with what differs from
    /// the defaults. What it inherits is not part of it.
    #[must_use]
    pub fn from_spec(spec: &ProcessSpec) -> Self {
        let mut app = Self::default();
        app.set_declared(spec);
        app.set_program(spec);
        app.set_env(spec);
        app.set_logs(spec);
        app.set_restart(spec);
        app.set_limits(spec);
        app
    }

    fn set_declared(&mut self, spec: &ProcessSpec) {
        let text = spec.labels.get(label::DECLARED).unwrap_or("{}");
        let declared = serde_json::from_str::<BTreeMap<String, Value>>(text);
        for (name, value) in declared.unwrap_or_default() {
            // A label that somebody else wrote is no reason to show nothing.
            let _foreign = self.set(&name, &value);
        }
        self.instances = number(spec, label::INSTANCES).map(Instances);
        self.file = spec.labels.get(label::FILE).map(Into::into);
        self.pid_file = spec.labels.get(label::PID_FILE).map(str::to_owned);
    }

    fn set_program(&mut self, spec: &ProcessSpec) {
        self.name = Some(spec.name.clone());
        self.namespace = Some(spec.namespace.clone());
        self.cwd = Some(spec.cwd.to_string_lossy().into_owned());
        let (script, args) = match spec.command.split_first() {
            Some((script, args)) => (Some(script), args.to_vec()),
            None => (None, Vec::new()),
        };
        let script = spec.labels.get(label::SCRIPT).or(script.map(String::as_str));
        self.script = script.map(str::to_owned);
        let args = words(spec, label::ARGS).unwrap_or(args);
        self.args = (!args.is_empty()).then_some(Words(args));
        let interpreter = spec.labels.get(label::INTERPRETER).unwrap_or(NONE);
        self.interpreter = Some(interpreter.to_owned());
        self.node_args = words(spec, label::INTERPRETER_ARGS).map(Words);
        self.stdin = (spec.stdin != Stdin::Pipe).then_some(spec.stdin);
    }

    /// Only what was declared: not what [`App::specs`] adds.
    fn set_env(&mut self, spec: &ProcessSpec) {
        let typed = words(spec, label::TYPED_ENV).unwrap_or_default();
        let value = |name: &str, text: &str| match typed.iter().any(|typed| typed == name) {
            true => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
            false => json!(text),
        };
        let own = spec.env.iter().map(|(name, text)| (name.to_owned(), value(name, text)));
        let mut env = Variables(own.collect());
        env.0.remove(self.instance_var.as_deref().unwrap_or("NODE_APP_INSTANCE"));
        env.0.remove("PM2_HOME");
        if let Some(name) = &self.increment_var
            && let Some(number) = env.0.get(name).and_then(Value::as_i64)
        {
            env.0.insert(name.clone(), json!(number - i64::from(spec.instance)));
        }
        self.env = Some(env);
        let secret: Vec<String> = spec.secret_env.iter().cloned().collect();
        self.secret_env = (!secret.is_empty()).then_some(Words(secret));
    }

    fn set_logs(&mut self, spec: &ProcessSpec) {
        let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let error = spec.error_file.as_ref().unwrap_or(&spec.out_file);
        self.out_file = Some(path(&spec.out_file));
        self.error_file = Some(path(error));
        self.log_file = spec.log_file.as_ref().map(|file| LogFile::Path(path(file)));
        self.merge_logs = spec.merge_logs.then_some(true);
        let silent = spec.log_files().next().is_none() && spec.out_file.as_os_str() == NO_LOG;
        self.disable_logs = silent.then_some(true);
        self.log_type = (spec.log_type == LogType::Json).then_some(LogType::Json);
        self.log_date_format.clone_from(&spec.log_date_format);
        let usual = ProcessSpec::new("", Vec::new(), "/".into(), "/".into());
        self.log_max_size = other(spec.log_max_bytes, usual.log_max_bytes).map(Bytes);
        self.log_max_age = other(spec.log_max_age_ms, usual.log_max_age_ms).map(Millis);
        self.log_keep = other(spec.log_keep, usual.log_keep);
        self.log_retention = other(spec.log_retention_ms, usual.log_retention_ms).map(Millis);
        self.log_compress = (!spec.log_compress).then_some(false);
    }

    fn set_restart(&mut self, spec: &ProcessSpec) {
        let restart = &spec.restart;
        let usual = supervisor::wire::RestartPolicy::default();
        self.autorestart = Some(restart.autorestart);
        self.stop_exit_codes =
            (!restart.stop_exit_codes.is_empty()).then(|| Codes(restart.stop_exit_codes.clone()));
        self.min_uptime = other(restart.min_uptime_ms, usual.min_uptime_ms).map(Millis);
        self.max_restarts = other(restart.max_restarts, usual.max_restarts);
        self.max_crashes = other(restart.max_crashes, usual.max_crashes);
        self.restart_delay = other(restart.restart_delay_ms, 0).map(Millis);
        self.exp_backoff_restart_delay = other(restart.backoff_initial_ms, 0).map(Millis);
        self.max_memory_restart = spec.max_memory_bytes.map(Bytes);
        self.cron_restart.clone_from(&spec.cron_restart);
        self.kill_timeout = other(spec.kill_timeout_ms, 1600).map(Millis);
        self.kill_signal = other(spec.kill_signal, KillSignal::Int);
        self.treekill = Some(spec.treekill);
        self.listen_timeout = other(spec.listen_timeout_ms, 3000).map(Millis);
        let said = self.wait_ready == Some(true) && spec.ready == Readiness::Notify;
        let ready = (spec.ready != Readiness::Spawned && !said).then(|| spec.ready.clone());
        self.ready = ready.map(Ready);
        self.liveness = spec.liveness.clone().map(Alive);
        // It may have been turned on or off since.
        self.watch = match (&spec.watch, self.watch.take()) {
            (None, declared) => declared.filter(|watch| *watch == Watch::Off),
            (Some(_), None | Some(Watch::Off)) => Some(Watch::All),
            (Some(_), declared @ Some(Watch::All | Watch::Paths(_))) => declared,
        };
        self.watch_delay =
            spec.watch.as_ref().and_then(|watch| other(watch.delay_ms, 200)).map(Millis);
    }

    fn set_limits(&mut self, spec: &ProcessSpec) {
        let limits = &spec.limits;
        self.uid = limits.uid.map(|uid| uid.to_string());
        self.gid = limits.gid.map(|gid| gid.to_string());
        self.rlimits = (!limits.rlimits.is_empty()).then(|| Rlimits(limits.rlimits.clone()));
        self.nice = limits.nice;
        self.memory_max = limits.memory_max.map(Bytes);
        self.cpu_max = limits.cpu_max_percent.map(Percent);
        self.no_new_privs = limits.no_new_privs.then_some(true);
        self.confine = limits.confinement.as_ref().map(confine);
    }
}

fn confine(confinement: &Confinement) -> Confine {
    let all = |paths: &[std::path::PathBuf]| {
        paths.iter().map(|path| path.to_string_lossy().into_owned()).collect()
    };
    Confine { read: all(&confinement.read), write: all(&confinement.write) }
}

/// A value that is not the usual one.
fn other<T: PartialEq + Copy>(value: T, usual: T) -> Option<T> {
    (value != usual).then_some(value)
}

fn words(spec: &ProcessSpec, label: &str) -> Option<Vec<String>> {
    serde_json::from_str(spec.labels.get(label)?).ok()
}

fn number(spec: &ProcessSpec, label: &str) -> Option<i32> {
    spec.labels.get(label)?.parse().ok()
}
