//! A home with nothing but processes in it, and the program under each of its names.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::{Run, proc, program};

/// A home for processes. Dropping it ends every process that was started in it.
pub struct Workshop {
    folder: TempDir,
}

impl Default for Workshop {
    fn default() -> Self {
        Self::new()
    }
}

impl Workshop {
    /// An empty one.
    ///
    /// # Panics
    /// When there is no temporary folder.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("tnw").tempdir().expect("a temporary home");
        for name in ["pm2", "pm2-runtime"] {
            symlink(program::program(), folder.path().join(name)).expect("a link");
        }
        Self { folder }
    }

    /// The working directory and Tenantry's home.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// PM2's home.
    #[must_use]
    pub fn pm2_home(&self) -> PathBuf {
        self.folder().join(".pm2")
    }

    /// Writes a file and gives its path.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder().join(name);
        fs::write(&path, text).expect("a file");
        path
    }

    fn command(&self, name: &str, args: &[&str]) -> Command {
        let program =
            if name == "tenantry" { program::program() } else { self.folder().join(name) };
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder())
            .env("TENANTRY_HOME", self.folder())
            .current_dir(self.folder())
            .args(args)
            .stdin(Stdio::null());
        command
    }

    /// Runs the program under a name to its end.
    ///
    /// # Panics
    /// When it cannot be run.
    #[must_use]
    pub fn run(&self, name: &str, args: &[&str], env: &[(&str, &str)]) -> Run {
        let output = self.command(name, args).envs(env.iter().copied()).output();
        let output = output.expect("the program runs");
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs `tenantry`, which must succeed, and gives what it printed.
    ///
    /// # Panics
    /// When it fails.
    pub fn ok(&self, args: &[&str]) -> String {
        self.succeed("tenantry", args)
    }

    /// Runs `pm2`, which must succeed, and gives what it printed.
    ///
    /// # Panics
    /// When it fails.
    pub fn pm2(&self, args: &[&str]) -> String {
        self.succeed("pm2", args)
    }

    fn succeed(&self, name: &str, args: &[&str]) -> String {
        let run = self.run(name, args, &[]);
        assert_eq!(run.code, 0, "{name} {args:?}: {}{}", run.stdout, run.stderr);
        run.stdout
    }

    /// Starts the program under a name with its output in a file.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn spawn(&self, name: &str, args: &[&str], output: &Path) -> Child {
        let output = fs::File::create(output).expect("a file for the output");
        self.command(name, args).stdout(output).spawn().expect("the program starts")
    }

    /// The items of `jlist`.
    ///
    /// # Panics
    /// When it is no list.
    #[must_use]
    pub fn jlist(&self, name: &str) -> Vec<Value> {
        let text = self.succeed(name, &["jlist"]);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("jlist: {error}: {text}"))
    }

    /// The pid of the supervisor of a home.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn supervisor_pid(&self, home: &Path) -> u32 {
        let text = fs::read_to_string(home.join("run/supervisor.pid")).expect("its pid file");
        text.trim().parse().expect("a pid")
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // The supervisors go before their processes, or they would start them again.
        for home in [self.folder().to_owned(), self.pm2_home()] {
            if let Ok(pid) = fs::read_to_string(home.join("run/supervisor.pid"))
                && let Ok(pid) = pid.trim().parse()
            {
                proc::kill(pid);
            }
        }
        for pid in proc::of_home(self.folder()) {
            proc::kill(pid);
        }
    }
}
