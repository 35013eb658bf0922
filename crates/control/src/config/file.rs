//! The settings file: `tenantry.toml`, one `key = value` per line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{KEYS, Key};
use super::mistake::{Mistake, Source};

/// How alike two names must be to take one for a misspelling of the other (0 to 1, Jaro–Winkler).
const ALIKE: f64 = 0.8;

/// A value of the file, still as text.
pub(super) struct Entry {
    pub(super) text: String,
    pub(super) source: Source,
}

/// The file's values by key, and every mistake in it.
pub(super) fn read(path: &Path, text: &str) -> (BTreeMap<&'static str, Entry>, Vec<Mistake>) {
    let mut mistakes = Vec::new();
    let mut entries = BTreeMap::new();
    let at = |offset: usize| Source::File {
        path: PathBuf::from(path),
        line: Some(text.get(..offset).unwrap_or(text).matches('\n').count() + 1),
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        mistakes.push(Mistake {
            key: "settings file".to_owned(),
            source: at(error.span().map_or(0, |span| span.start)),
            problem: format!("is not TOML: {}", error.message().replace('\n', ", ")),
            remedy: "write one setting per line, as in port = 7700 or log_level = \"info\""
                .to_owned(),
        });
    }
    for (name, value) in table.get_ref() {
        let source = at(name.span().start);
        match entry(name.get_ref(), value, source) {
            Ok((key, entry)) => drop(entries.insert(key.name, entry)),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    (entries, mistakes)
}

fn entry(
    name: &str,
    value: &Spanned<DeValue<'_>>,
    source: Source,
) -> Result<(&'static Key, Entry), Mistake> {
    let refuse = |problem: &str, remedy: String| Mistake {
        key: name.to_owned(),
        source: source.clone(),
        problem: problem.to_owned(),
        remedy,
    };
    let Some(key) = KEYS.iter().find(|key| key.name == name) else {
        let remedy = match nearest(name) {
            Some(near) => format!("did you mean {near}?"),
            None => "remove it; `tenantry config` lists all settings".to_owned(),
        };
        return Err(refuse("there is no such setting", remedy));
    };
    if !key.in_file {
        return Err(refuse(
            "cannot be set in the file, which is found through it",
            format!("set {} or give --{} instead", key.env, key.flag()),
        ));
    }
    let text = match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
        DeValue::Integer(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            let remedy = format!("write a text, a decimal number, true or false: {}", key.doc);
            return Err(refuse("is not a single value", remedy));
        }
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(flag) => flag.to_string(),
    };
    Ok((key, Entry { text, source }))
}

/// The key that a name was probably meant to be, be it a key or the name of its variable.
fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    KEYS.iter()
        .filter(|key| key.in_file)
        .map(|key| {
            let by_env = strsim::jaro_winkler(&name, &key.env.to_ascii_lowercase());
            (strsim::jaro_winkler(&name, key.name).max(by_env), key.name)
        })
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name)
}
