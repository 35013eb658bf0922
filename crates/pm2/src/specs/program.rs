//! What is executed.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::Wrong;
use super::context::Context;
use super::environment::Composed;
use super::interpreter::{self, NONE};
use crate::app::App;

/// A script with what runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    /// The script, absolute.
    pub(super) script: PathBuf,
    /// What runs it, or [`NONE`].
    pub(super) interpreter: String,
    /// The interpreter's arguments.
    pub(super) interpreter_args: Vec<String>,
    /// The script's arguments.
    pub(super) args: Vec<String>,
}

impl Program {
    /// The argument vector.
    pub(super) fn command(&self) -> Vec<String> {
        let script = self.script.to_string_lossy().into_owned();
        let mut command = Vec::with_capacity(2 + self.interpreter_args.len() + self.args.len());
        if self.interpreter != NONE {
            command.push(self.interpreter.clone());
            command.extend_from_slice(&self.interpreter_args);
        }
        command.push(script);
        command.extend_from_slice(&self.args);
        command
    }

    /// The interpreter without its path.
    pub(super) fn interpreter_name(&self) -> &str {
        self.interpreter.rsplit('/').next().unwrap_or(&self.interpreter)
    }
}

/// Finds the script and its interpreter.
pub(super) fn resolve(
    app: &App,
    context: &Context,
    cwd: &Path,
    env: &Composed,
) -> Result<Program, Wrong> {
    let script = app.script.as_deref().unwrap_or_default();
    if script.trim().is_empty() {
        return Err(("script", "is missing: there is nothing to run".to_owned()));
    }
    let args = app.args.clone().unwrap_or_default().0;
    let at = context.absolute(cwd, script);
    let path = env.get("PATH").unwrap_or_default();
    let named = at.is_file().then_some(at);
    if named.is_none() {
        if let (Some(serve), "serve") = (&context.serve, script) {
            return served(serve, args);
        }
        if script.contains(' ') {
            return shell(script, &path);
        }
    }
    let script = named.or_else(|| in_path(script, &path)).ok_or_else(|| {
        let at = context.absolute(cwd, script);
        let at = at.display();
        ("script", format!("{at} is no file, and PATH has no command {script:?}"))
    })?;
    let interpreter_args = app.node_args.clone().unwrap_or_default().0;
    let interpreter = match app.interpreter.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => interpreter::named(name, &path, env.get("NVM_DIR").as_deref())?,
        None => interpreter::of(&script, &path)?,
    };
    Ok(Program { script, interpreter, interpreter_args, args })
}

/// A line for the shell, which only an operator can write: PM2's `start "a | b"`.
fn shell(line: &str, path: &str) -> Result<Program, Wrong> {
    let shell = in_path("bash", path).or_else(|| in_path("sh", path));
    let script = shell.ok_or_else(|| {
        ("script", format!("{line:?} has a space and no such file exists; PATH has no bash for it"))
    })?;
    let args = vec!["-c".to_owned(), line.to_owned()];
    Ok(Program { script, interpreter: NONE.to_owned(), interpreter_args: Vec::new(), args })
}

/// Our own static file server.
fn served(serve: &[String], more: Vec<String>) -> Result<Program, Wrong> {
    let missing = || ("script", "there is no command that serves files".to_owned());
    let (script, args) = serve.split_first().ok_or_else(missing)?;
    let args = args.iter().cloned().chain(more).collect();
    let interpreter = NONE.to_owned();
    Ok(Program { script: PathBuf::from(script), interpreter, interpreter_args: Vec::new(), args })
}

/// The first executable file of this name in a `PATH`.
pub(super) fn in_path(name: &str, path: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return None;
    }
    let folders = path.split(':').filter(|folder| folder.starts_with('/'));
    folders.map(|folder| Path::new(folder).join(name)).find(|file| is_executable(file))
}

/// Whether it is a file that somebody may execute.
pub(super) fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
