//! Unpacking a backup into a folder of its own, where all of it is looked at before anything is moved.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sealing::{Copier, Key};
use store::{Loader, Row, Sum};

use super::archive::{self, Verified};
use super::{BackupError, DumpedTable, Progress, Tell, Unlock, failed};

/// What the names in an archive begin with.
const PARTS: [&str; 3] = ["tables/", "sessions/", "home/"];

/// So many rows are put into the database at a time.
const ROWS: usize = 200;

/// A folder that is gone when this is dropped.
pub(super) struct Staging(PathBuf);

impl Staging {
    /// Makes the folder, in the place of what an earlier run has left there.
    pub(super) fn make(path: PathBuf) -> Result<Self, BackupError> {
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("replace", &path)(error));
            }
            _ => {}
        }
        folder(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Unpacks and verifies an archive. Everything is on the disk when this returns.
    pub(super) fn unpack(
        &self,
        archive: &Path,
        unlock: &Unlock,
        tell: Tell<'_>,
    ) -> Result<Verified, BackupError> {
        tell(Progress::Part("unpacking", None));
        let mut take = |name: &str, content: &mut dyn Read| {
            if !PARTS.iter().any(|part| name.starts_with(part)) {
                let path = archive.to_owned();
                let reason = format!("{name:?} does not belong there");
                return Err(BackupError::Damaged { path, reason });
            }
            let path = self.0.join(name);
            folder(path.parent().unwrap_or(&self.0))?;
            write(&path, content)?;
            tell(Progress::Done(1));
            Ok(())
        };
        let verified = archive::read(archive, unlock, &mut take)?;
        let synced = File::open(&self.0).and_then(|folder| Ok(rustix::fs::syncfs(folder)?));
        synced.map_err(failed("write", &self.0))?;
        Ok(verified)
    }

    /// Looks through the databases of the sessions. One that was damaged when it was taken is said, not refused.
    pub(super) fn look_through(&self, tell: Tell<'_>) -> Result<(u64, Vec<String>), BackupError> {
        let root = self.0.join("sessions");
        let (mut count, mut warnings) = (0, Vec::new());
        let Ok(sessions) = fs::read_dir(&root) else { return Ok((0, warnings)) };
        tell(Progress::Part("looking through sessions", None));
        for session in sessions {
            let session = session.map_err(failed("look into", &root))?;
            let key = self.0.join("home/keys").join(session.file_name());
            let key = sealing::is_sealed(&session.path()).then(|| Key::read(&key)).transpose();
            let key = match key {
                Ok(key) => key,
                Err(error) => {
                    warnings.push(format!("a session cannot be opened: {error}"));
                    continue;
                }
            };
            let copier = Copier::new(key.as_ref())?;
            for name in ["whatsapp.db", "bot.db"] {
                let path = session.path().join(name);
                if fs::metadata(&path).is_ok_and(|found| found.len() > 0)
                    && let Err(error) = copier.check(&path)
                {
                    warnings.push(error.to_string());
                }
            }
            count += 1;
            tell(Progress::Done(1));
        }
        Ok((count, warnings))
    }

    /// Puts the rows of a table into the database, and verifies them by reading them back.
    pub(super) async fn load(
        &self,
        dumped: &DumpedTable,
        expected: Sum,
        loader: &Loader,
        archive: &Path,
        tell: Tell<'_>,
    ) -> Result<(), BackupError> {
        let table = &dumped.table;
        let damaged = |reason: String| {
            let reason = format!("table {}: {reason}", table.name);
            BackupError::Damaged { path: archive.to_owned(), reason }
        };
        let mut sum = Sum::default();
        for path in self.chunks(&table.name)? {
            let file = File::open(&path).map_err(failed("read", &path))?;
            let mut rows = Vec::with_capacity(ROWS);
            for line in BufReader::new(file).lines() {
                let line = line.map_err(failed("read", &path))?;
                let row =
                    Row::from_json(&line, table).map_err(|error| damaged(error.to_string()))?;
                sum.add(&row);
                rows.push(row);
                if rows.len() == ROWS {
                    loader.insert(table, &rows).await?;
                    tell(Progress::Done(rows.len() as u64));
                    rows.clear();
                }
            }
            loader.insert(table, &rows).await?;
            tell(Progress::Done(rows.len() as u64));
        }
        if sum != expected {
            return Err(damaged("its rows are not those of the list".to_owned()));
        }
        if let Some(number) = dumped.last_number {
            loader.go_on_after(table, number).await?;
        }
        let found = loader.sum(table).await?;
        if found == sum {
            return Ok(());
        }
        let (rows, found) = (sum.rows, found.rows);
        Err(store::StoreError::Differs { table: table.name.clone(), rows, found }.into())
    }

    fn chunks(&self, table: &str) -> Result<Vec<PathBuf>, BackupError> {
        let folder = self.0.join("tables").join(table);
        let mut paths = Vec::new();
        if folder.is_dir() {
            for entry in fs::read_dir(&folder).map_err(failed("look into", &folder))? {
                paths.push(entry.map_err(failed("look into", &folder))?.path());
            }
        }
        paths.sort();
        Ok(paths)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn folder(path: &Path) -> Result<(), BackupError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed("make", path))
}

fn write(path: &Path, content: &mut dyn Read) -> Result<(), BackupError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed("write", path))?;
    let mut piece = vec![0; 64 * 1024];
    loop {
        let count = content.read(&mut piece).map_err(failed("unpack", path))?;
        let Some(bytes) = piece.get(..count).filter(|bytes| !bytes.is_empty()) else {
            return Ok(());
        };
        file.write_all(bytes).map_err(failed("write", path))?;
    }
}
