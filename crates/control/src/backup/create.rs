//! Making a backup while everything runs.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use api::TenantId;
use chrono::Utc;
use store::{Row, Schema, Snapshot, Store, Sum};

use super::archive::{self, Writer};
use super::{
    BackupError, DumpedTable, FORMAT, HEADER, Header, Manifest, Progress, Protection, Summary,
    TableSum, Tell, failed, session,
};
use crate::config::Settings;
use crate::launch;

/// The rows of a table are handed on in files of about so many bytes.
const CHUNK: usize = 1024 * 1024;

/// The files of the home that are kept.
const FILES: [&str; 4] = ["tenantry.toml", "admin.token", "link.key", "people.key"];

/// What to make.
pub struct Create<'a> {
    /// The installation.
    pub settings: &'a Settings,
    /// The file to be made.
    pub file: &'a Path,
    /// What it is encrypted with.
    pub protection: &'a Protection,
    /// Whether a file that is there is replaced.
    pub force: bool,
}

/// Makes a backup of a whole installation, which may be running. The file gets its name when it is whole, on
/// the disk and was read back; before that there is none, and what was there stays.
///
/// This blocks while it reads and writes files: it is for a program that does nothing else.
///
/// # Errors
/// [`BackupError`].
pub async fn create(wanted: &Create<'_>, tell: Tell<'_>) -> Result<Summary, BackupError> {
    let Create { settings, file, protection, force } = *wanted;
    if file.exists() && !force {
        return Err(BackupError::Exists { path: file.to_owned() });
    }
    let store = Store::open_with(settings.database_url.expose(), Schema::AsIs).await?;
    let schema = store.require_latest().await?;
    let mut writer = Writer::begin(beside(file, ".part"), protection)?;
    let scratch = Scratch::make(beside(file, ".copies"))?;
    let created_at = Utc::now();
    let snapshot = store.snapshot().await?;
    let header = header(&snapshot, &schema, created_at).await?;
    writer.add_json(HEADER, &header)?;
    let mut manifest = Manifest::default();
    let rows = dump(&snapshot, &header, &mut writer, &mut manifest, tell).await?;
    drop(snapshot);
    let sessions = sessions(settings, &mut writer, &scratch.0, &mut manifest.warnings, tell)?;
    // After the sessions: the key of one that was sealed meanwhile must not be missing.
    home(settings, &mut writer, &scratch.0, tell)?;
    let files = writer.files();
    let written = writer.finish(manifest)?;
    tell(Progress::Part("reading it back", None));
    archive::same(written.part.path(), &written.sha256)?;
    if let Some(unlock) = protection.unlock() {
        archive::read(written.part.path(), &unlock, &mut |_, _| Ok(()))?;
    }
    if file.exists() && !force {
        return Err(BackupError::Exists { path: file.to_owned() });
    }
    written.part.become_file(file)?;
    Ok(Summary {
        file: file.to_owned(),
        size: written.size,
        encrypted: protection.is_some(),
        created_at,
        program: header.program,
        schema,
        rows,
        sessions,
        files,
        warnings: written.manifest.warnings,
    })
}

async fn header(
    snapshot: &Snapshot,
    schema: &str,
    created_at: chrono::DateTime<Utc>,
) -> Result<Header, BackupError> {
    let mut tables = Vec::new();
    for table in store::tables() {
        let last_number = snapshot.last_number(&table).await?;
        tables.push(DumpedTable { table, last_number });
    }
    let program = env!("CARGO_PKG_VERSION").to_owned();
    Ok(Header { format: FORMAT, program, schema: schema.to_owned(), created_at, tables })
}

/// Writes all rows. Gives how many.
async fn dump(
    snapshot: &Snapshot,
    header: &Header,
    writer: &mut Writer,
    manifest: &mut Manifest,
    tell: Tell<'_>,
) -> Result<u64, BackupError> {
    let mut all = 0;
    for dumped in &header.tables {
        all += snapshot.count(&dumped.table).await?;
    }
    tell(Progress::Part("the database", Some(all)));
    for DumpedTable { table, .. } in &header.tables {
        let mut sum = Sum::default();
        let mut chunk = Chunk { table: &table.name, number: 0, text: String::new() };
        let mut last: Option<Row> = None;
        loop {
            let rows = snapshot.page(table, last.as_ref()).await?;
            for row in &rows {
                sum.add(row);
                chunk.add(row, writer)?;
            }
            tell(Progress::Done(rows.len() as u64));
            last = rows.into_iter().next_back();
            if last.is_none() {
                break;
            }
        }
        chunk.write(writer)?;
        manifest.tables.push(TableSum { table: table.name.clone(), sum });
    }
    Ok(all)
}

/// Lines that become a file of the archive.
struct Chunk<'a> {
    table: &'a str,
    number: u64,
    text: String,
}

impl Chunk<'_> {
    fn add(&mut self, row: &Row, writer: &mut Writer) -> Result<(), BackupError> {
        self.text.push_str(&row.to_json());
        self.text.push('\n');
        if self.text.len() >= CHUNK { self.write(writer) } else { Ok(()) }
    }

    fn write(&mut self, writer: &mut Writer) -> Result<(), BackupError> {
        if self.text.is_empty() {
            return Ok(());
        }
        let path = format!("tables/{}/{:08}", self.table, self.number);
        writer.add(&path, self.text.len() as u64, &mut self.text.as_bytes())?;
        self.number += 1;
        self.text.clear();
        Ok(())
    }
}

/// Writes all sessions. Gives how many.
fn sessions(
    settings: &Settings,
    writer: &mut Writer,
    scratch: &Path,
    warnings: &mut Vec<String>,
    tell: Tell<'_>,
) -> Result<u64, BackupError> {
    let mut found = names(&settings.sessions_path)?;
    found.retain(|name| name.parse::<TenantId>().is_ok());
    tell(Progress::Part("sessions", Some(found.len() as u64)));
    for name in &found {
        let Ok(tenant) = name.parse::<TenantId>() else { continue };
        let key = launch::session_key(&settings.home, tenant);
        let folder = settings.sessions_path.join(name);
        session::take(writer, &folder, &format!("sessions/{name}"), &key, scratch, warnings)?;
        tell(Progress::Done(1));
    }
    Ok(found.len() as u64)
}

/// Writes what else of the home is kept.
fn home(
    settings: &Settings,
    writer: &mut Writer,
    scratch: &Path,
    tell: Tell<'_>,
) -> Result<(), BackupError> {
    let home = &settings.home;
    for name in FILES {
        session::add_file(writer, &home.root().join(name), &format!("home/{name}"), scratch)?;
    }
    for name in names(&home.keys())? {
        if name.parse::<TenantId>().is_ok() {
            let path = home.keys().join(&name);
            session::add_file(writer, &path, &format!("home/keys/{name}"), scratch)?;
        }
    }
    let tenants = names(&home.media())?;
    tell(Progress::Part("uploaded files", Some(tenants.len() as u64)));
    for tenant in tenants {
        let folder = home.media().join(&tenant);
        for name in names(&folder)? {
            let path = folder.join(&name);
            if path.is_file() {
                session::add_file(writer, &path, &format!("home/media/{tenant}/{name}"), scratch)?;
            }
        }
        tell(Progress::Done(1));
    }
    Ok(())
}

/// The names in a folder, in order; none when there is no such folder.
fn names(folder: &Path) -> Result<Vec<String>, BackupError> {
    let entries = match fs::read_dir(folder) {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return Ok(Vec::new());
        }
        found => found.map_err(failed("look into", folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed("look into", folder))?.file_name();
        names.extend(name.into_string());
    }
    names.sort();
    Ok(names)
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A folder for copies, gone when this is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn make(path: PathBuf) -> Result<Self, BackupError> {
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("replace", &path)(error));
            }
            _ => {}
        }
        DirBuilder::new().mode(0o700).create(&path).map_err(failed("make", &path))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
