//! The supervisor as a program: lock, take over, listen, leave.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::serve::Listener;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{UnixListener, UnixStream, unix::SocketAddr};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::budget::BudgetSettings;
use crate::engine::{Edit, Engine, EngineConfig, EngineHandle, Target};
pub use crate::handover::Handover;
use crate::http::{Served, router};
use crate::memory;
use crate::orphans;
use crate::process_table::ProcessStat;
use crate::run_dir::RunDir;
use crate::spawn::now_ms;
use crate::stats::Stats;
use crate::systemd::notify_systemd;

/// Longest path of a Unix socket, without the zero byte that ends it.
const MAX_SOCKET_PATH: usize = 107;
/// How long connections may take to end once the engine has.
const GOODBYE: Duration = Duration::from_secs(2);

/// Time from letting nobody in any more to closing connections that are silent: who was let in last has not been heard yet.
const LAST_CALL: Duration = Duration::from_millis(50);
/// How long requests are still answered as usual once the supervisor leaves.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// How long the last program that a killed supervisor was executing may take to begin.
const LAST_EXECUTION: Duration = Duration::from_secs(5);

/// What a supervisor has to know.
#[derive(Debug)]
pub struct DaemonConfig {
    /// Its folder, absolute; made (0700) where missing. One supervisor per folder.
    pub run_dir: PathBuf,
    /// The command line of a program that calls [`crate::holder::run`] with [`holder_socket_path`]. Without one, what a
    /// process writes last is lost should it end while there is no supervisor.
    pub holder: Vec<OsString>,
    /// How many processes may be starting at the same time.
    pub starts_at_once: usize,
    /// How many starts that nobody asked for (restarts by policy, by the clock, after a reboot) there are in a second, on
    /// average. Up to a second's worth of them comes at once.
    pub starts_per_second: f64,
    /// The service manager's socket (`NOTIFY_SOCKET`), which is told when the supervisor is ready.
    pub notify_socket: Option<OsString>,
    /// What the program before us left open, when we took its place (see [`Ending::Upgrade`]).
    pub handover: Option<Handover>,
}

impl DaemonConfig {
    /// A supervisor of this folder, with defaults for everything else.
    #[must_use]
    pub fn new(run_dir: PathBuf) -> Self {
        let starts = BudgetSettings::default();
        Self {
            run_dir,
            holder: Vec::new(),
            starts_at_once: starts.at_once,
            starts_per_second: starts.per_second,
            notify_socket: None,
            handover: None,
        }
    }

    fn starts(&self) -> BudgetSettings {
        // A second's worth, and at least one.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let burst = self.starts_per_second.clamp(1.0, 1e6) as u32;
        BudgetSettings { at_once: self.starts_at_once, per_second: self.starts_per_second, burst }
    }
}

/// Why a supervisor ended.
#[derive(Debug)]
#[must_use]
pub enum Ending {
    /// It was asked to leave.
    Left,
    /// It was asked to become another program: the caller executes it, with this [`Handover`].
    Upgrade {
        /// The program.
        program: PathBuf,
        /// What the program takes over, kept open over the execution.
        handover: Handover,
    },
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
pub async fn run(
    mut config: DaemonConfig,
    shutdown: CancellationToken,
) -> Result<Ending, DaemonError> {
    memory::share_one_heap();
    let run_dir = RunDir::new(&config.run_dir);
    let socket = run_dir.socket();
    check_socket_path(&socket)?;
    run_dir.create().map_err(failed("cannot create", &config.run_dir))?;
    let (inherited, lock) = match config.handover.take() {
        Some(Handover { listener, lock }) => (Some(listener), lock),
        None => (None, take_lock(&config.run_dir, &run_dir).await?.into()),
    };
    let children_have = lock.try_clone().map_err(failed("cannot keep", &run_dir.lock()))?;
    if let Err(error) = write_pid(&run_dir.pid()) {
        // A full disk is no reason to leave what runs unwatched.
        tracing::error!(%error, path = %run_dir.pid().display(), "cannot write the pid file");
    }
    let open_files = raise_open_files();
    let started_at = now_ms();
    let opening = Engine::open(EngineConfig {
        run_dir: run_dir.clone(),
        holder: config.holder.clone(),
        starts: config.starts(),
        open_files,
        lock: Some(Arc::new(children_have)),
    });
    let (engine, handle) =
        opening.await.map_err(failed("cannot recover from", &run_dir.journal()))?;
    if let Err(error) = orphans::adopt_and_reap(engine.census()) {
        tracing::warn!(%error, "cannot become the parent of orphans; some may outlive their tree");
    }
    let adopted = engine.adopted();
    let listener = inherited.map_or_else(|| listen(&socket), listen_on);
    let listener = listener.map_err(failed("cannot listen on", &socket))?;
    let kept = listener.as_fd().try_clone_to_owned().map_err(failed("cannot keep", &socket))?;
    tracing::info!(run_dir = %config.run_dir.display(), adopted, "supervisor is ready");
    config.tell_service_manager("READY=1");
    reopen_logs_on_signal(handle.clone());
    let served = Arc::new(Served {
        engine: handle,
        stats: Stats::new(engine.census()),
        run_dir: config.run_dir.clone(),
        started_at,
        adopted,
        cgroups: engine.has_cgroups(),
        upgrade: Mutex::default(),
        shutdown: shutdown.clone(),
    });
    // The engine ends last: who has been let in is answered.
    let engine_end = CancellationToken::new();
    let engine = tokio::spawn(engine.run(engine_end.clone()));
    serve(listener, Arc::clone(&served), &shutdown, &engine_end).await;
    shutdown.cancel();
    engine_end.cancel();
    // Its end can only be the shutdown.
    let _ = engine.await;
    let upgrade = served.upgrade.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(program) = upgrade {
        tracing::info!(program = %program.display(), "supervisor becomes another program");
        let handover = Handover { listener: kept, lock };
        return Ok(Ending::Upgrade { program, handover });
    }
    config.tell_service_manager("STOPPING=1");
    for path in [&socket, &run_dir.pid()] {
        let _ = std::fs::remove_file(path);
    }
    tracing::info!("supervisor has left");
    Ok(Ending::Left)
}

async fn serve(
    listener: UnixListener,
    served: Arc<Served>,
    shutdown: &CancellationToken,
    engine_end: &CancellationToken,
) {
    let door = Door { listener, closed: shutdown.clone() };
    let last_call = {
        let shutdown = shutdown.clone();
        async move { after(&shutdown, LAST_CALL).await }
    };
    let server = axum::serve(door, router(served)).with_graceful_shutdown(last_call);
    let leave = async {
        after(shutdown, LAST_ANSWERS).await;
        // Who waits for something that takes longer is told that we leave.
        engine_end.cancel();
        tokio::time::sleep(GOODBYE).await;
    };
    tokio::select! {
        ended = server.into_future() => {
            if let Err(error) = ended {
                tracing::error!(%error, "the server ended");
            }
        }
        () = leave => tracing::warn!("connections did not end in time"),
    }
}

/// Lets nobody in any more once the supervisor leaves: who comes then waits for the next one.
struct Door {
    listener: UnixListener,
    closed: CancellationToken,
}

impl Listener for Door {
    type Io = UnixStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (UnixStream, SocketAddr) {
        tokio::select! {
            biased;
            () = self.closed.cancelled() => std::future::pending().await,
            caller = Listener::accept(&mut self.listener) => caller,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl DaemonConfig {
    fn tell_service_manager(&self, state: &str) {
        let state = format!("{state}\nMAINPID={}", std::process::id());
        if let Err(error) = notify_systemd(self.notify_socket.as_deref(), &state) {
            tracing::warn!(%error, "cannot reach the service manager");
        }
    }
}

/// SIGUSR2 has all log files opened anew, as PM2's daemon does: for rotation by another program.
fn reopen_logs_on_signal(engine: EngineHandle) {
    let mut asked = match signal(SignalKind::user_defined2()) {
        Ok(asked) => asked,
        Err(error) => {
            tracing::warn!(%error, "cannot listen to SIGUSR2");
            return;
        }
    };
    tokio::spawn(async move {
        while asked.recv().await.is_some() {
            for row in engine.rows().await.unwrap_or_default() {
                // One that was forgotten meanwhile has no files any more.
                let _ = engine.edit(Target::Id(row.id), Edit::ReopenLogs).await;
            }
        }
    });
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
async fn take_lock(root: &Path, run_dir: &RunDir) -> Result<File, DaemonError> {
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

/// Goes on with the socket of the program before us: who connected meanwhile has only waited.
fn listen_on(socket: OwnedFd) -> io::Result<UnixListener> {
    let listener = std::os::unix::net::UnixListener::from(socket);
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
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
