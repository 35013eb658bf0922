//! Reaching the supervisor, and starting one when there is none.

use std::fs::{DirBuilder, File, OpenOptions};
use std::future::Future;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use supervisor::client::{Client, ClientError};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{KIND, SupervisorCommand};
use crate::RuntimeError;

/// How long a supervisor that was just started may take to answer. With many processes to take over it
/// needs a moment.
const START_TIME: Duration = Duration::from_secs(10);
/// Pause between two questions whether it answers yet.
const PAUSE: Duration = Duration::from_millis(10);

/// A client and what it takes to have somebody at the other end.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    client: Client,
    command: Option<Arc<SupervisorCommand>>,
    /// One start at a time, however many find nobody answering.
    starting: Arc<Mutex<()>>,
}

impl Connection {
    pub(super) fn new(
        socket: &Path,
        command: Option<SupervisorCommand>,
    ) -> Result<Self, RuntimeError> {
        let client = Client::new(socket)
            .map_err(|error| RuntimeError::Invalid { message: error.to_string() })?;
        Ok(Self { client, command: command.map(Arc::new), starting: Arc::default() })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Makes a call. When nobody answers, gets somebody to, and calls once more: a call that found nobody
    /// had no effect, and one whose connection broke may be repeated, as the verbs may.
    pub(super) async fn call<T, F>(&self, make: impl Fn() -> F) -> Result<T, ClientError>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        match make().await {
            Err(ClientError::Unreachable { .. }) if self.ensure().await.is_ok() => make().await,
            other => other,
        }
    }

    /// Returns once somebody answers.
    pub(super) async fn ensure(&self) -> Result<(), RuntimeError> {
        let _one = self.starting.lock().await;
        let Err(problem) = self.client.info().await else { return Ok(()) };
        let Some(command) = &self.command else {
            return Err(unreachable(problem.to_string()));
        };
        let mut child = start(command, self.client.socket())?;
        let deadline = Instant::now() + START_TIME;
        loop {
            let Err(problem) = self.client.info().await else { break };
            let ended = child.try_wait().ok().flatten();
            if let Some(status) = ended.filter(|status| !status.success()) {
                // Another one may have been faster; then it is the one that answers.
                if self.client.info().await.is_ok() {
                    break;
                }
                return Err(unreachable(format!(
                    "the supervisor that was started ({}) ended at once with {status}; see {}",
                    command.program.display(),
                    log_path(self.client.socket()).display(),
                )));
            }
            if Instant::now() >= deadline {
                return Err(unreachable(format!(
                    "the supervisor that was started ({}) does not answer after {} s: {problem}",
                    command.program.display(),
                    START_TIME.as_secs(),
                )));
            }
            tokio::time::sleep(PAUSE).await;
        }
        reap_later(child);
        tracing::info!(socket = %self.client.socket().display(), "supervisor started");
        Ok(())
    }
}

/// Where a supervisor that we start writes to.
fn log_path(socket: &Path) -> PathBuf {
    socket.with_file_name("supervisor.err")
}

/// Opens the log file, and makes its folder (the run directory, as a rule) where the supervisor has not yet.
fn open_log(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

fn unreachable(message: String) -> RuntimeError {
    RuntimeError::Unreachable { kind: KIND, message }
}

/// Starts it so that it has nothing of ours: no terminal, no session, no input or output.
fn start(command: &SupervisorCommand, socket: &Path) -> Result<Child, RuntimeError> {
    let failed = |action: &str, error: &io::Error| {
        unreachable(format!("cannot {action} {}: {error}", command.program.display()))
    };
    let log =
        open_log(&log_path(socket)).map_err(|error| failed("open the log file of", &error))?;
    let copy = log.try_clone().map_err(|error| failed("open the log file of", &error))?;
    let mut process = Command::new(&command.program);
    process.args(&command.args).stdin(Stdio::null()).stdout(log).stderr(copy);
    // SAFETY: between fork and exec only `setsid` is called, a plain system call that neither allocates nor
    // takes locks.
    #[allow(unsafe_code)]
    unsafe {
        process.pre_exec(|| rustix::process::setsid().map(drop).map_err(Into::into));
    }
    process.spawn().map_err(|error| failed("start", &error))
}

/// It outlives us as a rule; should it not, it must not stay a zombie.
fn reap_later(mut child: Child) {
    let waiting = std::thread::Builder::new().name("supervisor-wait".to_owned());
    let waiting = waiting.spawn(move || child.wait());
    if let Err(error) = waiting {
        tracing::warn!(%error, "cannot wait for the supervisor's end");
    }
}
