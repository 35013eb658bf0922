//! Files of declarations: PM2's ecosystem files and our own in TOML.

mod evaluate;
mod format;
mod root;

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::app::App;

use evaluate::Code;
pub use evaluate::Evaluate;
pub use format::Format;

/// Where declarations come from.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// A file, absolute or relative to the process's working directory.
    File(&'a Path),
    /// Text from standard input, JSON as PM2 reads it.
    Stdin(&'a str),
}

/// What a file has.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Declarations {
    /// The applications, in the file's order.
    pub apps: Vec<App>,
    /// What the user should know: unknown fields, fields without effect.
    pub warnings: Vec<String>,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("{path}: {why}")]
    Read {
        /// The file.
        path: String,
        /// Why not.
        why: std::io::Error,
    },
    /// It is larger than any list of applications.
    #[error("{0}: is larger than {LARGEST} bytes")]
    TooLarge(String),
    /// Its name has none of the known endings.
    #[error(
        "{0}: is no file of declarations; their names end in .json, .yml, .yaml, .toml, .config.js, .config.cjs or .config.mjs"
    )]
    Format(String),
    /// It breaks the rules of its format.
    #[error("{path}: {why}")]
    Syntax {
        /// The file.
        path: String,
        /// What is wrong, with the place where that is known.
        why: String,
    },
    /// It is JavaScript, and there is no Node to evaluate it.
    #[error(
        "{path}: is JavaScript, which needs node, but {node} cannot be run: {why}; install Node.js, or write the file in JSON, YAML or TOML"
    )]
    NoNode {
        /// The file.
        path: String,
        /// What was to be run.
        node: String,
        /// Why not.
        why: std::io::Error,
    },
    /// Evaluating it failed.
    #[error("{path}: node could not evaluate it: {why}")]
    Evaluate {
        /// The file.
        path: String,
        /// What Node said.
        why: String,
    },
    /// What it declares makes no sense. All of it is listed.
    #[error("{path}: {}", Listed(problems))]
    Invalid {
        /// The file.
        path: String,
        /// Each names the application and the field.
        problems: Vec<String>,
    },
}

/// The largest file that is read.
const LARGEST: u64 = 16 << 20;

struct Listed<'a>(&'a [String]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [one] => f.write_str(one),
            all => all.iter().try_for_each(|problem| write!(f, "\n  {problem}")),
        }
    }
}

/// Reads all declarations.
///
/// # Errors
/// The file cannot be read, or is wrong; then everything that is wrong with it is listed.
pub fn read(source: Source<'_>, evaluate: &Evaluate) -> Result<Declarations, FileError> {
    let (format, shown, path) = match source {
        Source::Stdin(_) => (Format::Json, "standard input".to_owned(), None),
        Source::File(path) => {
            let shown = path.display().to_string();
            let format = Format::of(path).ok_or_else(|| FileError::Format(shown.clone()))?;
            (format, shown, Some(path))
        }
    };
    let (value, evaluated) = match (format, source) {
        (_, Source::Stdin(text)) => (format::parse(format, text, &shown)?, false),
        (Format::JavaScript, Source::File(path)) => {
            (evaluate::run(path, Code::Module, &shown, evaluate)?, false)
        }
        (Format::Json, Source::File(path)) => json_of(path, &shown, evaluate)?,
        (_, Source::File(path)) => (format::parse(format, &text_of(path, &shown)?, &shown)?, false),
    };
    let file = path.map(|path| std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path)));
    let mut found = root::declarations(&value, format, &shown, file.as_deref())?;
    if evaluated {
        let told = "is no JSON: node evaluated it as JavaScript, as PM2 does; call it .config.js";
        found.warnings.insert(0, format!("{shown}: {told}"));
    }
    Ok(found)
}

/// A `.json` file, and whether it took Node to read it: PM2 takes such a file for a JavaScript expression. What makes no sense
/// as that either is told as the mistake in JSON that it most likely is.
fn json_of(path: &Path, shown: &str, evaluate: &Evaluate) -> Result<(Value, bool), FileError> {
    let wrong = match format::parse(Format::Json, &text_of(path, shown)?, shown) {
        Ok(value) => return Ok((value, false)),
        Err(wrong) => wrong,
    };
    match evaluate::run(path, Code::Expression, shown, evaluate) {
        Ok(value @ (Value::Array(_) | Value::Object(_))) => Ok((value, true)),
        Ok(_) | Err(_) => Err(wrong),
    }
}

fn text_of(path: &Path, shown: &str) -> Result<String, FileError> {
    let failed = |why| FileError::Read { path: shown.to_owned(), why };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut text = String::new();
    let size = file.take(LARGEST + 1).read_to_string(&mut text).map_err(failed)?;
    if size as u64 > LARGEST {
        return Err(FileError::TooLarge(shown.to_owned()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
