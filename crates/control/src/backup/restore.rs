//! Bringing an installation back from a backup.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::Utc;
use store::{Schema, Store, Sum, Table};

use super::archive::Verified;
use super::extract::Staging;
use super::place::{self, Quiet};
use super::{BackupError, Progress, Summary, Tell, Unlock};
use crate::config::{Home, Mistakes, Settings};

/// What to restore, and where to.
pub struct Restore<'a> {
    /// The home, in which nothing runs.
    pub home: &'a Home,
    /// The backup.
    pub file: &'a Path,
    /// What opens it.
    pub unlock: &'a Unlock,
    /// The settings as they will be, from the settings file of the backup if it has one.
    pub settings: &'a dyn Fn(Option<String>) -> Result<Settings, Mistakes>,
    /// Whether what is in the way is moved aside.
    pub force: bool,
    /// Whether the workers that ran are wanted to run again. Without it none is: two workers of one session, here
    /// and where the backup was made, would have its number banned.
    pub start: bool,
}

/// What was restored.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Restored {
    /// The backup.
    #[serde(flatten)]
    pub backup: Summary,
    /// The home.
    pub home: PathBuf,
    /// The database, without a password.
    pub database: String,
    /// Where the sessions are.
    pub sessions_path: PathBuf,
    /// How many workers were wanted to run, and are not any more.
    pub stopped: u64,
    /// Where that is which was in the way.
    pub moved_aside: Vec<PathBuf>,
}

/// Brings an installation back. Everything is verified before anything is moved; what is there is not deleted.
///
/// # Errors
/// [`BackupError`]. Unless the last moves fail, nothing was changed then.
pub async fn restore(wanted: &Restore<'_>, tell: Tell<'_>) -> Result<Restored, BackupError> {
    let home = wanted.home;
    let mut quiet = Quiet::make(home)?;
    refuse_used(wanted, home.root(), &place::found(home))?;
    let staging = Staging::make(home.root().join("restoring"))?;
    let verified = staging.unpack(wanted.file, wanted.unlock, tell)?;
    let (sessions, mut warnings) = staging.look_through(tell)?;
    let settings = settings(wanted, &staging)?;
    if settings.sessions_path != home.sessions() {
        quiet.keep_workers_off(&settings.sessions_path)?;
        if !place::is_empty(&settings.sessions_path) {
            refuse_used(wanted, &settings.sessions_path, &["sessions"])?;
        }
    }
    let database = Target::of(&settings, &staging);
    if let Target::File { path, .. } = &database
        && path.exists()
        && *path != home.database()
    {
        refuse_used(wanted, path, &["a database"])?;
    }
    let stopped = fill(wanted, &database.url(), &staging, &verified, tell).await?;
    tell(Progress::Part("moving it to its place", None));
    let moved_aside = set_aside(wanted, &settings, &database, &staging)?;
    put(&settings, &database, &staging)?;
    let Verified { header, manifest, encrypted } = verified;
    warnings.extend(manifest.warnings);
    let size = fs::metadata(wanted.file).map_or(0, |found| found.len());
    Ok(Restored {
        backup: Summary {
            file: wanted.file.to_owned(),
            size,
            encrypted,
            created_at: header.created_at,
            program: header.program,
            schema: header.schema,
            rows: manifest.tables.iter().map(|table| table.sum.rows).sum(),
            sessions,
            files: manifest.files.len() as u64,
            warnings,
        },
        home: home.root().to_owned(),
        database: settings.database_url.to_string(),
        sessions_path: settings.sessions_path,
        stopped,
        moved_aside,
    })
}

fn refuse_used(wanted: &Restore<'_>, place: &Path, found: &[&str]) -> Result<(), BackupError> {
    if found.is_empty() || wanted.force {
        return Ok(());
    }
    Err(BackupError::NotEmpty { place: place.to_owned(), found: found.join(", ") })
}

fn settings(wanted: &Restore<'_>, staging: &Staging) -> Result<Settings, BackupError> {
    let file = staging.path().join("home/tenantry.toml");
    let text = if file.exists() {
        Some(fs::read_to_string(&file).map_err(super::failed("read", &file))?)
    } else {
        None
    };
    (wanted.settings)(text).map_err(|mistakes| BackupError::Settings(mistakes.to_string()))
}

/// The database to be filled.
enum Target {
    /// A file, made beside everything else and then moved.
    File {
        /// Where it is made.
        made: PathBuf,
        /// Where it goes.
        path: PathBuf,
    },
    /// One of a server, which has to be empty.
    Server(String),
}

impl Target {
    fn of(settings: &Settings, staging: &Staging) -> Self {
        let url = settings.database_url.expose();
        match url.strip_prefix("sqlite:") {
            Some(path) => {
                let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
                Self::File { made: staging.path().join("restored.db"), path }
            }
            None => Self::Server(url.to_owned()),
        }
    }

    fn url(&self) -> String {
        match self {
            Self::File { made, .. } => format!("sqlite:{}", made.display()),
            Self::Server(url) => url.clone(),
        }
    }
}

/// Fills the database, all of it or nothing. Gives how many workers are not wanted to run any more.
async fn fill(
    wanted: &Restore<'_>,
    url: &str,
    staging: &Staging,
    verified: &Verified,
    tell: Tell<'_>,
) -> Result<u64, BackupError> {
    let Verified { header, manifest, .. } = verified;
    let store = Store::open_with(url, Schema::At(&header.schema)).await?;
    let now = store.status().await?.schema.unwrap_or_default();
    if now != header.schema {
        let reason = format!(
            "the database has the schema {now} already and the backup {}; name a database without tables",
            header.schema
        );
        return Err(BackupError::Settings(reason));
    }
    let tables: Vec<Table> = header.tables.iter().map(|dumped| dumped.table.clone()).collect();
    let loader = store.loader(&tables).await?;
    let all = manifest.tables.iter().map(|table| table.sum.rows).sum();
    tell(Progress::Part("filling the database", Some(all)));
    for dumped in &header.tables {
        let sum = manifest.tables.iter().find(|sum| sum.table == dumped.table.name);
        let expected = sum.map_or_else(Sum::default, |sum| sum.sum);
        staging.load(dumped, expected, &loader, wanted.file, tell).await?;
    }
    let stopped = if wanted.start { 0 } else { loader.want_no_worker().await? };
    loader.commit().await?;
    store.bring_up_to_date().await?;
    store.close().await?;
    Ok(stopped)
}

/// Moves what is in the way aside, where that was asked for.
fn set_aside(
    wanted: &Restore<'_>,
    settings: &Settings,
    database: &Target,
    staging: &Staging,
) -> Result<Vec<PathBuf>, BackupError> {
    let mut moved = Vec::new();
    if !wanted.force {
        return Ok(moved);
    }
    let home = wanted.home;
    let stamp = Utc::now().format("%Y%m%dT%H%M%SZ").to_string();
    if !place::found(home).is_empty() {
        let mut keep = vec![staging.path()];
        // The backup itself may lie there.
        let archive = fs::canonicalize(wanted.file).unwrap_or_else(|_| wanted.file.to_owned());
        keep.push(&archive);
        let backups = home.backups();
        keep.push(&backups);
        moved.push(place::set_aside(home, &stamp, &keep)?);
    }
    let mut outside = Vec::new();
    if !settings.sessions_path.starts_with(home.root()) && !place::is_empty(&settings.sessions_path)
    {
        outside.push(settings.sessions_path.clone());
    }
    if let Target::File { path, .. } = database
        && !path.starts_with(home.root())
    {
        outside.push(path.clone());
        outside.extend(["-wal", "-shm"].map(|suffix| with(path, suffix)));
    }
    for path in outside.into_iter().filter(|path| path.exists()) {
        let aside = with(&path, &format!(".before-restore-{stamp}"));
        fs::rename(&path, &aside).map_err(super::failed("move", &path))?;
        moved.push(aside);
    }
    Ok(moved)
}

/// Moves everything to its place.
fn put(settings: &Settings, database: &Target, staging: &Staging) -> Result<(), BackupError> {
    let sessions = staging.path().join("sessions");
    if sessions.exists() {
        place::move_to(&sessions, &settings.sessions_path)?;
    }
    if let Target::File { made, path } = database {
        place::move_to(made, path)?;
    }
    let home = staging.path().join("home");
    for entry in fs::read_dir(&home).into_iter().flatten().flatten() {
        place::move_to(&entry.path(), &settings.home.root().join(entry.file_name()))?;
    }
    let root = settings.home.root();
    let synced = fs::File::open(root).and_then(|folder| folder.sync_all());
    synced.map_err(super::failed("write", root))
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
