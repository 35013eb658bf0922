//! From a tenant's row to the program that is its worker.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use api::TenantId;
use runtime::WorkerLaunch;
use sealing::{Key, KeyError};
use store::TenantRecord;

use crate::config::{Home, Settings};
use crate::token::{self, Bearer, LinkKey};

/// What a worker inherits of the control plane's own environment: these few, because programs rely
/// on them. All else stays behind, the control plane's secrets above all.
const INHERITED: &[&str] = &["PATH", "HOME", "LANG", "LC_ALL", "TZ", "USER", "TMPDIR"];

/// What the names of the files begin with that hold a login of Tenantry's own worker.
const LOGIN: &str = "whatsapp.db";

/// Why a worker's files could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A directory or file could not be made.
    #[error("{path} could not be prepared: {source}")]
    File {
        /// What.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no key to seal the session with.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// This program's own path is unknown.
    #[error("the path of the tenantry program is unknown: {0}")]
    Program(std::io::Error),
}

/// Where the token of a tenant's running worker lies: outside the session directory, which a
/// tenant's own program may hand around.
#[must_use]
pub fn token_file(home: &Home, tenant: TenantId) -> PathBuf {
    home.tokens().join(tenant.to_string())
}

/// Where the key lies that a tenant's session is sealed with: outside the session directory, so that a copy of
/// the sessions is worth nothing without it.
#[must_use]
pub fn session_key(home: &Home, tenant: TenantId) -> PathBuf {
    home.keys().join(tenant.to_string())
}

/// Where a worker's lines go.
#[must_use]
pub fn log_file(home: &Home, tenant: TenantId) -> PathBuf {
    home.logs().join(format!("{tenant}.log"))
}

/// Where a tenant's session lies.
#[must_use]
pub fn session_dir(settings: &Settings, tenant: TenantId) -> PathBuf {
    settings.sessions_path.join(tenant.to_string())
}

/// Where programs are looked for.
#[must_use]
pub fn search_path() -> String {
    std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".to_owned())
}

/// Deletes a tenant's login. What the bot knows besides stays: who opted out, what is not answered or sent yet, the
/// tenant's own files. Of a tenant's own program, and of a session that cannot be opened without a lost key, the whole
/// directory goes.
///
/// # Errors
/// The first file that could not be deleted.
pub fn delete_login(settings: &Settings, record: &TenantRecord) -> std::io::Result<()> {
    let session = session_dir(settings, record.id);
    let is_closed =
        sealing::is_sealed(&session) && !session_key(&settings.home, record.id).exists();
    let absent = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    if record.config.command.is_some() || is_closed {
        return fs::remove_dir_all(&session)
            .or_else(|error| if absent(&error) { Ok(()) } else { Err(error) });
    }
    let mut files = Vec::new();
    match fs::read_dir(&session) {
        Ok(entries) => {
            for entry in entries {
                let path = entry?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if name.starts_with(LOGIN) {
                    files.push((name.len(), path));
                }
            }
        }
        Err(error) if absent(&error) => return Ok(()),
        Err(error) => return Err(error),
    }
    // The login itself, which has the shortest name, goes last: while it is there, a deletion that was cut short is
    // done again, and no copy of it brings it back.
    files.sort_unstable_by_key(|(length, _)| std::cmp::Reverse(*length));
    files.into_iter().try_for_each(|(_, path)| fs::remove_file(path))
}

/// Destroys the key that a tenant's session is sealed with, if there is one.
///
/// # Errors
/// [`KeyError::Io`].
pub fn destroy_key(settings: &Settings, tenant: TenantId) -> Result<(), KeyError> {
    Key::destroy(&session_key(&settings.home, tenant))
}

/// Deletes what a deleted tenant leaves behind. What cannot be deleted is said and left. Gives whether nothing is.
pub fn remove_files(settings: &Settings, tenant: TenantId) -> bool {
    let home = &settings.home;
    let session = session_dir(settings, tenant);
    let mut all = true;
    let mut gone = |path: &Path, outcome: std::io::Result<()>| match outcome {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "could not be deleted");
            all = false;
        }
        _ => {}
    };
    gone(&session, fs::remove_dir_all(&session));
    let uploads = home.media().join(tenant.to_string());
    gone(&uploads, fs::remove_dir_all(&uploads));
    let token = token_file(home, tenant);
    gone(&token, fs::remove_file(&token));
    // The log and those that were rotated away: `<id>.log`, `<id>.log.1`, …
    let prefix = format!("{tenant}.log");
    for entry in fs::read_dir(home.logs()).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            gone(&entry.path(), fs::remove_file(entry.path()));
        }
    }
    all
}

/// Makes a directory that only its owner may enter. One that is there belongs to somebody, and its
/// permissions are for them to choose.
///
/// # Errors
/// [`PrepareError::File`].
pub fn own_dir(path: &Path) -> Result<(), PrepareError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| PrepareError::File { path: path.to_owned(), source })
}

/// Makes a directory that only its owner may enter, or narrows one that is there: for directories
/// that nobody but Tenantry uses.
///
/// # Errors
/// [`PrepareError::File`].
pub fn private_dir(path: &Path) -> Result<(), PrepareError> {
    let make = || -> std::io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))
    };
    make().map_err(|source| PrepareError::File { path: path.to_owned(), source })
}

/// Prepares the directories of a tenant's worker and says how to run it.
///
/// # Errors
/// [`PrepareError`].
pub fn prepare(
    settings: &Settings,
    key: &LinkKey,
    record: &TenantRecord,
) -> Result<WorkerLaunch, PrepareError> {
    let home = &settings.home;
    let session = session_dir(settings, record.id);
    private_dir(&session)?;
    private_dir(&home.tokens())?;
    let bearer = Bearer { tenant: record.id, generation: record.worker.generation };
    let token = token_file(home, record.id);
    token::private_file(&token, &key.token(bearer))
        .map_err(|source| PrepareError::File { path: token, source })?;
    let command = match &record.config.command {
        Some(command) => command.clone(),
        None => {
            let program = std::env::current_exe().map_err(PrepareError::Program)?;
            vec![program.to_string_lossy().into_owned(), "worker".into(), "run".into()]
        }
    };
    let mut env = environment(settings, record);
    if let Some(key) = sealed_with(settings, record)? {
        env.insert("SESSION_KEY_FILE".into(), key.to_string_lossy().into_owned());
    }
    Ok(WorkerLaunch {
        name: record.worker.name.clone(),
        tenant: record.id.to_string(),
        generation: record.worker.generation,
        command,
        env,
        secret_env: BTreeSet::from_iter(record.config.env.keys().cloned()),
        cwd: record.config.cwd.as_ref().map_or(session, PathBuf::from),
        log_path: log_file(home, record.id),
        final_exits: if record.config.command.is_some() { BTreeMap::new() } else { final_exits() },
        kill_timeout: settings.kill_timeout,
    })
}

/// The file with the key that the tenant's session is, or is to be, sealed with; made when there is none. A tenant's
/// own program knows nothing of keys.
fn sealed_with(
    settings: &Settings,
    record: &TenantRecord,
) -> Result<Option<PathBuf>, PrepareError> {
    let file = session_key(&settings.home, record.id);
    if record.config.command.is_some() || !settings.encrypt_sessions && !file.exists() {
        return Ok(None);
    }
    if !file.exists() && sealing::is_sealed(&session_dir(settings, record.id)) {
        // A new key would not open it. The worker says what is missing.
        return Ok(None);
    }
    private_dir(&settings.home.keys())?;
    Key::read_or_make(&file)?;
    Ok(Some(file))
}

/// The exit codes of `tenantry worker run` after which starting it again would not help, or would
/// fight for the session (`docs/worker-contract.md`).
fn final_exits() -> BTreeMap<i32, String> {
    let meanings = [
        (2, "its environment is not the contract's; see its log"),
        (76, "a newer worker of this tenant has taken over"),
        (77, "its token was refused; restart it to give it a new one"),
        (78, "another WhatsApp client has taken the session over; restart it to take it back"),
        (79, "the key that its session is sealed with is missing or another one; see its log"),
    ];
    meanings.into_iter().map(|(code, meaning)| (code, meaning.to_owned())).collect()
}

/// The worker contract (`docs/worker-contract.md`): the worker's whole environment.
fn environment(settings: &Settings, record: &TenantRecord) -> BTreeMap<String, String> {
    let home = &settings.home;
    let mut env = BTreeMap::new();
    for name in INHERITED {
        if let Ok(value) = std::env::var(name) {
            env.insert((*name).to_owned(), value);
        }
    }
    if let Some(path) = &settings.puppeteer_executable_path
        && record.config.command.is_some()
    {
        env.insert("PUPPETEER_EXECUTABLE_PATH".into(), path.to_string_lossy().into_owned());
    }
    env.insert("LOG_LEVEL".into(), settings.log_level.clone());
    env.extend(record.config.env.clone());
    let mut set = |name: &str, value: String| env.insert(name.to_owned(), value);
    set("TENANT_ID", record.id.to_string());
    set("SESSIONS_PATH", settings.sessions_path.to_string_lossy().into_owned());
    set("TENANTRY_LINK", format!("unix:{}", home.link_socket().display()));
    set("TENANTRY_TOKEN_FILE", token_file(home, record.id).to_string_lossy().into_owned());
    set("TENANTRY_GENERATION", record.worker.generation.to_string());
    set("HEARTBEAT_INTERVAL_MS", settings.heartbeat_interval.as_millis().to_string());
    set("RATE_LIMIT_MAX_PER_MINUTE", record.config.rate_limit_max_per_minute.to_string());
    set("WEBHOOK_ALLOW_PRIVATE", settings.webhook_allow_private.to_string());
    if let Some(url) = &settings.whatsapp_url {
        set("WHATSAPP_URL", url.clone());
    }
    if let Some(version) = &settings.whatsapp_version {
        set("WHATSAPP_VERSION", version.clone());
    }
    env
}
