//! Where the repository is and which files belong to it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

/// Folders that hold what tools made; skipped where Git cannot tell.
const MADE_BY_TOOLS: [&str; 4] = ["target", "node_modules", "dist", ".git"];

/// The repository's root.
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The workspace whose `xtask` this is.
    pub fn locate() -> Result<Self> {
        // Cargo names the manifest's folder when it runs a program; the other is where it was built.
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().context("the xtask folder has no parent folder")?;
        anyhow::ensure!(
            root.join("Cargo.toml").is_file(),
            "no Cargo.toml in {}: call `cargo xtask` inside the repository",
            root.display()
        );
        Ok(Self { root: root.to_path_buf() })
    }

    /// The root folder, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Every file of the repository, relative to the root and sorted: tracked ones and new ones
    /// that are not ignored. Without Git (an unpacked archive) every file but what tools make.
    pub fn files(&self) -> Result<Vec<String>> {
        let mut files = match self.files_known_to_git() {
            Some(files) => files,
            None => {
                let mut files = Vec::new();
                walk(&self.root, &self.root, &mut files)?;
                files
            }
        };
        files.retain(|file| self.root.join(file).is_file());
        files.sort();
        files.dedup();
        Ok(files)
    }

    fn files_known_to_git(&self) -> Option<Vec<String>> {
        let output = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&self.root)
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        let names = String::from_utf8_lossy(&output.stdout);
        Some(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }
}

/// Adds every file below `folder` to `files`, relative to `root`.
fn walk(root: &Path, folder: &Path, files: &mut Vec<String>) -> Result<()> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        let made = MADE_BY_TOOLS.iter().any(|name| entry.file_name() == *name);
        if entry.file_type()?.is_dir() && !made {
            walk(root, &path, files)?;
        } else if let (true, Ok(inside)) = (entry.file_type()?.is_file(), path.strip_prefix(root)) {
            files.push(inside.to_string_lossy().into_owned());
        }
    }
    Ok(())
}
