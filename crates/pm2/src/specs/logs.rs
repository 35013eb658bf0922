//! Where output goes.

use std::path::{Path, PathBuf};

use supervisor::wire::{LogType, NO_LOG, ProcessSpec};

use super::context::Context;
use crate::app::App;
use crate::value::LogFile;

/// The format that `time: true` stands for.
const TIME: &str = "YYYY-MM-DDTHH:mm:ss";

/// Gives one instance its log files.
pub(super) fn assign(
    app: &App,
    context: &Context,
    name: &str,
    cwd: &Path,
    id: u32,
    spec: &mut ProcessSpec,
) {
    // As PM2 has it: the number of the process is left out unless there are declared instances.
    let merged = app.merge_logs.unwrap_or(app.instances.is_none());
    let place = |path: PathBuf| if merged { path } else { numbered(&path, id) };
    let usual = |kind: &str| context.homes.logs.join(format!("{}{kind}.log", file_name(name)));
    let file = |given: Option<&str>, kind: &str| match given {
        Some(path) if is_nowhere(path) => PathBuf::from(NO_LOG),
        Some(path) if !path.is_empty() => place(context.absolute(cwd, path)),
        Some(_) | None => place(usual(kind)),
    };
    let out = file(app.out_file.as_deref(), "-out");
    let error = file(app.error_file.as_deref(), "-error");
    let both = match &app.log_file {
        None | Some(LogFile::Off) => None,
        Some(LogFile::Usual) => Some(file(None, "")),
        Some(LogFile::Path(path)) if is_nowhere(path) => None,
        Some(LogFile::Path(path)) => Some(file(Some(path), "")),
    };
    if app.disable_logs == Some(true) {
        (spec.out_file, spec.error_file, spec.log_file) = (NO_LOG.into(), None, None);
    } else {
        // One pipe for both keeps the order of lines.
        spec.error_file = (error != out).then_some(error);
        spec.out_file = out;
        spec.log_file = both;
    }
    // A name without `.log` has no place for the number: PM2's processes share such a file.
    let shared = |path: &Path| path.extension().is_none_or(|extension| extension != "log");
    spec.merge_logs = merged || spec.log_files().any(shared);
    format(app, spec);
}

fn format(app: &App, spec: &mut ProcessSpec) {
    spec.log_type = app.log_type.unwrap_or(LogType::Raw);
    spec.log_date_format = match app.time {
        Some(true) => Some(TIME.to_owned()),
        Some(false) | None => app.log_date_format.clone().filter(|format| !format.is_empty()),
    };
    if let Some(size) = app.log_max_size {
        spec.log_max_bytes = size.0;
    }
    if let Some(age) = app.log_max_age {
        spec.log_max_age_ms = age.0;
    }
    if let Some(keep) = app.log_keep {
        spec.log_keep = keep;
    }
    if let Some(age) = app.log_retention {
        spec.log_retention_ms = age.0;
    }
    spec.log_compress = app.log_compress.unwrap_or(true);
}

fn is_nowhere(path: &str) -> bool {
    path == "NULL" || path == NO_LOG
}

/// A name as PM2 has it in file names.
pub(crate) fn file_name(name: &str) -> String {
    let kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '\\' | '-');
    name.chars().map(|c| if kept(c) { c } else { '-' }).collect()
}

/// `x.log` → `x-3.log`, and `x-1.log` too. What does not end in `.log` stays as it is.
pub(crate) fn numbered(path: &Path, id: u32) -> PathBuf {
    numbered_as(path, id, ".log")
}

/// The same for any extension.
pub(crate) fn numbered_as(path: &Path, id: u32, extension: &str) -> PathBuf {
    let text = path.to_string_lossy();
    let Some(stem) = text.strip_suffix(extension) else { return path.to_owned() };
    let digits = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    let stem = match digits.strip_suffix('-') {
        Some(bare) if digits.len() < stem.len() => bare,
        Some(_) | None => stem,
    };
    PathBuf::from(format!("{stem}-{id}{extension}"))
}
