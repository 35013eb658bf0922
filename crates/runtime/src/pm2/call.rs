//! One call of the `pm2` program: bounded in time and in what it may say, and never the birth of a daemon.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::KIND;
use crate::RuntimeError;

/// What a call that only looks may take. PM2's program needs a third of a second, more on a busy machine.
pub(super) const LOOK: Duration = Duration::from_secs(30);
/// How long the daemon may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// The most that `pm2 jlist` may print: some kilobytes for each process of a large fleet.
const MAX_OUTPUT: u64 = 64 * 1024 * 1024;
/// The most of its complaints that is kept.
const MAX_COMPLAINT: u64 = 64 * 1024;
/// PM2 takes the first chunk that it reads from its standard input for the whole process file.
pub(super) const MAX_INPUT: usize = 60 * 1024;
/// What PM2 says right before it hands an action to its daemon.
const ANNOUNCEMENT: &str = "Applying action";

/// Where PM2 is.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) program: PathBuf,
    pub(super) home: PathBuf,
}

/// One call.
pub(super) struct Call<'a> {
    pub(super) args: &'a [&'a str],
    /// What it reads from its standard input.
    pub(super) input: Option<&'a [u8]>,
    pub(super) limit: Duration,
    /// Told when PM2 says that it hands the action to its daemon.
    pub(super) announced: Option<oneshot::Sender<()>>,
}

impl<'a> Call<'a> {
    /// A call that changes nothing.
    pub(super) fn look(args: &'a [&'a str]) -> Self {
        Self { args, input: None, limit: LOOK, announced: None }
    }
}

impl Program {
    /// Whether a daemon answers. PM2's program would start an empty one otherwise, and workers that outlived
    /// the daemon before it would then seem not to run.
    pub(super) async fn ping(&self) -> Result<(), RuntimeError> {
        let socket = self.home.join("rpc.sock");
        let problem = match timeout(CONNECT, UnixStream::connect(&socket)).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", CONNECT.as_secs()),
        };
        Err(unreachable(format!(
            "no PM2 daemon answers at {}: {problem}; start it with `pm2 resurrect` (or `pm2 ping` for an empty \
             one) as its owner, or set pm2_home to the folder of the right one",
            socket.display()
        )))
    }

    /// Calls PM2 and gives what it printed.
    pub(super) async fn call(&self, call: Call<'_>) -> Result<String, RuntimeError> {
        self.ping().await?;
        let verb = call.args.first().copied().unwrap_or_default().to_owned();
        let failed = |error: &io::Error| failed(format!("`pm2 {verb}`: {error}"));
        let stdin = match call.input {
            Some(input) => Stdio::from(in_memory(input).map_err(|error| failed(&error))?),
            None => Stdio::null(),
        };
        let mut child = self.command(call.args).stdin(stdin).spawn().map_err(|error| {
            unreachable(format!(
                "cannot run `{}`: {error}; install PM2 with `npm install --global pm2`, or set pm2_program to \
                 where it is",
                self.program.display()
            ))
        })?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let running = async {
            let (out, err) = tokio::try_join!(
                listen(out, MAX_OUTPUT, call.announced),
                listen(err, MAX_COMPLAINT, None)
            )?;
            Ok::<_, io::Error>((child.wait().await?, out, err))
        };
        let (status, out, err) = match timeout(call.limit, running).await {
            Ok(ended) => ended.map_err(|error| failed(&error))?,
            Err(_) => {
                let limit = call.limit.as_secs();
                return Err(super::call::failed(format!(
                    "`pm2 {verb}` has not ended within {limit} s and was cut off"
                )));
            }
        };
        if status.success() {
            return Ok(out);
        }
        let words = complaint(&err).or_else(|| complaint(&out));
        let words = words.unwrap_or_else(|| format!("it ended with {status}"));
        Err(super::call::failed(format!("`pm2 {verb}`: {words}")))
    }

    /// A command with nothing of our environment but what Node needs to run: PM2 hands its own environment on.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).env_clear().env("PM2_HOME", &self.home).env("FORCE_COLOR", "0");
        for name in ["PATH", "HOME", "LANG"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }
}

/// A file that is on no disk: a pipe could hand its content over in pieces.
fn in_memory(content: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("process file", MemfdFlags::CLOEXEC)?);
    file.write_all(content)?;
    file.rewind()?;
    Ok(file)
}

/// Reads to the end, and tells when the announcement goes by.
async fn listen(
    stream: Option<impl AsyncRead + Unpin>,
    most: u64,
    mut announced: Option<oneshot::Sender<()>>,
) -> io::Result<String> {
    let mut heard = Vec::new();
    let Some(stream) = stream else { return Ok(String::new()) };
    let mut stream = stream.take(most);
    while stream.read_buf(&mut heard).await? > 0 {
        if announced.is_some() && String::from_utf8_lossy(&heard).contains(ANNOUNCEMENT) {
            // Who wanted to know may have left.
            let _ = announced.take().map(|announced| announced.send(()));
        }
    }
    if stream.limit() == 0 {
        return Err(io::Error::other(format!("it printed more than {most} bytes")));
    }
    Ok(String::from_utf8_lossy(&heard).into_owned())
}

/// PM2's own words for what went wrong: the lines that it marks as errors, else the last one.
fn complaint(said: &str) -> Option<String> {
    let marked: Vec<_> = said
        .lines()
        .filter_map(|line| line.split_once("[ERROR]").map(|(_, words)| words.trim()))
        .filter(|words| !words.is_empty())
        .collect();
    if marked.is_empty() {
        return said.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned);
    }
    Some(marked.join("; "))
}

pub(super) fn unreachable(message: String) -> RuntimeError {
    RuntimeError::Unreachable { kind: KIND, message }
}

pub(super) fn failed(message: impl Into<String>) -> RuntimeError {
    RuntimeError::Failed { message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::complaint;

    #[test]
    fn errors_are_in_the_words_of_pm2() {
        let said = "[PM2] Applying action stopProcessId\n[PM2][ERROR] 77 : id unknown\n";
        assert_eq!(complaint(said).unwrap(), "77 : id unknown");
        assert_eq!(complaint("SyntaxError: x\n    at y\n\n").unwrap(), "at y");
        assert_eq!(complaint("\n"), None);
    }
}
