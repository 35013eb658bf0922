//! `completion`, `man` and `schema`: what is generated from the tables, so that nothing is written twice.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Command};
use clap_complete::Shell;

use crate::screen::Screen;

#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// The shell [default: the one in SHELL]
    shell: Option<Shell>,
}

#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write all pages to this folder; without it the first page is printed
    dir: Option<PathBuf>,
}

/// Prints what makes a shell complete the commands.
///
/// # Errors
/// When no shell is named, or the output is gone.
pub fn completion(
    args: &CompletionArgs,
    mut tree: Command,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    let shell = args.shell.or_else(Shell::from_env).context("name a shell: bash, zsh or fish")?;
    let name = tree.get_name().to_owned();
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut tree, name, &mut text);
    screen.write(&String::from_utf8_lossy(&text))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the manual pages.
///
/// # Errors
/// When the folder or the output cannot be written to.
pub fn man(args: &ManArgs, tree: Command, screen: &mut Screen) -> anyhow::Result<ExitCode> {
    match &args.dir {
        Some(dir) => {
            let failed = || format!("cannot write to {}", dir.display());
            fs::create_dir_all(dir).with_context(failed)?;
            clap_mangen::generate_to(tree, dir).with_context(failed)?;
            screen.line(&format!("pages written to {}", dir.display()))?;
        }
        None => {
            let mut text = Vec::new();
            clap_mangen::Man::new(tree).render(&mut text)?;
            screen.write(&String::from_utf8_lossy(&text))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
