//! A supervisor in a process of its own, which can be killed.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use supervisor::client::{Action, Client, ClientError};
use supervisor::daemon::{DaemonConfig, socket_path};
use supervisor::wire::{
    ActionRequest, CreateRequest, ErrorBody, Phase, ProcessSpec, ProcessView, ShutdownRequest,
};

const RUN_DIR: &str = "SUPERVISOR_TEST_RUN_DIR";
const PRINT_LINES: &str = "SUPERVISOR_TEST_PRINT_LINES";
/// In the environment of every process that a test starts, so that none outlives it.
const OWNER: &str = "SUPERVISOR_TEST_OWNER";
pub const DEADLINE: Duration = Duration::from_secs(20);

/// The daemon that the tests start: this very binary, told to be one.
#[test]
#[ignore = "is started by the other tests"]
fn daemon_process() {
    let Ok(run_dir) = std::env::var(RUN_DIR) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = DaemonConfig { run_dir: PathBuf::from(run_dir) };
    let ended = runtime.block_on(supervisor::daemon::run(config, Default::default()));
    if let Err(error) = ended {
        panic!("{error}");
    }
}

/// A program that writes numbered lines: this very binary, told to be one.
#[test]
#[ignore = "is started by the other tests"]
fn printer_process() {
    use std::io::Write;
    let Ok(count) = std::env::var(PRINT_LINES) else {
        return;
    };
    let mut out = std::io::stdout().lock();
    writeln!(out).unwrap();
    for number in 0..count.parse::<u32>().unwrap() {
        writeln!(out, "line {number} {}", "x".repeat(number as usize % 150)).unwrap();
        if number % 10 == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    writeln!(out, "done").unwrap();
    drop(out);
    std::thread::sleep(Duration::from_secs(600));
}

pub struct Daemon {
    pub dir: tempfile::TempDir,
    pub client: Client,
    child: Child,
}

impl Daemon {
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let client = Client::new(&socket_path(&dir.path().join("run"))).unwrap();
        let child = spawn_daemon(&dir.path().join("run"));
        let mut daemon = Self { dir, client, child };
        daemon.answers().await;
        daemon
    }

    async fn answers(&mut self) {
        let started = Instant::now();
        while self.client.info().await.ok().map(|info| info.pid) != Some(self.child.id()) {
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() || started.elapsed() > DEADLINE {
                let mut said = String::new();
                let _ = self.child.kill();
                self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("the supervisor does not answer ({ended:?}): {said}");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub async fn start_again(&mut self) {
        self.child = spawn_daemon(&self.run_dir());
        self.answers().await;
    }

    pub async fn leave(&mut self, stop_processes: bool) {
        self.client.shutdown(&ShutdownRequest { stop_processes }).await.unwrap();
        self.child.wait().unwrap();
    }

    pub fn run_dir(&self) -> PathBuf {
        self.dir.path().join("run")
    }

    pub fn spec(&self, name: &str, command: &[&str]) -> ProcessSpec {
        let command = command.iter().map(|part| (*part).to_owned()).collect();
        let log = self.dir.path().join(format!("logs/{name}.log"));
        let mut spec = ProcessSpec::new(name, command, self.dir.path().to_owned(), log);
        spec.env = BTreeMap::from([
            ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
            (OWNER.to_owned(), self.dir.path().display().to_string()),
        ]);
        spec
    }

    pub fn printer(&self, name: &str, lines: u32) -> ProcessSpec {
        let me = std::env::current_exe().unwrap();
        let mut spec = self.spec(name, &[]);
        spec.command = reexec(&me, "support::printer_process");
        spec.env.insert(PRINT_LINES.to_owned(), lines.to_string());
        spec
    }

    pub async fn run(&self, spec: ProcessSpec) -> ProcessView {
        self.try_run(spec, 0).await.unwrap()
    }

    pub async fn try_run(
        &self,
        spec: ProcessSpec,
        settle_ms: u64,
    ) -> Result<ProcessView, ClientError> {
        self.client.create(&CreateRequest { spec, settle_ms }).await
    }

    pub async fn act(&self, name: &str, action: Action) -> Result<ProcessView, ClientError> {
        self.client.act(name, action, &ActionRequest::default()).await
    }

    pub async fn get(&self, name: &str) -> ProcessView {
        self.client.get(name, false).await.unwrap()
    }

    pub async fn reaches(&self, name: &str, state: Phase) -> ProcessView {
        eventually(&format!("{name} is {state:?}"), || async {
            let view = self.client.get(name, false).await.ok()?;
            (view.state == state).then_some(view)
        })
        .await
    }

    /// All processes of this test but the supervisor and the test.
    pub fn living(&self) -> Vec<i32> {
        owned_by(self.dir.path())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for pid in self.living() {
            if let Some(pid) = rustix::process::Pid::from_raw(pid) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }
}

fn reexec(me: &Path, test: &str) -> Vec<String> {
    let me = me.display().to_string();
    [&me, "--exact", test, "--ignored", "--nocapture", "--quiet"].map(str::to_owned).to_vec()
}

pub fn spawn_daemon(run_dir: &Path) -> Child {
    let command = reexec(&std::env::current_exe().unwrap(), "support::daemon_process");
    Command::new(&command[0])
        .args(&command[1..])
        .env(RUN_DIR, run_dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn owned_by(dir: &Path) -> Vec<i32> {
    let mark = format!("{OWNER}={}", dir.display());
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
    })
    .collect()
}

/// Asks until there is an answer, for a bounded time.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, ask: impl Fn() -> F) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < DEADLINE, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

pub fn refusal(result: Result<ProcessView, ClientError>) -> ErrorBody {
    match result {
        Err(ClientError::Refused(body)) => body,
        other => panic!("not refused: {other:?}"),
    }
}
