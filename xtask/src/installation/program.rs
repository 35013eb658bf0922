//! The programs that a task starts in its home.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::home::Home;
use super::leftovers::HOME_VARIABLE;
use super::wait::PACE;

/// Variables of the caller's that these programs see. All others are kept from them: a
/// `DATABASE_URL` of something else must not become theirs.
const PASSED_ON: [&str; 8] =
    ["HOME", "LANG", "LC_ALL", "LOG_LEVEL", "PATH", "TERM", "TMPDIR", "USER"];

/// How long a program may take to end after TERM before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// How many lines of its log are shown when a program ends by itself.
const SHOWN_LINES: usize = 20;

/// A call of `program` in the home's environment.
pub fn command(program: &Path, home: &Home) -> Command {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null());
    command.envs(PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.env("TENANTRY_HOME", home.path()).env(HOME_VARIABLE, home.path());
    command
}

/// A running program; dropped, it is ended.
pub struct Program {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts `command` with stdout in `out` and stderr in `log`.
    pub fn start(
        name: &'static str,
        command: &mut Command,
        out: &Path,
        log: &Path,
    ) -> Result<Self> {
        // Its own process group, so that Ctrl-C reaches this program alone, which then ends the
        // others in order.
        let child = command
            .process_group(0)
            .stdout(File::create(out)?)
            .stderr(File::create(log)?)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name, child, log: log.to_path_buf() })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How the program ended; none while it runs.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// An error with the end of its log when the program has ended.
    pub fn check(&mut self) -> Result<()> {
        let Some(status) = self.child.try_wait()? else {
            return Ok(());
        };
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(SHOWN_LINES)..).unwrap_or_default();
        bail!(
            "{} ended by itself ({status}); the end of {}:\n{}",
            self.name,
            self.log.display(),
            tail.join("\n")
        )
    }

    /// TERM, then KILL when the grace is over.
    pub fn end(&mut self) {
        let deadline = Instant::now() + GRACE;
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        while let Ok(None) = self.child.try_wait() {
            // Not yet waited for, so the id is still its own.
            if let Some(pid) = pid {
                let _ = kill_process(pid, Signal::TERM);
            }
            if Instant::now() >= deadline {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(PACE);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end();
    }
}
