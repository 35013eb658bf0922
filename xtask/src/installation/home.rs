//! A task's own home: a folder that nothing else may be in.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::leftovers;

/// Marks a folder as a task's home, which may therefore be emptied; locked while a task uses it.
const MARK: &str = ".tenantry-demo";

/// A home that is locked for this run.
pub struct Home {
    path: PathBuf,
    /// Held for its lock.
    _lock: File,
}

impl Home {
    /// Makes or takes over the home at `path`. What an earlier run left running there is ended;
    /// what it left in the folder is deleted unless `keep`.
    ///
    /// A folder with contents but without the mark is somebody else's and refused.
    pub fn claim(path: &Path, keep: bool) -> Result<Self> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(path).with_context(|| format!("cannot make {}", path.display()))?;
        let path = path.canonicalize()?;
        let mark = path.join(MARK);
        if !mark.exists() && std::fs::read_dir(&path)?.next().is_some() {
            bail!(
                "{} is not empty and no run of this made it; choose another folder",
                path.display()
            );
        }
        let lock = OpenOptions::new().create(true).append(true).open(&mark)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another run uses {}; end it or choose another folder", path.display())
            }
            Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the home"),
        }
        leftovers::end(&path)?;
        if !keep {
            empty(&path)?;
        }
        std::fs::create_dir_all(path.join("demo"))?;
        Ok(Self { path, _lock: lock })
    }

    /// The folder, absolute; `TENANTRY_HOME` of everything in it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file of the task itself, apart from what the programs keep in their home.
    pub fn own(&self, name: &str) -> PathBuf {
        self.path.join("demo").join(name)
    }

    /// The session folder of the tenant with this id.
    pub fn session(&self, tenant: &str) -> PathBuf {
        self.path.join("sessions").join(tenant)
    }
}

/// Deletes everything in a marked folder but the mark.
fn empty(home: &Path) -> Result<()> {
    for entry in std::fs::read_dir(home)? {
        let entry = entry?;
        if entry.file_name() == MARK {
            continue;
        }
        let deleted = if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())
        } else {
            std::fs::remove_file(entry.path())
        };
        deleted.with_context(|| format!("cannot delete {}", entry.path().display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Home;

    #[test]
    fn a_home_begins_afresh_unless_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("home");
        drop(Home::claim(&path, false).unwrap());
        std::fs::write(path.join("tenantry.db"), "old").unwrap();
        drop(Home::claim(&path, true).unwrap());
        assert!(path.join("tenantry.db").exists());
        drop(Home::claim(&path, false).unwrap());
        assert!(!path.join("tenantry.db").exists());
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("letter"), "dear").unwrap();
        assert!(Home::claim(folder.path(), false).is_err());
        assert!(folder.path().join("letter").exists());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn two_runs_cannot_share_a_home() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("home");
        let first = Home::claim(&path, false).unwrap();
        assert!(Home::claim(&path, false).is_err());
        drop(first);
        assert!(Home::claim(&path, false).is_ok());
    }
}
