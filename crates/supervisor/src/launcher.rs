//! Starting a supervisor when none answers: it becomes a session of its own and outlives whoever started it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::Instant;

use crate::client::Client;

/// How long a supervisor that was just started may take to answer. With many processes to take over it
/// needs a moment.
const START_TIME: Duration = Duration::from_secs(10);
/// Pause between two questions whether it answers yet.
const PAUSE: Duration = Duration::from_millis(2);

/// How a supervisor is started when none answers. What it writes is appended to `supervisor.err` beside its
/// socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupervisorCommand {
    /// The program, absolute.
    pub program: PathBuf,
    /// Its arguments; they must make it listen on the socket that the client uses.
    pub args: Vec<String>,
}

/// Why no supervisor answers although one was started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// It could not be started.
    #[error("cannot {action} {}: {source}", program.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The program.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It ended before it answered.
    #[error("the supervisor that was started ({}) ended at once with {status}; see {}", program.display(), log.display())]
    Ended {
        /// The program.
        program: PathBuf,
        /// How it ended.
        status: std::process::ExitStatus,
        /// Where it wrote why.
        log: PathBuf,
    },
    /// It runs and does not answer.
    #[error("the supervisor that was started ({}) does not answer after {} s: {problem}", program.display(), START_TIME.as_secs())]
    Silent {
        /// The program.
        program: PathBuf,
        /// What the last question met with.
        problem: String,
    },
}

/// Starts a supervisor and returns once it (or another one that was faster) answers.
///
/// # Errors
/// [`LaunchError`].
pub async fn launch(command: &SupervisorCommand, client: &Client) -> Result<(), LaunchError> {
    let program = || command.program.clone();
    let mut child = spawn(command, client.socket())?;
    let deadline = Instant::now() + START_TIME;
    loop {
        let Err(problem) = client.info().await else { break };
        let ended = child.try_wait().ok().flatten();
        if let Some(status) = ended.filter(|status| !status.success()) {
            // Another one may have been faster; then it is the one that answers.
            if client.info().await.is_ok() {
                break;
            }
            let log = log_path(client.socket());
            return Err(LaunchError::Ended { program: program(), status, log });
        }
        if Instant::now() >= deadline {
            return Err(LaunchError::Silent { program: program(), problem: problem.to_string() });
        }
        tokio::time::sleep(PAUSE).await;
    }
    reap_later(child);
    tracing::info!(socket = %client.socket().display(), "supervisor started");
    Ok(())
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

/// Starts it so that it has nothing of ours: no terminal, no session, no input or output.
fn spawn(command: &SupervisorCommand, socket: &Path) -> Result<Child, LaunchError> {
    let failed =
        |action| move |source| LaunchError::Io { action, program: command.program.clone(), source };
    let log = open_log(&log_path(socket)).map_err(failed("open the log file of"))?;
    let copy = log.try_clone().map_err(failed("open the log file of"))?;
    let mut process = Command::new(&command.program);
    process.args(&command.args).stdin(Stdio::null()).stdout(log).stderr(copy);
    // SAFETY: between fork and exec only `setsid` is called, a plain system call that neither allocates nor
    // takes locks.
    #[allow(unsafe_code)]
    unsafe {
        process.pre_exec(|| rustix::process::setsid().map(drop).map_err(Into::into));
    }
    process.spawn().map_err(failed("start"))
}

/// It outlives us as a rule; should it not, it must not stay a zombie.
fn reap_later(mut child: Child) {
    let waiting = std::thread::Builder::new().name("supervisor-wait".to_owned());
    let waiting = waiting.spawn(move || child.wait());
    if let Err(error) = waiting {
        tracing::warn!(%error, "cannot wait for the supervisor's end");
    }
}
