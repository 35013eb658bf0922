//! Finds the file to execute, and checks what would make the execution fail.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::SpawnError;
use crate::spec::ProcessSpec;

/// The program's file.
pub(crate) fn resolve(spec: &ProcessSpec) -> Result<PathBuf, SpawnError> {
    let program = spec.command.first().map_or("", String::as_str);
    let cwd_error = |reason: String| SpawnError::Cwd {
        program: program.to_owned(),
        cwd: spec.cwd.clone(),
        reason,
    };
    match std::fs::metadata(&spec.cwd) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(cwd_error("it is not a directory".to_owned())),
        Err(error) => return Err(cwd_error(error.to_string())),
    }
    let failed = |reason: String| SpawnError::Program { program: program.to_owned(), reason };
    if program.contains('/') {
        let path = spec.cwd.join(program);
        return match executable(&path) {
            Ok(()) => Ok(path),
            Err(reason) => Err(failed(reason)),
        };
    }
    let Some(search) = spec.variable("PATH") else {
        return Err(failed("its path is not absolute, and its environment has no PATH".to_owned()));
    };
    let mut refusal = None;
    for folder in std::env::split_paths(OsStr::new(search)) {
        let path = spec.cwd.join(folder).join(program);
        match executable(&path) {
            Ok(()) => return Ok(path),
            Err(reason) if path.exists() => {
                refusal.get_or_insert(format!("{}: {reason}", path.display()));
            }
            Err(_) => {}
        }
    }
    Err(failed(refusal.unwrap_or_else(|| format!("not found in PATH ({search})"))))
}

fn executable(path: &Path) -> Result<(), String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a file".to_owned());
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        return Err("it is not executable".to_owned());
    }
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).map_err(|errno| errno.to_string())
}
