//! `set`, `get`, `conf`, `multiset` and `unset`: PM2's key store, `module_conf.json`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value};

use super::call::{Call, Output};
use super::how::How;
use super::options::ProcessOptions;
use super::restart::{self, Change};
use super::{apps, batch, durable};

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

/// Sets a key; without a value shows it. The application that it belongs to is restarted with it as a variable.
///
/// # Errors
/// When the file cannot be read or written, or the application cannot be restarted.
pub async fn set(args: &SetArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let (Some(key), Some(value)) = (&args.key, &args.value) else {
        return show(args.key.as_deref(), call);
    };
    change(call, |keys| put(keys, key, value))?;
    call.say(&format!("{key} is set"))?;
    refresh(&[key], call).await
}

/// Sets several keys.
///
/// # Errors
/// As [`set`].
pub async fn multiset(args: &MultisetArgs, call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let words: Vec<&str> = args.pairs.split_whitespace().collect();
    if words.len() % 2 == 1 {
        anyhow::bail!("give a value for each key; {} has none", words[words.len() - 1]);
    }
    change(call, |keys| words.chunks_exact(2).for_each(|pair| put(keys, pair[0], pair[1])))?;
    call.say(&format!("{} keys are set", words.len() / 2))?;
    refresh(&words.iter().copied().step_by(2).collect::<Vec<_>>(), call).await
}

/// Restarts the applications that keys belong to, with all their keys as variables.
async fn refresh(keys: &[&str], call: &mut Call<'_>) -> anyhow::Result<ExitCode> {
    let apps: BTreeSet<&str> = keys.iter().filter_map(|key| Some(split(key)?.0)).collect();
    let client = call.client()?;
    let stored = read(&call.place.key_store())?;
    for app in apps {
        let rows = call.rows(&client).await?;
        let ids: Vec<u32> = rows.iter().filter(|row| row.name == app).map(|row| row.id).collect();
        if ids.is_empty() {
            continue;
        }
        let mut options = ProcessOptions::default();
        options.env = variables(&stored, app);
        let flags = apps::flags(&options, &[])?;
        let change = Change { flags: &flags, options: &options, how: &How::default() };
        let outcome = restart::several(&ids, &rows, &change, &client, call).await?;
        batch::tell(call, "restarted", &outcome)?;
    }
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

/// The keys of one application as `KEY=VALUE`.
fn variables(keys: &Keys, app: &str) -> Vec<String> {
    let Some(Value::Object(of_app)) = keys.get(app) else { return Vec::new() };
    of_app.iter().map(|(key, value)| format!("{key}={}", text(value))).collect()
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
