//! From what the operator says to what the supervisor is to run.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use pm2::App;
use pm2::file::{Evaluate, Source};
use supervisor::wire::{Env, ProcessSpec};

use super::call::Call;
use super::how::How;
use super::options::ProcessOptions;

/// The longest declaration that is read from standard input, in bytes.
const LONGEST_INPUT: u64 = 16 << 20;

/// The flags as a declaration, to be laid over others.
///
/// # Errors
/// What is wrong with which flag.
pub fn flags(options: &ProcessOptions, arguments: &[String]) -> anyhow::Result<App> {
    let mut app = App::default();
    for (field, value) in options.settings() {
        app.set(field, &value).map_err(|mistake| anyhow::anyhow!("--{mistake}"))?;
    }
    let variables = options.variables();
    if !variables.is_empty() {
        let env = app.env.get_or_insert_default();
        variables.iter().for_each(|(name, value)| env.set(name, value));
    }
    if !arguments.is_empty() {
        app.set("args", &arguments.into())?;
    }
    Ok(app)
}

/// What declarations are seen in: the shell, the home, this program.
///
/// # Errors
/// When there is no working directory.
pub fn context(call: &Call<'_>, options: &ProcessOptions) -> anyhow::Result<pm2::Context> {
    let cwd = std::env::current_dir().context("there is no working directory")?;
    let mut context = pm2::Context::new(cwd, call.variables.clone(), call.place.homes());
    context.env_name = options.env_name().map(str::to_owned);
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let program = program.to_string_lossy().into_owned();
    context.serve = Some(vec![program, "static-server".to_owned()]);
    Ok(context)
}

/// The applications of a file, or of standard input where none is given, as the flags want them.
///
/// # Errors
/// What is wrong with the file.
pub fn declared(
    path: Option<&Path>,
    how: &How,
    context: &pm2::Context,
    call: &mut Call<'_>,
) -> anyhow::Result<Vec<App>> {
    let mut text = String::new();
    let source = match path {
        Some(path) => Source::File(path),
        None => {
            std::io::stdin().take(LONGEST_INPUT).read_to_string(&mut text)?;
            Source::Stdin(&text)
        }
    };
    let read = pm2::file::read(source, &Evaluate::default())?;
    for warning in &read.warnings {
        call.warn(warning)?;
    }
    let mut apps = read.apps;
    if !how.only.is_empty() {
        let mut kept = Vec::new();
        for app in apps {
            let name = app.full_name(context.env_name.as_deref())?;
            let wanted = |only: &String| *only == name || app.name.as_ref() == Some(only);
            if how.only.iter().any(wanted) {
                kept.push(app);
            }
        }
        apps = kept;
        if apps.is_empty() {
            bail!("the file declares none of {}", how.only.join(", "));
        }
    }
    Ok(apps)
}

/// What exists already, by name and instance.
#[derive(Debug, Default)]
pub struct Existing(BTreeMap<(String, u32), (u32, ProcessSpec)>);

impl Existing {
    /// All that the supervisor has.
    pub fn new(specs: Vec<(u32, ProcessSpec)>) -> Self {
        let keyed =
            specs.into_iter().map(|(id, spec)| ((spec.name.clone(), spec.instance), (id, spec)));
        Self(keyed.collect())
    }

    /// Those of a name.
    pub fn named(&self, name: &str) -> impl Iterator<Item = (u32, &ProcessSpec)> {
        let all = self.0.values().filter(move |(_, spec)| spec.name == name);
        all.map(|(id, spec)| (*id, spec))
    }

    /// The one of a name and instance.
    pub fn get(&self, spec: &ProcessSpec) -> Option<&(u32, ProcessSpec)> {
        self.0.get(&(spec.name.clone(), spec.instance))
    }

    /// The id that the next process gets.
    pub fn next_id(&self) -> u32 {
        self.0.values().map(|(id, _)| id + 1).max().unwrap_or(0)
    }

    /// The instance numbers in use, by name.
    pub fn taken(&self) -> BTreeMap<String, BTreeSet<u32>> {
        let mut taken: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        for (name, instance) in self.0.keys() {
            taken.entry(name.clone()).or_default().insert(*instance);
        }
        taken
    }
}

/// What is to be run.
#[derive(Debug, Default)]
pub struct Plan {
    /// To be started now.
    pub start: Vec<ProcessSpec>,
    /// To be added only.
    pub add: Vec<ProcessSpec>,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

/// Which processes the applications come to. One that exists keeps its place and, unless `update_env`, what it inherited; with
/// `always_new` all are further ones.
///
/// # Errors
/// The first application that makes no sense.
pub fn plan(
    apps: &[App],
    context: &pm2::Context,
    existing: &Existing,
    how: Further,
) -> anyhow::Result<Plan> {
    let mut plan = Plan::default();
    let mut context = context.clone();
    let mut next_id = existing.next_id();
    if how.always_new {
        context.taken = existing.taken();
    }
    for app in apps {
        let name = app.full_name(context.env_name.as_deref())?;
        let present = existing.named(&name).next().map(|(id, _)| id);
        context.first_id = present.filter(|_| !how.always_new).or(Some(next_id));
        let found = app.specs(&context)?;
        let taken = context.taken.entry(name).or_default();
        plan.warnings.extend(found.warnings);
        for mut spec in found.specs {
            taken.insert(spec.instance);
            match existing.get(&spec) {
                Some((_, old)) if !how.update_env => spec.base_env = Arc::clone(&old.base_env),
                Some(_) => {}
                None => next_id += 1,
            }
            if found.start { &mut plan.start } else { &mut plan.add }.push(spec);
        }
    }
    Ok(plan)
}

/// How a plan treats what exists.
#[derive(Clone, Copy, Debug, Default)]
pub struct Further {
    /// All are further processes.
    pub always_new: bool,
    /// What exists inherits the present shell's variables.
    pub update_env: bool,
}

/// Takes the environment that processes have in common out of them, so that it is sent once.
pub fn common_env(specs: &mut [ProcessSpec]) -> Env {
    let Some(common) = specs.first().map(|spec| Arc::clone(&spec.base_env)) else {
        return Env::new();
    };
    // An empty one would be taken for the common one.
    if specs.iter().any(|spec| spec.base_env.is_empty()) {
        return Env::new();
    }
    for spec in specs.iter_mut().filter(|spec| spec.base_env == common) {
        spec.base_env = Arc::default();
    }
    Env::clone(&common)
}

#[cfg(test)]
mod tests;
