//! The small programs that the contenders run, compiled for this run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::cargo::require_c_compiler;
use crate::workspace::Workspace;

/// Where each program is.
pub struct Programs {
    /// Notes that it began, and sleeps.
    pub tiny: PathBuf,
    /// Writes lines when it is told to.
    pub writer: PathBuf,
    /// Starts many of the first, as fast as a program can.
    pub spawnloop: PathBuf,
}

impl Programs {
    /// Compiles the sources of `benches/supervisor` into `folder`.
    pub fn compile(workspace: &Workspace, folder: &Path) -> Result<Self> {
        require_c_compiler()?;
        let sources = workspace.root().join("benches").join("supervisor");
        let program = |name: &str| {
            let source = sources.join(name).with_extension("c");
            let program = folder.join(name);
            // Without a dynamic loader a process is there sooner and the supervisors' part of the
            // figures is larger; where there is no static C library, all have the loader's time.
            if !compile(&source, &program, &["-static"])? && !compile(&source, &program, &[])? {
                bail!("{} does not compile", source.display());
            }
            Ok(program)
        };
        Ok(Self {
            tiny: program("tiny")?,
            writer: program("writer")?,
            spawnloop: program("spawnloop")?,
        })
    }
}

/// Whether the compiler made the program. Its words are dropped: the second try would repeat them.
fn compile(source: &Path, program: &Path, flags: &[&str]) -> Result<bool> {
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut command = Command::new(&compiler);
    command.arg("-O2").args(flags).arg("-o").arg(program).arg(source);
    let status = command.stdin(Stdio::null()).stderr(Stdio::null()).status();
    Ok(status.with_context(|| format!("cannot run {}", compiler.display()))?.success())
}
