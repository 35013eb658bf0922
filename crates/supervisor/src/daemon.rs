//! The supervisor as a program: lock, take over, listen, leave.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::UnixListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::budget::BudgetSettings;
use crate::engine::{Engine, EngineConfig};
use crate::http::{Served, router};
use crate::orphans;
use crate::process_table::ProcessStat;
use crate::record::RunDir;
use crate::spawn::now_ms;
use crate::stats::Stats;

/// Longest path of a Unix socket, without the zero byte that ends it.
const MAX_SOCKET_PATH: usize = 107;
/// How long connections may take to end once the supervisor leaves.
const GOODBYE: Duration = Duration::from_secs(2);

/// How long the last program that a killed supervisor was executing may take to begin.
const LAST_EXECUTION: Duration = Duration::from_secs(5);

/// What a supervisor has to know.
#[derive(Debug, Clone)]
pub struct DaemonConfig {
    /// Its folder, absolute; made (0700) where missing. One supervisor per folder.
    pub run_dir: PathBuf,
    /// The command line of a program that calls [`crate::holder::run`] with [`holder_socket_path`]. Without one, what a
    /// process writes last is lost should it end while there is no supervisor.
    pub holder: Vec<OsString>,
}

/// Why the supervisor could not begin, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Another one has the folder.
    #[error("a supervisor is already running for {} (pid {pid})", run_dir.display())]
    AlreadyRunning {
        /// The folder.
        run_dir: PathBuf,
        /// The other one's pid; `unknown` when it has not said yet.
        pid: String,
    },
    /// The folder's path leaves no room for the socket's.
    #[error(
        "the socket path {} has {length} bytes, but a Unix socket's path may have {MAX_SOCKET_PATH} at most; choose a shorter run directory",
        path.display()
    )]
    SocketPathTooLong {
        /// The socket.
        path: PathBuf,
        /// Length of its path in bytes.
        length: usize,
    },
    /// The system refused something.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Where the supervisor of a run directory listens.
#[must_use]
pub fn socket_path(run_dir: &Path) -> PathBuf {
    run_dir.join("supervisor.sock")
}

/// Where the holder of a run directory's pipes listens.
#[must_use]
pub fn holder_socket_path(run_dir: &Path) -> PathBuf {
    RunDir::new(run_dir).holder_socket()
}

/// Runs the supervisor until `shutdown` or a request to leave. Its processes live on then.
///
/// # Errors
/// When another supervisor has the run directory, or the system refuses a file, the lock or the socket.
pub async fn run(config: DaemonConfig, shutdown: CancellationToken) -> Result<(), DaemonError> {
    let run_dir = RunDir::new(&config.run_dir);
    let socket = run_dir.socket();
    check_socket_path(&socket)?;
    run_dir.create().map_err(failed("cannot create", &config.run_dir))?;
    let _lock = lock(&config.run_dir, &run_dir).await?;
    if let Err(error) = write_pid(&run_dir.pid()) {
        // A full disk is no reason to leave what runs unwatched.
        tracing::error!(%error, path = %run_dir.pid().display(), "cannot write the pid file");
    }
    let open_files = raise_open_files();
    let started_at = now_ms();
    let opening = Engine::open(EngineConfig {
        run_dir: run_dir.clone(),
        holder: config.holder.clone(),
        starts: BudgetSettings::default(),
        open_files,
    })
    .await;
    let (engine, handle) = opening.map_err(failed("cannot recover from", &run_dir.journal()))?;
    if let Err(error) = orphans::adopt_and_reap(engine.census()) {
        tracing::warn!(%error, "cannot become the parent of orphans; some may outlive their tree");
    }
    let adopted = engine.adopted();
    let listener = listen(&socket).map_err(failed("cannot listen on", &socket))?;
    tracing::info!(run_dir = %config.run_dir.display(), adopted, "supervisor is ready");
    let served = Arc::new(Served {
        engine: handle,
        stats: Stats::new(engine.census()),
        run_dir: config.run_dir.clone(),
        started_at,
        adopted,
        cgroups: engine.has_cgroups(),
        shutdown: shutdown.clone(),
    });
    let engine = tokio::spawn(engine.run(shutdown.clone()));
    let server = axum::serve(listener, router(served))
        .with_graceful_shutdown(shutdown.clone().cancelled_owned());
    tokio::select! {
        ended = server.into_future() => {
            if let Err(error) = ended {
                tracing::error!(%error, "the server ended");
            }
        }
        () = after(&shutdown, GOODBYE) => tracing::warn!("connections did not end in time"),
    }
    shutdown.cancel();
    // Its end can only be the shutdown.
    let _ = engine.await;
    for path in [&socket, &run_dir.pid()] {
        let _ = std::fs::remove_file(path);
    }
    tracing::info!("supervisor has left");
    Ok(())
}

async fn after(shutdown: &CancellationToken, time: Duration) {
    shutdown.cancelled().await;
    tokio::time::sleep(time).await;
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DaemonError {
    let path = path.to_owned();
    move |source| DaemonError::Io { action, path, source }
}

pub(crate) fn check_socket_path(path: &Path) -> Result<(), DaemonError> {
    let length = path.as_os_str().len();
    if length > MAX_SOCKET_PATH {
        return Err(DaemonError::SocketPathTooLong { path: path.to_owned(), length });
    }
    Ok(())
}

/// Takes the folder for us alone. The kernel gives it back however we end.
///
/// A child of a killed supervisor has the lock too until its program is executed. That is waited for, which also
/// makes sure that it is found when we look who runs.
async fn lock(root: &Path, run_dir: &RunDir) -> Result<File, DaemonError> {
    let path = run_dir.lock();
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = file.map_err(failed("cannot open", &path))?;
    let deadline = Instant::now() + LAST_EXECUTION;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(Errno::WOULDBLOCK) => {}
            Err(errno) => return Err(failed("cannot lock", &path)(errno.into())),
        }
        let pid = read_pid(run_dir);
        if lives(&pid) || Instant::now() >= deadline {
            return Err(DaemonError::AlreadyRunning { run_dir: root.to_owned(), pid });
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn lives(pid: &str) -> bool {
    let stat = pid.parse().ok().and_then(|pid| ProcessStat::read(pid).ok().flatten());
    stat.is_some_and(|stat| !stat.is_zombie())
}

fn read_pid(run_dir: &RunDir) -> String {
    let mut text = String::new();
    let read = File::open(run_dir.pid()).and_then(|mut file| file.read_to_string(&mut text));
    match read {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        Ok(_) | Err(_) => "unknown".to_owned(),
    }
}

fn write_pid(path: &Path) -> io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    writeln!(file, "{}", std::process::id())
}

/// Binds beside the socket's name and moves into place: a stale socket is replaced, and nobody ever sees
/// one with wider permissions.
fn listen(path: &Path) -> io::Result<UnixListener> {
    let fresh = path.with_extension("new");
    match std::fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&fresh)?;
    std::fs::set_permissions(&fresh, Permissions::from_mode(0o600))?;
    std::fs::rename(&fresh, path)?;
    Ok(listener)
}

/// Each process needs a few descriptors here. Gives back the limit before, which is the one for processes.
fn raise_open_files() -> Option<Rlimit> {
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: before.maximum, maximum: before.maximum };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => Some(before),
        Err(error) => {
            tracing::warn!(%error, "cannot raise the limit on open files");
            None
        }
    }
}
