//! Where the supervisor of this call lives: the home of Tenantry, or PM2's.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, bail};
use pm2::Homes;
use supervisor::launcher::SupervisorCommand;

use crate::called::Called;
use crate::connection::Environment;

/// The folder that the commands on processes work in.
///
/// ```text
/// run/              the supervisor's socket, lock and state
/// logs/             NAME-out.log, NAME-error.log
/// pids/             what `--pid` does not put elsewhere
/// dump.pm2[.bak]    what `save` writes
/// module_conf.json  the key store
/// pm2.pid, pm2.log  links into run/, in PM2's home only
/// ```
#[derive(Clone, Debug)]
pub struct Place {
    root: PathBuf,
    called: Called,
}

impl Place {
    /// The place that the name of the program and the environment tell.
    ///
    /// # Errors
    /// When the home cannot be told.
    pub fn of(called: Called, environment: &Environment) -> anyhow::Result<Self> {
        let root = match called {
            Called::Tenantry => environment.home()?.root().to_owned(),
            Called::Pm2 | Called::Pm2Runtime => pm2_home(environment)?,
        };
        Ok(Self { root, called })
    }

    /// The same kind of place with another root.
    pub const fn at(&self, root: PathBuf) -> Self {
        Self { root, called: self.called }
    }

    /// How the program was called.
    pub const fn called(&self) -> Called {
        self.called
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The supervisor's run directory.
    pub fn run_dir(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Whether the last supervisor, since the machine was started, ended without taking its leave: it removes its pid file then.
    pub fn supervisor_was_killed(&self) -> bool {
        let written = fs::metadata(self.run_dir().join("supervisor.pid"));
        let written = written.and_then(|metadata| metadata.modified()).ok();
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let boot = stat.lines().find_map(|line| line.strip_prefix("btime ")?.parse().ok());
        let boot = boot.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
        written.zip(boot).is_some_and(|(written, boot)| written > boot)
    }

    /// The supervisor's socket.
    pub fn socket(&self) -> PathBuf {
        supervisor::daemon::socket_path(&self.run_dir())
    }

    /// The folder of the processes' logs.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// Where what belongs to processes lies.
    pub fn homes(&self) -> Homes {
        Homes::new(&self.root)
    }

    /// What `save` writes.
    pub fn dump(&self) -> PathBuf {
        self.root.join("dump.pm2")
    }

    /// What `save` wrote the time before.
    pub fn dump_backup(&self) -> PathBuf {
        self.root.join("dump.pm2.bak")
    }

    /// The key store.
    pub fn key_store(&self) -> PathBuf {
        self.root.join("module_conf.json")
    }

    /// Where the supervisor writes what it does.
    pub fn supervisor_log(&self) -> PathBuf {
        match self.called {
            Called::Tenantry => self.logs().join("supervisor.log"),
            Called::Pm2 | Called::Pm2Runtime => self.run_dir().join("supervisor.log"),
        }
    }

    /// The arguments with which this program becomes the supervisor of this place.
    pub fn supervisor_arguments(&self) -> Vec<String> {
        let text = |path: &Path| path.display().to_string();
        let (flag, folder) = match self.called {
            Called::Tenantry => ("--home", text(&self.root)),
            Called::Pm2 | Called::Pm2Runtime => ("--run-dir", text(&self.run_dir())),
        };
        vec!["supervisor".to_owned(), flag.to_owned(), folder]
    }

    /// How the supervisor of this place is started.
    ///
    /// # Errors
    /// When this program cannot tell where it is.
    pub fn supervisor_command(&self) -> anyhow::Result<SupervisorCommand> {
        let program = std::env::current_exe().context("cannot tell where this program is")?;
        Ok(SupervisorCommand { program, args: self.supervisor_arguments() })
    }

    /// Makes the folders ready for a supervisor.
    ///
    /// # Errors
    /// When PM2's own daemon has the home, or the disk refuses.
    pub fn prepare(&self) -> anyhow::Result<()> {
        if let Some(pid) = self.foreign_daemon() {
            bail!(
                "PM2's own daemon (pid {pid}) runs in {}; take its processes over with `tenantry import pm2`, or set PM2_HOME to another folder",
                self.root.display()
            );
        }
        let root = self.root.display();
        fs::create_dir_all(self.run_dir()).with_context(|| format!("cannot create {root}"))?;
        if self.called != Called::Tenantry {
            for (link, target) in
                [("pm2.pid", "run/supervisor.pid"), ("pm2.log", "run/supervisor.log")]
            {
                link_to(&self.root.join(link), target)
                    .with_context(|| format!("cannot create {root}/{link}"))?;
            }
        }
        Ok(())
    }

    /// The pid of PM2's own daemon, when it lives in this home.
    fn foreign_daemon(&self) -> Option<u32> {
        if self.called == Called::Tenantry { None } else { real_pm2(&self.root) }
    }
}

/// The pid of PM2's own daemon, when it lives in this home. Our pid file there is a link.
pub fn real_pm2(home: &Path) -> Option<u32> {
    let path = home.join("pm2.pid");
    let ours = fs::symlink_metadata(&path).ok()?.is_symlink();
    if ours || !home.join("rpc.sock").exists() {
        return None;
    }
    let pid: u32 = fs::read_to_string(path).ok()?.trim().parse().ok()?;
    Path::new("/proc").join(pid.to_string()).exists().then_some(pid)
}

/// `PM2_HOME`, else `~/.pm2`.
fn pm2_home(environment: &Environment) -> anyhow::Result<PathBuf> {
    let set = |name| environment.variable(name).filter(|value| !value.trim().is_empty());
    let home = set("PM2_HOME").map(PathBuf::from);
    let home = home.or_else(|| set("HOME").map(|home| Path::new(&home).join(".pm2")));
    let home = home.context("neither PM2_HOME nor HOME is set; set one of them")?;
    Ok(std::path::absolute(home)?)
}

/// Puts a link where PM2 had a file of its own.
fn link_to(path: &Path, target: &str) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => return Ok(()),
        Ok(_) => fs::remove_file(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    symlink(target, path)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::Place;
    use crate::called::Called;
    use crate::connection::Environment;

    fn pm2(home: &Path) -> Place {
        let home = home.display().to_string();
        Place::of(Called::Pm2, &Environment::of(Path::new("/nowhere"), &[("PM2_HOME", &home)]))
            .unwrap()
    }

    #[test]
    fn pm2_has_a_home_of_its_own() {
        let environment = Environment::of(Path::new("/srv/t"), &[("HOME", "/site/a")]);
        let place = |called| Place::of(called, &environment).unwrap();
        assert_eq!(place(Called::Tenantry).root(), Path::new("/srv/t"));
        assert_eq!(place(Called::Tenantry).supervisor_arguments()[1..], ["--home", "/srv/t"]);
        assert_eq!(place(Called::Pm2).root(), Path::new("/site/a/.pm2"));
        assert_eq!(
            place(Called::Pm2).supervisor_arguments()[1..],
            ["--run-dir", "/site/a/.pm2/run"]
        );
        assert_eq!(pm2(Path::new("/x")).dump(), Path::new("/x/dump.pm2"));
    }

    #[test]
    fn a_home_that_real_pm2_lives_in_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let place = pm2(home.path());
        fs::write(home.path().join("pm2.pid"), std::process::id().to_string()).unwrap();
        fs::write(home.path().join("rpc.sock"), "").unwrap();
        assert_eq!(place.foreign_daemon(), Some(std::process::id()));
        let refused = place.prepare().unwrap_err().to_string();
        assert!(refused.contains("tenantry import pm2"), "{refused}");
        assert!(!home.path().join("run").exists());
    }

    #[test]
    fn a_dead_pm2_makes_room_and_our_own_pid_file_is_no_stranger() {
        let home = tempfile::tempdir().unwrap();
        let place = pm2(home.path());
        // No process has this pid: it is above the kernel's limit.
        fs::write(home.path().join("pm2.pid"), "4194305").unwrap();
        fs::write(home.path().join("rpc.sock"), "").unwrap();
        place.prepare().unwrap();
        fs::write(home.path().join("run/supervisor.pid"), std::process::id().to_string()).unwrap();
        let pid = fs::read_to_string(home.path().join("pm2.pid")).unwrap();
        assert_eq!(pid, std::process::id().to_string());
        assert_eq!(place.foreign_daemon(), None);
        place.prepare().unwrap();
    }
}
