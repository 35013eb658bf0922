//! Calls of the contenders' commands, timed and bounded.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::stage::Stage;
use crate::installation::wait::interrupted;

/// How many lines of its words are shown when a command fails.
const SHOWN_LINES: usize = 12;

/// A running command. What it says goes to files: a daemon that it starts may keep them.
pub struct Call {
    /// The command line, for errors.
    words: String,
    child: Child,
    handle: OwnedFd,
    begun: Instant,
    out: PathBuf,
    err: PathBuf,
}

impl Call {
    /// Starts the command, with the clock.
    pub fn begin(stage: &Stage, mut command: Command) -> Result<Self> {
        let [out, err] = stage.words();
        // Its own process group, so that Ctrl-C does not end the contenders before their figures.
        command.process_group(0).stdout(File::create(&out)?).stderr(File::create(&err)?);
        let mut words = command.get_program().to_string_lossy().into_owned();
        for argument in command.get_args() {
            words = format!("{words} {}", argument.to_string_lossy());
        }
        let begun = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot run `{words}`"))?;
        let handle = handle(child.id())?;
        Ok(Self { words, child, handle, begun, out, err })
    }

    /// When it was started.
    pub fn begun(&self) -> Instant {
        self.begun
    }

    /// An error when it has failed; `stays` says that its end alone is a failure.
    pub fn check(&mut self, stays: bool) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) if stays || !status.success() => bail!(self.failure(&status.to_string())),
            _ => Ok(()),
        }
    }

    /// Waits for its end and returns how long it took; that it fails is an error with its words.
    pub fn finish(&mut self, deadline: Instant) -> Result<Duration> {
        if !ended(&self.handle, deadline)? {
            bail!(self.failure("still running at its deadline"));
        }
        let taken = self.begun.elapsed();
        let status = self.child.wait()?;
        if !status.success() {
            bail!(self.failure(&status.to_string()));
        }
        Ok(taken)
    }

    /// What it said on stdout.
    pub fn output(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&std::fs::read(&self.out)?).into_owned())
    }

    fn failure(&self, how: &str) -> String {
        let said: Vec<String> = [&self.out, &self.err]
            .into_iter()
            .filter_map(|file| std::fs::read(file).ok())
            .flat_map(|bytes| {
                String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect::<Vec<_>>()
            })
            .collect();
        let tail = said.get(said.len().saturating_sub(SHOWN_LINES)..).unwrap_or_default();
        format!("`{}` failed ({how}):\n{}", self.words, tail.join("\n"))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A handle for a process.
pub fn handle(pid: u32) -> Result<OwnedFd> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).context("this is no process id")?;
    pidfd_open(pid, PidfdFlags::empty()).with_context(|| format!("no process {pid:?}"))
}

/// Waits for the end of a process; false at the deadline. Ctrl-C is an error.
pub fn ended(process: impl AsFd, deadline: Instant) -> Result<bool> {
    loop {
        ensure!(!interrupted(), "interrupted");
        let left = deadline.saturating_duration_since(Instant::now());
        // Readable is a pidfd at the end of its process.
        match poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&Timespec::try_from(left)?)) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error).context("cannot wait for a process"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::{Duration, Instant};

    use super::super::programs::Programs;
    use super::super::stage::Stage;
    use super::Call;

    fn stage(folder: &Path) -> Stage {
        let (tiny, writer) = ("/bin/tiny".into(), "/bin/writer".into());
        let programs = Programs { tiny, writer, spawnloop: "/bin/spawnloop".into() };
        Stage::of_tiny(&folder.join("stage"), &programs, 1).unwrap()
    }

    #[test]
    fn a_failed_command_is_named_with_its_words() {
        let folder = tempfile::tempdir().unwrap();
        let stage = stage(folder.path());
        let mut command = stage.command(Path::new("/bin/sh"));
        command.args(["-c", "echo no such verb >&2; exit 2"]);
        let mut call = Call::begin(&stage, command).unwrap();
        let error = call.finish(Instant::now() + Duration::from_secs(10)).unwrap_err().to_string();
        assert!(error.contains("/bin/sh -c"), "{error}");
        assert!(error.contains("exit status: 2") && error.ends_with(":\nno such verb"), "{error}");
        assert!(call.check(false).is_err());
    }

    #[test]
    fn a_command_that_goes_on_is_ended_with_its_call() {
        let folder = tempfile::tempdir().unwrap();
        let stage = stage(folder.path());
        let mut command = stage.command(Path::new("/bin/sh"));
        command.args(["-c", "exec sleep 600"]);
        let mut call = Call::begin(&stage, command).unwrap();
        call.check(true).unwrap();
        assert!(call.finish(Instant::now()).unwrap_err().to_string().contains("deadline"));
    }

    #[test]
    fn what_it_said_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let stage = stage(folder.path());
        let mut command = stage.command(Path::new("/bin/sh"));
        command.args(["-c", "echo yes"]);
        let mut call = Call::begin(&stage, command).unwrap();
        let taken = call.finish(Instant::now() + Duration::from_secs(10)).unwrap();
        assert!(taken > Duration::ZERO);
        assert_eq!(call.output().unwrap(), "yes\n");
    }
}
