//! The environment of a process.

use std::sync::Arc;

use serde_json::{Value, json};
use supervisor::wire::{Env, ProcessSpec};

use super::context::Context;
use super::label;
use super::limits::User;
use super::program::Program;
use crate::app::App;
use crate::value::{FilterEnv, Variables, text_of};

/// Variables of PM2's own that are secret whether or not their author says so.
const ALWAYS_SECRET: [&str; 1] = ["PM2_SERVE_BASIC_AUTH_PASSWORD"];

/// What all instances of an app have in common.
pub(super) struct Composed {
    /// What is inherited.
    pub(super) base: Arc<Env>,
    /// What is declared.
    pub(super) own: Variables,
}

impl Composed {
    /// A variable as the process will see it.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        match self.own.0.get(name) {
            Some(value) => text_of(value),
            None => self.base.get(name).cloned(),
        }
    }
}

/// Puts the layers of an app's environment on top of each other.
pub(super) fn compose(app: &App, context: &Context, warnings: &mut Vec<String>) -> Composed {
    let mut own = app.env.clone().unwrap_or_default();
    if let Some(selected) = &context.env_name {
        match app.env_named.get(selected) {
            Some(variables) => own.0.extend(variables.0.clone()),
            // `restart --env NAME` concerns apps without any environment to select, too.
            None if app.env_named.is_empty() => {}
            None => {
                warnings.push(format!("env_{selected} is not declared; its variables are not set"))
            }
        }
    }
    if let Some(port) = app.port {
        own.0.insert("PORT".to_owned(), json!(port));
    }
    let base = inherited(app.filter_env.as_ref(), &own, &context.env);
    own.0.retain(|_, value| !value.is_null());
    Composed { base, own }
}

/// The caller's environment, shared unless something must be taken out of it.
fn inherited(filter: Option<&FilterEnv>, own: &Variables, caller: &Arc<Env>) -> Arc<Env> {
    let kept = |name: &String| {
        let taken_away = own.0.get(name).is_some_and(Value::is_null);
        !taken_away
            && match filter {
                None | Some(FilterEnv::Off) => true,
                Some(FilterEnv::All) => false,
                Some(FilterEnv::Named(one)) => name != one,
                Some(FilterEnv::Containing(parts)) => {
                    !parts.iter().any(|part| name.contains(part.as_str()))
                }
            }
    };
    if caller.keys().all(kept) {
        return Arc::clone(caller);
    }
    let rest = caller.iter().filter(|(name, _)| kept(name));
    Arc::new(rest.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Adds what the program needs.
pub(super) fn with_program(mut composed: Composed, program: &Program) -> Composed {
    // Python holds back what it writes to a pipe.
    if program.interpreter.contains("python") {
        composed.own.set("PYTHONUNBUFFERED", "1");
    }
    composed
}

/// Gives one instance its environment.
pub(super) fn assign(
    app: &App,
    context: &Context,
    composed: &Composed,
    user: &User,
    instance: u32,
    spec: &mut ProcessSpec,
) {
    let mut own = composed.own.clone();
    own.set("PM2_HOME", &context.homes.home.to_string_lossy());
    if let Some(home) = &user.home {
        own.set("HOME", home);
    }
    if let Some(name) = &app.increment_var {
        let first = own.0.get(name).and_then(text_of).and_then(|text| text.trim().parse().ok());
        let number = first.unwrap_or(0i64).saturating_add(i64::from(instance));
        own.0.insert(name.clone(), json!(number));
    }
    own.0.insert(context.instance_var(app).to_owned(), json!(instance));
    let typed: Vec<&String> =
        own.0.iter().filter(|(_, value)| is_scalar(value)).map(|(name, _)| name).collect();
    spec.labels.insert(label::TYPED_ENV.to_owned(), json!(typed).to_string());
    let own = own.0.iter().filter_map(|(name, value)| Some((name.clone(), text_of(value)?)));
    spec.env = own.collect();
    spec.base_env = Arc::clone(&composed.base);
    let secret = app.secret_env.iter().flat_map(|names| &names.0).map(String::as_str);
    let set = secret.chain(ALWAYS_SECRET).filter(|name| spec.variable(name).is_some());
    spec.secret_env = set.map(str::to_owned).collect();
}

/// Whether lists show the value without quotes.
fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::Number(_) | Value::Bool(_))
}
