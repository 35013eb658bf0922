//! The demo's own home: a folder that nothing else may be in.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::leftovers;

/// Marks a folder as a demo's home, which may therefore be emptied; locked while a demo uses it.
const MARK: &str = ".tenantry-demo";

/// A home that is locked for this run.
pub struct DemoHome {
    path: PathBuf,
    /// Held for its lock.
    _lock: File,
}

impl DemoHome {
    /// Makes or takes over the home at `path`. What an earlier demo left running there is ended;
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
            bail!("{} is not empty and no demo made it; choose another --home", path.display());
        }
        let lock = OpenOptions::new().create(true).append(true).open(&mark)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another demo runs in {}; end it or choose another --home", path.display())
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

    /// The folder, absolute; `TENANTRY_HOME` of everything in the demo.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file of the demo itself, apart from what the programs keep in their home.
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
    use super::DemoHome;

    #[test]
    fn a_home_begins_afresh_unless_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("home");
        drop(DemoHome::claim(&path, false).unwrap());
        std::fs::write(path.join("tenantry.db"), "old").unwrap();
        drop(DemoHome::claim(&path, true).unwrap());
        assert!(path.join("tenantry.db").exists());
        drop(DemoHome::claim(&path, false).unwrap());
        assert!(!path.join("tenantry.db").exists());
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("letter"), "dear").unwrap();
        assert!(DemoHome::claim(folder.path(), false).is_err());
        assert!(folder.path().join("letter").exists());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn two_demos_cannot_share_a_home() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("home");
        let first = DemoHome::claim(&path, false).unwrap();
        assert!(DemoHome::claim(&path, false).is_err());
        drop(first);
        assert!(DemoHome::claim(&path, false).is_ok());
    }
}
