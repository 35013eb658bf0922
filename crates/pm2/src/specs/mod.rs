//! From a declaration to what the supervisor runs.
//!
//! What a process gets in its environment: the caller's variables (less `filter_env`), then `env`, then `env_NAME`, then `PORT`,
//! the number of the instance, and `PM2_HOME`. PM2's own record (name, status, pm_id, paths, …), which PM2 puts there
//! too, does not get in: it collides with variables of applications.

mod context;
mod declared;
mod environment;
mod interpreter;
mod labels;
mod limits;
mod logs;
mod program;
mod restart;
mod update;
mod watch;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use supervisor::wire::{ProcessSpec, Readiness, Stdin};

use crate::app::App;
use crate::value::Instances;

pub use context::{Context, Homes, caller_env};
pub(crate) use interpreter::NONE;
pub use labels::label;
pub(crate) use logs::{file_name, numbered_as};
pub use update::updated;

use program::Program;

/// What one declaration comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Specs {
    /// One process for each instance.
    pub specs: Vec<ProcessSpec>,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// Whether they are to be started now (`autostart`).
    pub start: bool,
}

/// Why a declaration cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("app {app}: {field}: {reason}")]
pub struct AppError {
    /// Its name, or its script where it has none.
    pub app: String,
    /// The field that is wrong.
    pub field: &'static str,
    /// What is wrong with it, and what to do.
    pub reason: String,
}

/// What is wrong with a field: the field and the reason.
pub(crate) type Wrong = (&'static str, String);

/// More instances than anybody means to start.
const MOST_INSTANCES: u32 = 10_000;

impl App {
    /// The name that it gets in lists, given the selected environment.
    ///
    /// # Errors
    /// There is neither a name nor a script to take it from.
    pub fn full_name(&self, env_name: Option<&str>) -> Result<String, AppError> {
        let mut name = match (&self.name, &self.script) {
            (Some(name), _) if !name.is_empty() => name.clone(),
            (_, Some(script)) if !script.trim().is_empty() => name_of(script),
            _ => {
                return Err(
                    self.error(("script", "is missing: there is nothing to run".to_owned()))
                );
            }
        };
        if let (Some(true), Some(env_name)) = (self.append_env_to_name, env_name) {
            name = format!("{name}-{env_name}");
        }
        match &self.name_prefix {
            Some(prefix) if !name.contains(prefix.as_str()) => Ok(format!("{prefix}:{name}")),
            Some(_) | None => Ok(name),
        }
    }

    /// What the supervisor is to run.
    ///
    /// # Errors
    /// The first field that makes no sense on this machine.
    pub fn specs(&self, context: &Context) -> Result<Specs, AppError> {
        let name = self.full_name(context.env_name.as_deref())?;
        self.expand(context, &name).map_err(|wrong| AppError { app: name, ..self.error(wrong) })
    }

    fn expand(&self, context: &Context, name: &str) -> Result<Specs, Wrong> {
        let cwd = self.working_directory(context);
        let mut warnings = Vec::new();
        let env = environment::compose(self, context, &mut warnings);
        let program = program::resolve(self, context, &cwd, &env)?;
        let own = environment::with_program(env, &program);
        let user = limits::user(self)?;
        let count = self.instances.unwrap_or(Instances(1)).count(context.cpus);
        if count > MOST_INSTANCES {
            return Err(("instances", format!("{count} is too many, at most {MOST_INSTANCES}")));
        }
        if self.shares_port(&program) {
            warnings.push(format!("{name}: instances: they run as {count} separate processes (fork mode), not in Node's cluster mode; {} tells them apart", context.instance_var(self)));
        }
        let mut template = self.template(context, name, &cwd, &program)?;
        limits::apply(self, &user, &cwd, &mut template);
        template.watch = watch::files(self, &cwd);
        let numbers = free_numbers(context, name, count);
        let mut specs = Vec::with_capacity(numbers.len());
        for (position, instance) in (0..).zip(numbers) {
            let mut spec = template.clone();
            spec.instance = instance;
            let id = context.first_id.map_or(instance, |first| first.saturating_add(position));
            logs::assign(self, context, name, &cwd, id, &mut spec);
            environment::assign(self, context, &own, &user, instance, &mut spec);
            spec.validate().map_err(|invalid| ("declaration", invalid.to_string()))?;
            specs.push(spec);
        }
        Ok(Specs { specs, warnings, start: self.autostart != Some(false) })
    }

    /// All that does not differ between the instances, but for the kernel's limits.
    fn template(
        &self,
        context: &Context,
        name: &str,
        cwd: &Path,
        program: &Program,
    ) -> Result<ProcessSpec, Wrong> {
        let command = program.command();
        let mut spec = ProcessSpec::new(name, command, cwd.to_owned(), PathBuf::new());
        if let Some(namespace) = &self.namespace {
            spec.namespace.clone_from(namespace);
        }
        spec.stdin = self.stdin.unwrap_or(Stdin::Pipe);
        spec.kill_signal = self.kill_signal.map_or_else(|| context.kill_signal(), Ok)?;
        spec.kill_timeout_ms = context.millis(self.kill_timeout, "PM2_KILL_TIMEOUT", 1600);
        spec.listen_timeout_ms =
            context.millis(self.listen_timeout, "PM2_GRACEFUL_LISTEN_TIMEOUT", 3000);
        spec.treekill = self.treekill.unwrap_or(true);
        spec.restart = restart::policy(self, context)?;
        spec.cron_restart =
            self.cron_restart.clone().filter(|cron| cron != "0" && !cron.is_empty());
        spec.max_memory_bytes =
            self.max_memory_restart.map(|bytes| bytes.0).filter(|most| *most > 0);
        spec.ready = match (&self.ready, self.wait_ready) {
            (Some(ready), _) => ready.0.clone(),
            (None, Some(true)) => Readiness::Notify,
            (None, Some(false) | None) => Readiness::Spawned,
        };
        spec.liveness = self.liveness.as_ref().map(|alive| alive.0.clone());
        spec.labels = labels::of(self, program).into();
        Ok(spec)
    }

    /// Whether PM2 would run it in cluster mode though its author did not say so.
    fn shares_port(&self, program: &Program) -> bool {
        let node = matches!(program.interpreter_name(), "node" | "bun");
        self.exec_mode.is_none() && node && self.instances.is_some_and(|count| count.0 != 1)
    }

    fn working_directory(&self, context: &Context) -> PathBuf {
        match &self.cwd {
            Some(cwd) => context.absolute(&context.cwd, cwd),
            None => context.cwd.clone(),
        }
    }

    pub(crate) fn error(&self, (field, reason): Wrong) -> AppError {
        let app = self.name.as_ref().or(self.script.as_ref()).map_or("(no name)", String::as_str);
        AppError { app: app.to_owned(), field, reason }
    }
}

/// PM2's default name: the last part of the path, without extension.
fn name_of(script: &str) -> String {
    let base = script.trim_end_matches('/').rsplit('/').next().unwrap_or(script);
    match base.rfind('.') {
        Some(dot) if dot > 0 => base.get(..dot).unwrap_or(base).to_owned(),
        Some(_) | None => base.to_owned(),
    }
}

/// The lowest numbers that no process of this name has.
fn free_numbers(context: &Context, name: &str, count: u32) -> Vec<u32> {
    let none = BTreeSet::new();
    let taken = context.taken.get(name).unwrap_or(&none);
    (0..).filter(|number| !taken.contains(number)).take(count as usize).collect()
}

#[cfg(test)]
mod tests;
