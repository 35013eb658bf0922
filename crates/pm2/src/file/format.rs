//! The formats of files.

use std::path::Path;

use serde_json::Value;

use super::FileError;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON; comments and plain keys are allowed.
    Json,
    /// YAML.
    Yaml,
    /// A JavaScript module; Node evaluates it.
    JavaScript,
    /// TOML, our own: unknown fields are errors.
    Toml,
}

/// What a name must contain, as PM2 has it: `app.json.bak` is JSON, too.
const MARKS: [(&str, Format); 6] = [
    (".json", Format::Json),
    (".yml", Format::Yaml),
    (".yaml", Format::Yaml),
    (".config.js", Format::JavaScript),
    (".config.cjs", Format::JavaScript),
    (".config.mjs", Format::JavaScript),
];

impl Format {
    /// The format that a file's name shows; `None` for a name that is no declaration file's.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        if name.ends_with(".toml") {
            return Some(Self::Toml);
        }
        MARKS.iter().find(|(mark, _)| name.contains(mark)).map(|(_, format)| *format)
    }
}

/// Reads a text. A JavaScript module is not one of those.
pub(super) fn parse(format: Format, text: &str, shown: &str) -> Result<Value, FileError> {
    let failed = |why: String| FileError::Syntax { path: shown.to_owned(), why };
    match format {
        Format::Json => json(text).map_err(failed),
        Format::Yaml => serde_saphyr::from_str(text).map_err(|why| failed(why.to_string())),
        Format::Toml => toml::from_str(text).map_err(|why| failed(why.to_string())),
        Format::JavaScript => Err(failed("must be evaluated by node".to_owned())),
    }
}

/// JSON, else JSON5. What is wrong is said by the one that got further, which for a mistake in plain JSON is either.
fn json(text: &str) -> Result<Value, String> {
    let text = text.trim_start_matches('\u{feff}');
    let strict = match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(strict) => strict,
    };
    json5::from_str(text)
        .map_err(|lenient| if strict.is_eof() { strict.to_string() } else { lenient.to_string() })
}
