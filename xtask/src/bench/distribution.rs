//! Programs from the distribution's packages.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

/// Where a program is that may be called by its name alone.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Installs a package, which is possible for root alone. Only for one that starts no service.
pub fn install(package: &str) -> Result<()> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "it is not installed; `sudo apt-get install {package}` does it"
    );
    let options = ["install", "--yes", "--no-install-recommends", package];
    apt(Command::new("apt-get").args(options)).with_context(|| format!("cannot install {package}"))
}

/// Unpacks a package into `folder` without installing it, so that no service of it is started. The
/// packages that it needs must be there.
pub fn unpack(package: &str, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    apt(Command::new("apt-get").args(["download", package]).current_dir(folder))
        .with_context(|| format!("cannot download {package}"))?;
    let is_package = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "deb");
    let files = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let archive = files.collect::<Result<Vec<_>>>()?.into_iter().find(is_package);
    let archive = archive.with_context(|| format!("apt-get downloaded no {package}"))?;
    said(Command::new("dpkg-deb").arg("--extract").arg(archive).arg(folder)).map(|_| ())
}

/// Runs apt-get; once more with fresh lists of packages, should it fail.
fn apt(command: &mut Command) -> Result<()> {
    command.env("DEBIAN_FRONTEND", "noninteractive");
    if said(command).is_ok() {
        return Ok(());
    }
    // Without them, or without root, the second try names the reason.
    let _ = said(Command::new("apt-get").arg("update"));
    said(command).map(|_| ())
}

/// What a command says on stdout; its failure is an error with what it says on stderr.
pub fn said(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {name}"))?;
    if !output.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
