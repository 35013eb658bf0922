//! `set`, `get`, `conf`, `multiset` and `unset`: PM2's key store, `module_conf.json`.

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value};

use super::call::{Call, Output};
use super::durable;

#[derive(Debug, Args)]
pub struct SetArgs {
    /// The key; `a.b` and `a:b` are the key `b` of `a`
    key: Option<String>,
    /// Its value
    value: Option<String>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct MultisetArgs {
    /// Keys and values in turn, with spaces between them
    pairs: String,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct GetArgs {
    /// The key; all of them without it
    key: Option<String>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct UnsetArgs {
    /// The key, or `all`
    key: String,
    #[command(flatten)]
    pub output: Output,
}

type Keys = Map<String, Value>;

/// Sets a key; without a value shows it.
///
/// # Errors
/// When the file cannot be read or written.
pub fn set(args: &SetArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let (Some(key), Some(value)) = (&args.key, &args.value) else {
        return show(args.key.as_deref(), call);
    };
    change(call, |keys| put(keys, key, value))?;
    call.say(&format!("{key} is set"))?;
    Ok(ExitCode::SUCCESS)
}

/// Sets several keys.
///
/// # Errors
/// As [`set`].
pub fn multiset(args: &MultisetArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let words: Vec<&str> = args.pairs.split_whitespace().collect();
    change(call, |keys| {
        for pair in words.chunks_exact(2) {
            put(keys, pair[0], pair[1]);
        }
    })?;
    call.say(&format!("{} keys are set", words.len() / 2))?;
    Ok(ExitCode::SUCCESS)
}

/// Shows a key, or all of them.
///
/// # Errors
/// As [`set`].
pub fn get(args: &GetArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    show(args.key.as_deref(), call)
}

/// Removes a key, or all of them.
///
/// # Errors
/// As [`set`].
pub fn unset(args: &UnsetArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    change(call, |keys| remove(keys, &args.key))?;
    call.say(&format!("{} is unset", args.key))?;
    Ok(ExitCode::SUCCESS)
}

/// The keys of one application as variables.
///
/// # Errors
/// When the file cannot be read.
pub fn variables(path: &Path, app: &str) -> anyhow::Result<Vec<(String, String)>> {
    let keys = read(path)?;
    let Some(Value::Object(of_app)) = keys.get(app) else { return Ok(Vec::new()) };
    Ok(of_app.iter().map(|(key, value)| (key.clone(), text(value))).collect())
}

/// The application that a key belongs to, if it belongs to one.
pub fn application(key: &str) -> Option<&str> {
    split(key).map(|(app, _)| app)
}

fn show(key: Option<&str>, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let keys = read(&call.place.key_store())?;
    let found = match key {
        None => Some(Value::Object(keys)),
        Some(key) => find(&keys, key).cloned(),
    };
    match found {
        Some(Value::Object(keys)) if !call.output.json => {
            for (key, value) in keys {
                call.screen.line(&format!("{key}: {}", text(&value)))?;
            }
        }
        Some(value) if !call.output.json => call.screen.line(&text(&value))?,
        Some(value) => call.screen.json(&value)?,
        None => return Ok(ExitCode::FAILURE),
    }
    Ok(ExitCode::SUCCESS)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn split(key: &str) -> Option<(&str, &str)> {
    let (app, name) = key.split_once(['.', ':'])?;
    (!app.is_empty() && !name.is_empty()).then_some((app, name))
}

fn put(keys: &mut Keys, key: &str, value: &str) {
    let Some((app, name)) = split(key) else {
        keys.insert(key.to_owned(), value.into());
        return;
    };
    let of_app = keys.entry(app).or_insert_with(|| Value::Object(Map::new()));
    if !of_app.is_object() {
        *of_app = Value::Object(Map::new());
    }
    if let Value::Object(of_app) = of_app {
        of_app.insert(name.to_owned(), value.into());
    }
}

fn find<'a>(keys: &'a Keys, key: &str) -> Option<&'a Value> {
    let inner = split(key).and_then(|(app, name)| keys.get(app)?.get(name));
    inner.or_else(|| keys.get(key))
}

fn remove(keys: &mut Keys, key: &str) {
    if key == "all" {
        keys.clear();
    } else if let Some((app, name)) = split(key)
        && let Some(Value::Object(of_app)) = keys.get_mut(app)
    {
        of_app.remove(name);
    } else {
        keys.remove(key);
    }
}

fn read(path: &Path) -> anyhow::Result<Keys> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged; correct or remove it", path.display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Keys::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn change(call: &Call<'_>, edit: impl FnOnce(&mut Keys)) -> anyhow::Result<()> {
    let path = call.place.key_store();
    let mut keys = read(&path)?;
    edit(&mut keys);
    durable::write(&path, serde_json::to_string_pretty(&keys)?.as_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Keys, find, put, remove};

    #[test]
    fn keys_may_belong_to_an_application() {
        let mut keys = Keys::new();
        put(&mut keys, "plain", "1");
        put(&mut keys, "echo.level", "debug");
        put(&mut keys, "echo:port", "80");
        assert_eq!(json!(keys), json!({"plain": "1", "echo": {"level": "debug", "port": "80"}}));
        assert_eq!(find(&keys, "echo.level"), Some(&json!("debug")));
        assert_eq!(find(&keys, "plain"), Some(&json!("1")));
        assert_eq!(find(&keys, "nothing.here"), None);
        remove(&mut keys, "echo.level");
        remove(&mut keys, "plain");
        assert_eq!(json!(keys), json!({"echo": {"port": "80"}}));
        remove(&mut keys, "echo");
        put(&mut keys, "a", "b");
        put(&mut keys, "a.b", "c");
        assert_eq!(json!(keys), json!({"a": {"b": "c"}}));
        remove(&mut keys, "all");
        assert_eq!(keys, Keys::new());
    }
}
