//! What a declaration is seen in: the caller, the home, the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use supervisor::wire::{Env, KillSignal};

use super::Wrong;
use crate::app::App;
use crate::value::Millis;

/// Where what belongs to PM2's home lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Homes {
    /// The home itself; the app sees it as `PM2_HOME`.
    pub home: PathBuf,
    /// Log files.
    pub logs: PathBuf,
    /// The files that lists show as pid files.
    pub pids: PathBuf,
}

impl Homes {
    /// The usual places in a home.
    #[must_use]
    pub fn new(home: &Path) -> Self {
        Self { home: home.to_owned(), logs: home.join("logs"), pids: home.join("pids") }
    }
}

/// What a declaration is seen in.
#[derive(Clone)]
pub struct Context {
    /// The caller's working directory, absolute.
    pub cwd: PathBuf,
    /// The caller's environment; see [`caller_env`].
    pub env: Arc<Env>,
    /// The environment that is selected (`--env NAME`).
    pub env_name: Option<String>,
    /// Where logs go.
    pub homes: Homes,
    /// How many processors `instances: max` means.
    pub cpus: u32,
    /// The id that the first process of the declaration will get, for the names of log files; the others' follow. Where it
    /// is not known, the number of the instance stands there. Of several declarations, each needs its own.
    pub first_id: Option<u32>,
    /// The instance numbers that are in use, by name. Others are given to new processes.
    pub taken: BTreeMap<String, BTreeSet<u32>>,
    /// The command that serves static files, for `script: serve`; it reads PM2's `PM2_SERVE_*` variables.
    pub serve: Option<Vec<String>>,
}

impl Context {
    /// With the machine's processors and nothing selected.
    #[must_use]
    pub fn new(cwd: PathBuf, env: Env, homes: Homes) -> Self {
        let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            cwd,
            env: Arc::new(env),
            env_name: None,
            homes,
            cpus: u32::try_from(cpus).unwrap_or(u32::MAX),
            first_id: None,
            taken: BTreeMap::new(),
            serve: None,
        }
    }

    /// A path of a declaration, absolute: `~` is the caller's home, and the rest is relative to `base`.
    pub(crate) fn absolute(&self, base: &Path, path: &str) -> PathBuf {
        let path = match (path.strip_prefix('~'), self.env.get("HOME")) {
            (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
                Path::new(home).join(rest.trim_start_matches('/'))
            }
            _ => PathBuf::from(path),
        };
        normal(&base.join(path))
    }

    /// A time: the field's, else that of PM2's variable, else the default.
    pub(crate) fn millis(&self, field: Option<Millis>, variable: &str, default: u64) -> u64 {
        let from_env = || self.env.get(variable).and_then(|text| Millis::parse(text));
        field.or_else(from_env).map_or(default, |time| time.0)
    }

    /// PM2's signal for all apps.
    pub(crate) fn kill_signal(&self) -> Result<KillSignal, Wrong> {
        let Some(text) = self.env.get("PM2_KILL_SIGNAL") else { return Ok(KillSignal::Int) };
        text.parse().map_err(|unknown| ("kill_signal", format!("PM2_KILL_SIGNAL: {unknown}")))
    }

    /// The variable that tells an app's instances apart.
    pub(crate) fn instance_var<'a>(&'a self, app: &'a App) -> &'a str {
        let global = self.env.get("PM2_PROCESS_INSTANCE_VAR");
        global.or(app.instance_var.as_ref()).map_or("NODE_APP_INSTANCE", String::as_str)
    }
}

/// Without `.` and `..`, as text alone says: links are not followed.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            part @ (Component::Prefix(_) | Component::RootDir | Component::Normal(_)) => {
                normal.push(part);
            }
        }
    }
    normal
}

/// Variables that a supervisor gave to one process, and that are no business of what that process starts.
const OF_ONE_PROCESS: [&str; 5] =
    ["TENANTRY_PROCESS", "TENANTRY_INCARNATION", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/// The caller's environment as processes inherit it: without variables that are not UTF-8, and, when the caller is itself
/// run by a supervisor, without what that one told it about itself.
pub fn caller_env(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Env {
    let text = variables
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut env: Env = text.filter(|(name, _)| !name.is_empty()).collect();
    for name in OF_ONE_PROCESS {
        env.remove(name);
    }
    if env.contains_key("pm_id") {
        crate::dump::drop_record_variables(&mut env);
    }
    env
}
