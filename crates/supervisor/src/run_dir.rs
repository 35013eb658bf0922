//! Where things are in a run directory.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// The files of a run directory.
#[derive(Debug, Clone)]
pub(crate) struct RunDir {
    root: PathBuf,
}

impl RunDir {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Makes the folders, for their owner alone.
    pub(crate) fn create(&self) -> io::Result<()> {
        use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
        for folder in [self.root.clone(), self.root.join("processes")] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("supervisor.lock")
    }

    pub(crate) fn pid(&self) -> PathBuf {
        self.root.join("supervisor.pid")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        crate::daemon::socket_path(&self.root)
    }

    pub(crate) fn notify_socket(&self) -> PathBuf {
        self.root.join("notify.sock")
    }

    pub(crate) fn holder_socket(&self) -> PathBuf {
        self.root.join("holder.sock")
    }

    pub(crate) fn records(&self) -> PathBuf {
        self.root.join("records")
    }

    pub(crate) fn out_fifo(&self, id: u32) -> PathBuf {
        self.root.join(format!("processes/{id}.out"))
    }

    pub(crate) fn error_fifo(&self, id: u32) -> PathBuf {
        self.root.join(format!("processes/{id}.err"))
    }

    /// Whether a process has FIFOs for its output.
    pub(crate) fn has_output(&self, id: u32) -> bool {
        self.out_fifo(id).exists() || self.error_fifo(id).exists()
    }

    pub(crate) fn input_fifo(&self, id: u32) -> PathBuf {
        self.root.join(format!("processes/{id}.in"))
    }

    /// Removes the pipes of a forgotten process. What is not there need not be removed.
    pub(crate) fn forget(&self, id: u32) {
        let fifos = [self.out_fifo(id), self.error_fifo(id)];
        let removed = fifos.map(|path| (crate::logs::fifo::remove(&path), path));
        let input = self.input_fifo(id);
        for (removed, path) in removed.into_iter().chain([(fs::remove_file(&input), input)]) {
            if let Err(error) = removed
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, path = %path.display(), "cannot remove a file");
            }
        }
    }
}
