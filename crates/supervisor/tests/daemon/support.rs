//! A supervisor in a process of its own, which can be killed.

use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use supervisor::client::{Action, Client, ClientError};
use supervisor::daemon::socket_path;
use supervisor::wire::{
    ActionRequest, CreateRequest, ErrorBody, Pairs, Phase, ProcessSpec, ProcessView,
    ShutdownRequest,
};

use crate::poll::{by_deadline, eventually};

/// In the environment of every process that a test starts, so that none outlives it.
const OWNER: &str = "SUPERVISOR_TEST_OWNER";

/// Bytes of a record in the supervisor's `records`.
const RECORD: usize = 512;

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
        let (client, pid, child) = (&self.client, self.child.id(), &mut self.child);
        let answer = by_deadline(async || match child.try_wait().unwrap() {
            Some(ended) => Some(Err(ended)),
            None => (client.info().await.ok()?.pid == pid).then_some(Ok(())),
        })
        .await;
        if answer != Some(Ok(())) {
            let mut said = String::new();
            let _ = child.kill();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("the supervisor does not answer ({answer:?}): {said}");
        }
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub async fn start_again(&mut self) {
        self.start_program_again(&example("daemon")).await;
    }

    /// Starts another program as the supervisor of this folder.
    pub async fn start_program_again(&mut self, program: &Path) {
        self.child = spawn_program(program, &self.run_dir());
        self.answers().await;
    }

    pub async fn leave(&mut self, stop_processes: bool) {
        self.client.shutdown(&ShutdownRequest { stop_processes }).await.unwrap();
        self.child.wait().unwrap();
    }

    pub fn run_dir(&self) -> PathBuf {
        self.dir.path().join("run")
    }

    /// The record of a process, as the supervisor left it.
    pub fn record(&self, id: u32) -> String {
        let records = std::fs::read(self.run_dir().join("records")).unwrap();
        let text = records.chunks(RECORD).nth(id as usize).unwrap();
        String::from_utf8(text.to_vec()).unwrap()
    }

    /// Writes another record for a process.
    pub fn set_record(&self, id: u32, text: &str) {
        let mut bytes = text.trim_end().as_bytes().to_vec();
        bytes.resize(RECORD, b' ');
        let file = std::fs::File::options().write(true).open(self.run_dir().join("records"));
        file.unwrap().write_all_at(&bytes, u64::from(id) * RECORD as u64).unwrap();
    }

    pub fn spec(&self, name: &str, command: &[&str]) -> ProcessSpec {
        let command = command.iter().map(|part| (*part).to_owned()).collect();
        let log = self.dir.path().join(format!("logs/{name}.log"));
        let mut spec = ProcessSpec::new(name, command, self.dir.path().to_owned(), log);
        spec.env = Pairs::from([
            ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
            (OWNER.to_owned(), self.dir.path().display().to_string()),
        ]);
        spec
    }

    pub fn printer(&self, name: &str, lines: u32) -> ProcessSpec {
        let program = example("lines").display().to_string();
        self.spec(name, &[&program, &lines.to_string()])
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
        let instance = std::fs::read_to_string(self.run_dir().join("journal.instance"));
        remove_groups(instance.unwrap_or_default().trim());
    }
}

/// Control groups outlive everything else; those of a test's processes, which have just been killed, do not stay.
fn remove_groups(instance: &str) {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let cgroup2 = mounts.lines().filter(|line| line.contains(" - cgroup2 "));
    for mount in cgroup2.filter_map(|line| line.split(' ').nth(4)) {
        let base = Path::new(mount).join("tenantry").join(instance);
        for group in std::fs::read_dir(&base).into_iter().flatten().flatten() {
            // Until the kernel has done with its last member.
            let until = std::time::Instant::now() + std::time::Duration::from_secs(2);
            while std::fs::remove_dir(group.path()).is_err_and(|error| {
                error.kind() == std::io::ErrorKind::ResourceBusy
                    && std::time::Instant::now() < until
            }) {
                std::thread::yield_now();
            }
        }
        if !instance.is_empty() {
            let _ = std::fs::remove_dir(&base);
        }
    }
}

pub fn spawn_daemon(run_dir: &Path) -> Child {
    spawn_program(&example("daemon"), run_dir)
}

/// With signals ignored, as what a script starts in the background has it: its processes are not to inherit that.
fn spawn_program(program: &Path, run_dir: &Path) -> Child {
    Command::new("sh")
        .args(["-c", "trap '' INT QUIT HUP USR1; exec \"$0\" \"$1\""])
        .arg(program)
        .arg(run_dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A program among this package's examples. `cargo nextest run` and `cargo test` build them along with the
/// tests, but with chosen targets, and `cargo test` with a name, they neither build nor renew them.
pub fn example(name: &str) -> PathBuf {
    let me = std::env::current_exe().unwrap();
    let program = me.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(
        program.is_file(),
        "{} is missing: run `cargo build -p supervisor --examples` first (same profile)",
        program.display()
    );
    program
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
