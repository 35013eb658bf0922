//! A server of one's own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::poll::until;
use crate::programs::{as_owner, give_away, path};
use crate::{PASSWORD, USER};

/// How long a server may take to come up.
const START: Duration = Duration::from_secs(60);

/// Runs the server and ends it when nobody holds our end of the pipe any more: also a process that is killed
/// lets go of it. Says its pid first.
const KEEPER: &str = r#"trap '' INT TERM HUP; "$@" >>"$LOG" 2>&1 </dev/null & echo $!; cat >/dev/null; kill -INT $! 2>/dev/null; wait; rm -rf "$REMOVE""#;

/// A PostgreSQL server in a temporary folder, on a free port of the loopback address.
pub struct Cluster {
    folder: TempDir,
    port: u16,
    running: Option<Running>,
}

struct Running {
    keeper: Child,
    pid: u32,
    /// Closed, the server ends.
    hold: Option<ChildStdin>,
}

impl Cluster {
    /// Starts a server.
    ///
    /// # Panics
    /// When there is none, or it does not start.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("tenantry-pg-").tempdir().expect("a folder");
        give_away(folder.path());
        // Its user must be able to pass through to it, wherever it lies.
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD).expect("a file");
        give_away(&password);
        let data = folder.path().join("data");
        let mut initdb = Command::new(path("initdb"));
        initdb
            .args(["--no-sync", "--encoding=UTF8", "--locale=C", "--auth=scram-sha-256"])
            .args([format!("--username={USER}"), format!("--pgdata={}", data.display())])
            .arg(format!("--pwfile={}", password.display()))
            .current_dir("/");
        let made = as_owner(&mut initdb).output().expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let port = free_port();
        let mut cluster = Self { folder, port, running: None };
        cluster.start_again();
        cluster
    }

    /// The address of one of its databases.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// The pid of the server's first process.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.running.as_ref().expect("a running server").pid
    }

    /// `kill -9` of the server's first process; the others end when they notice.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self) {
        let mut running = self.running.take().expect("a running server");
        let pid = running.pid.to_string();
        let killed = Command::new("kill").args(["-9", &pid]).status().expect("kill runs");
        assert!(killed.success());
        // The keeper must not remove the folder: it goes too.
        running.keeper.kill().expect("the keeper is ours");
        running.keeper.wait().expect("the keeper is ours");
    }

    /// Has every process of the server stand still: it keeps its connections and answers nothing, as one behind a
    /// network that was cut.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.pid();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.expect("the server's processes");
        let mut command = Command::new("kill");
        command.arg(signal).arg(pid.to_string()).args(children.split_whitespace());
        // A child may have ended meanwhile.
        let _ = command.stderr(Stdio::null()).status().expect("kill runs");
    }

    /// Starts the server again on the same port, with what it has kept.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_again(&mut self) {
        let log = self.log();
        let deadline = Instant::now() + START;
        // Children of a server that was killed may still hold its memory: then the new one ends at once.
        self.running = until(deadline, || {
            let mut running = self.spawn(&log);
            answers(&mut running, self.port, deadline).then_some(running)
        });
        let said = || fs::read_to_string(&log).unwrap_or_default();
        assert!(self.running.is_some(), "PostgreSQL does not start: {}", said());
    }

    fn spawn(&self, log: &Path) -> Running {
        let data = self.folder.path().join("data");
        let mut keeper = Command::new("sh");
        keeper
            .args(["-c", KEEPER, "keeper"])
            .arg(path("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=127.0.0.1", "-p", &self.port.to_string()])
            .args(["-c", &format!("unix_socket_directories={}", self.folder.path().display())])
            // What was committed must survive a kill of the server, not of the machine.
            .args(["-c", "fsync=off", "-c", "full_page_writes=off"])
            .args(["-c", "max_connections=300", "-c", "shared_buffers=64MB"])
            .env("LOG", log)
            .env("REMOVE", self.folder.path())
            .current_dir("/")
            // Ctrl-C is for the tests; when they have ended the server does.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut keeper = as_owner(&mut keeper).spawn().expect("sh runs");
        let hold = keeper.stdin.take();
        let mut line = String::new();
        let output = keeper.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("its pid");
        let pid = line.trim().parse().expect("a pid");
        Running { keeper, pid, hold }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

/// Waits until the server takes logins. `false` when it has ended instead.
fn answers(running: &mut Running, port: u16, deadline: Instant) -> bool {
    let came_up = until(deadline, || {
        let ready = Command::new(path("pg_isready"))
            .args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()])
            .status();
        if ready.is_ok_and(|status| status.success()) {
            return Some(true);
        }
        (!Path::new(&format!("/proc/{}", running.pid)).exists()).then_some(false)
    });
    if came_up != Some(true) {
        // Not by its pipe, for then the keeper would remove the folder.
        let _ = running.keeper.kill();
        let _ = running.keeper.wait();
    }
    came_up == Some(true)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            drop(running.hold.take());
            let _ = running.keeper.wait();
        }
    }
}
