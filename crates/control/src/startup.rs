//! What must be in order before the control plane can work, each with a clear error.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use api::worker::RuntimeKind;
use runtime::local::{LocalRuntime, SupervisorCommand};
use runtime::pm2::{Pm2Runtime, Pm2Settings};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use store::{Store, TenantRecord};
use tokio::net::{TcpListener, UnixListener};

use crate::config::{Home, Settings};
use crate::launch::{self, PrepareError};
use crate::people::password::HashError;
use crate::runtimes::Runtimes;
use crate::serving::TlsError;
use crate::token::{self, KeyError};

/// How often a PM2 in use is looked at.
const PM2_INTERVAL: Duration = Duration::from_secs(2);

/// The shortest text that is taken for a token.
const MIN_TOKEN: usize = 32;
const OTHER_TOKEN: &str = "this file does not hold the admin token that the database knows; empty it to have a new one made";
const NO_TOKEN: &str = "the admin token's file is missing; make an empty one to have a new token made at the next start";

/// The name of the operator's key in the store.
const ADMIN_KEY: &str = "admin";

/// Why the control plane did not start. Nothing was changed, and nothing that runs was touched.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A directory of the home is not usable.
    #[error(
        "{0}; make it a directory that this user may write to, or set TENANTRY_HOME or SESSIONS_PATH to another"
    )]
    Directory(#[from] PrepareError),
    /// A file of the home is not usable.
    #[error("{path} cannot be used: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another control plane works on this home.
    #[error(
        "another tenantry server{pid} works on {home}; stop it first, or set TENANTRY_HOME to another home"
    )]
    AlreadyRunning {
        /// The home.
        home: PathBuf,
        /// ` (process N)`, or nothing when it did not say.
        pid: String,
    },
    /// The port is taken.
    #[error(
        "{address} is in use by another program; stop it, or set PORT (or --port) to another port"
    )]
    PortInUse {
        /// Where we wanted to listen.
        address: SocketAddr,
    },
    /// The address cannot be listened at.
    #[error(
        "cannot listen at {address}: {source}; set BIND and PORT to an address of this machine"
    )]
    Listen {
        /// Where we wanted to listen.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The certificate is not usable.
    #[error("{0}; set TLS_CERT and TLS_KEY to a certificate and its key, or take them away")]
    Tls(#[from] TlsError),
    /// The database is not usable.
    #[error("{0}")]
    Store(#[from] store::StoreError),
    /// The key of the worker link is not usable.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// Passwords cannot be hashed.
    #[error("{0}")]
    Password(#[from] HashError),
    /// The mail server's address is not understood.
    #[error(
        "SMTP_URL or MAIL_FROM cannot be used: {0}; write smtps://user:password@host and an address"
    )]
    Mail(String),
    /// The identity provider's address is not understood.
    #[error("OIDC_ISSUER cannot be used: {0}")]
    Oidc(String),
    /// The supervisor cannot be reached or started.
    #[error("{0}; see logs/supervisor.log and run/supervisor.err in the home")]
    Supervisor(#[from] runtime::RuntimeError),
}

/// Makes the directories of the home, closed to everybody else. The home itself and the sessions'
/// folder keep the permissions that they have: they may be somebody's.
///
/// # Errors
/// [`StartError::Directory`].
pub fn directories(settings: &Settings) -> Result<(), StartError> {
    let home = &settings.home;
    for dir in [home.root(), &settings.sessions_path] {
        launch::own_dir(dir)?;
    }
    let own = [home.logs(), home.run(), home.tokens(), home.media()];
    for dir in &own {
        launch::private_dir(dir)?;
    }
    for dir in own.iter().map(PathBuf::as_path).chain([home.root(), &settings.sessions_path]) {
        rustix::fs::access(dir, rustix::fs::Access::WRITE_OK)
            .map_err(|error| PrepareError::File { path: dir.to_owned(), source: error.into() })?;
    }
    Ok(())
}

/// The lock that keeps a second control plane off a home; held as long as it lives.
pub struct HomeLock(#[expect(dead_code, reason = "the lock lives as long as the file")] File);

/// Takes the home's lock.
///
/// # Errors
/// [`StartError::AlreadyRunning`], [`StartError::File`].
pub fn lock(home: &Home) -> Result<HomeLock, StartError> {
    let path = home.server_lock();
    let fault = |source| StartError::File { path: path.clone(), source };
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(fault)?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let mut pid = String::new();
        let _ = file.read_to_string(&mut pid);
        let pid = if pid.is_empty() { pid } else { format!(" (process {})", pid.trim()) };
        return Err(StartError::AlreadyRunning { home: home.root().to_owned(), pid });
    }
    let write = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        write!(file, "{}", std::process::id())
    };
    write(&mut file).map_err(fault)?;
    Ok(HomeLock(file))
}

/// Listens for operators and portals.
///
/// # Errors
/// [`StartError::PortInUse`], [`StartError::Listen`].
pub async fn listen(settings: &Settings) -> Result<TcpListener, StartError> {
    let address = SocketAddr::new(settings.bind, settings.port);
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => StartError::PortInUse { address },
        _ => StartError::Listen { address, source },
    })
}

/// Listens at a socket that belongs to this user alone.
///
/// # Errors
/// [`StartError::File`].
pub fn listen_locally(path: &Path) -> Result<UnixListener, StartError> {
    let listen = || {
        // The home's lock is held: a socket that is there belongs to nobody.
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    };
    listen().map_err(|source| StartError::File { path: path.to_owned(), source })
}

/// Lets this process have as many connections as the system allows: each takes a file descriptor, and each
/// worker has one or two.
pub fn raise_open_files() {
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: before.maximum, maximum: before.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit on open files cannot be raised");
    }
}

/// The hash of the admin token. At the first start a token is made and left in the home, where the
/// command line finds it.
///
/// # Errors
/// [`StartError`].
pub async fn admin_token(store: &Store, home: &Home) -> Result<String, StartError> {
    let path = home.admin_token();
    let fault = |source| StartError::File { path: path.clone(), source };
    let known = store.installation_key(ADMIN_KEY).await?;
    let token = match (fs::read_to_string(&path), known) {
        (Ok(token), Some(hash)) if token::hash(token.trim()) == hash => return Ok(hash),
        // A token that an earlier database knew stays good when the database is new.
        (Ok(token), None) if token.trim().len() >= MIN_TOKEN => token.trim().to_owned(),
        (Ok(token), Some(hash)) if !token.trim().is_empty() => {
            tracing::warn!(path = %path.display(), "{OTHER_TOKEN}");
            return Ok(hash);
        }
        (Err(_), Some(hash)) => {
            tracing::warn!(path = %path.display(), "{NO_TOKEN}");
            return Ok(hash);
        }
        (Ok(_) | Err(_), _) => {
            let token = token::secret().map_err(KeyError::Random)?;
            token::private_file(&path, &token).map_err(fault)?;
            token
        }
    };
    let hash = token::hash(&token);
    store.put_installation_key(ADMIN_KEY, &hash).await?;
    tracing::info!(path = %path.display(), "an admin token was made");
    Ok(hash)
}

/// The runtimes of an installation, those in use being the settings' own and those that tenants' workers
/// run in. Finds the supervisor, or starts one that outlives us, if it is among them; a PM2 that does not
/// answer may come back later.
///
/// # Errors
/// [`StartError::Supervisor`], [`StartError::File`].
pub async fn runtimes(
    settings: &Settings,
    tenants: &[TenantRecord],
) -> Result<Runtimes, StartError> {
    let mut used: BTreeSet<_> = tenants.iter().map(|tenant| tenant.worker.runtime).collect();
    used.insert(settings.runtime);
    let local = supervisor(&settings.home)?;
    if used.contains(&RuntimeKind::Local) {
        local.ensure_supervisor().await?;
    }
    let default_home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".pm2");
    let pm2 = Pm2Runtime::new(Pm2Settings {
        program: settings.pm2_program.clone(),
        home: settings.pm2_home.clone().unwrap_or_else(default_home),
        interval: PM2_INTERVAL,
    });
    Ok(Runtimes::new(Arc::new(local), Arc::new(pm2), used))
}

/// Where the program lies that this process runs.
///
/// # Errors
/// [`StartError::File`].
pub fn own_program() -> Result<PathBuf, StartError> {
    std::env::current_exe()
        .map_err(|source| StartError::File { path: "the tenantry program".into(), source })
}

fn supervisor(home: &Home) -> Result<LocalRuntime, StartError> {
    let program = own_program()?;
    let arg = |text: &str| text.to_owned();
    let root = home.root().to_string_lossy().into_owned();
    let command = SupervisorCommand { program, args: vec![arg("supervisor"), arg("--home"), root] };
    Ok(LocalRuntime::new(home.supervisor_socket(), command)?)
}

/// Says where the control plane is reached, for the command line on this machine.
///
/// # Errors
/// [`StartError::File`].
pub fn announce(home: &Home, url: &str) -> Result<(), StartError> {
    let path = home.server_file();
    let text = serde_json::json!({
        "url": url,
        "pid": std::process::id(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    token::private_file(&path, &text.to_string())
        .map_err(|source| StartError::File { path, source })
}

/// Says something to whoever sits at the console, and to nobody else: it may be a secret, and has no place
/// in a log file.
pub fn show_on_console(text: &str) {
    if let Err(error) = writeln!(std::io::stderr(), "{text}") {
        tracing::debug!(%error, "the console is gone");
    }
}

/// Takes the announcement back.
pub fn withdraw(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::debug!(path = %path.display(), %error, "could not be removed");
    }
}
