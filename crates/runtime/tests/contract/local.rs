//! The supervisor, which the runtime starts itself.

use std::path::{Path, PathBuf};

use futures::StreamExt;
use runtime::local::{LocalRuntime, SupervisorCommand};
use runtime::{ObservedState, Runtime, RuntimeError, RuntimeEvent};
use supervisor::client::Client;
use supervisor::daemon::socket_path;
use supervisor::wire::{CreateRequest, ProcessSpec, ShutdownRequest};

use crate::cases;
use crate::place::Place;
use crate::poll::eventually;

/// The example `runtime_supervisor`. `cargo nextest run` and `cargo test` build it along with the tests,
/// but with chosen targets, and `cargo test` with a name, they neither build nor renew it.
fn supervisor_program() -> PathBuf {
    let me = std::env::current_exe().unwrap();
    let program = me.ancestors().nth(2).unwrap().join("examples/runtime_supervisor");
    assert!(
        program.is_file(),
        "{} is missing: run `cargo build -p runtime --examples` first (same profile)",
        program.display()
    );
    program
}

struct Local {
    dir: tempfile::TempDir,
    runtime: LocalRuntime,
}

impl Local {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let command = SupervisorCommand {
            program: supervisor_program(),
            args: vec![dir.path().join("run").display().to_string()],
        };
        let runtime = LocalRuntime::new(Self::socket(&dir), command).unwrap();
        Self { dir, runtime }
    }

    fn socket(dir: &tempfile::TempDir) -> PathBuf {
        socket_path(&dir.path().join("run"))
    }

    fn client(&self) -> Client {
        Client::new(&Self::socket(&self.dir)).unwrap()
    }

    async fn end(&self) {
        let request = ShutdownRequest { stop_processes: true };
        self.client().shutdown(&request).await.unwrap();
        let socket = Self::socket(&self.dir);
        eventually("the supervisor has left", || async { (!socket.exists()).then_some(()) }).await;
    }
}

impl Drop for Local {
    /// Also after a failed test: no supervisor and no worker outlives it.
    fn drop(&mut self) {
        let run_dir = self.dir.path().join("run");
        let supervisor = std::fs::read_to_string(run_dir.join("supervisor.pid")).ok();
        let mut pids: Vec<i32> =
            supervisor.and_then(|pid| pid.trim().parse().ok()).into_iter().collect();
        for record in std::fs::read_dir(run_dir.join("processes")).into_iter().flatten().flatten() {
            pids.extend(recorded_pid(&record.path()));
        }
        for pid in pids.into_iter().filter_map(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

/// The pid of a process that is not known to have ended.
fn recorded_pid(record: &Path) -> Option<i32> {
    // The FIFOs beside it would be waited for.
    if record.extension().is_none_or(|extension| extension != "json") {
        return None;
    }
    let text = std::fs::read_to_string(record).ok()?;
    let (_, rest) = text.split_once("\"pid\":")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

impl Place for Local {
    fn runtime(&self) -> &dyn Runtime {
        &self.runtime
    }

    fn dir(&self) -> &Path {
        self.dir.path()
    }

    async fn start_foreign(&self, name: &str) {
        let (command, cwd) = (vec!["/bin/sleep".to_owned(), "600".to_owned()], PathBuf::from("/"));
        let spec = ProcessSpec::new(name, command, cwd, self.dir().join(format!("{name}.log")));
        self.client().create(&CreateRequest { spec, settle_ms: 0 }).await.unwrap();
    }

    fn is_own_variable(&self, variable: &str) -> bool {
        ["TENANTRY_PROCESS", "TENANTRY_INCARNATION"].contains(&variable)
    }
}

macro_rules! contract {
    ($($case:ident),*) => {$(
        #[tokio::test]
        async fn $case() {
            let place = Local::new();
            cases::$case(&place).await;
            place.end().await;
        }
    )*};
}

contract!(
    a_worker_through_all_verbs,
    failures_say_what_happened,
    a_crash_is_restarted_and_a_final_exit_is_not,
    a_stop_ends_the_whole_tree,
    a_forced_stop_is_quick,
    a_watch_tells_every_change,
    what_is_told_arrives_exactly
);

#[tokio::test]
async fn a_watch_survives_the_supervisor_and_brings_it_back() {
    let place = Local::new();
    let mut events = place.runtime.watch();
    assert_eq!(events.next().await, Some(RuntimeEvent::Sync(Vec::new())));
    let launch = place.launch("a", "exec sleep 600");
    let before = place.runtime.start(&launch, std::time::Duration::ZERO).await.unwrap();
    let running = |event: &RuntimeEvent| match event {
        RuntimeEvent::Changed(worker) => matches!(worker.state, ObservedState::Running { .. }),
        RuntimeEvent::Sync(_) | RuntimeEvent::Gone(_) | RuntimeEvent::Lost(_) => false,
    };
    while !running(&events.next().await.unwrap()) {}

    let pid = i32::try_from(place.client().info().await.unwrap().pid).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let workers = loop {
        if let RuntimeEvent::Sync(workers) = events.next().await.unwrap() {
            break workers;
        }
    };
    assert_eq!(workers.len(), 1);
    assert_eq!(workers[0].state, before.state);
    place.runtime.forget("a").await.unwrap();
    while events.next().await != Some(RuntimeEvent::Gone("a".to_owned())) {}
    drop(events);
    place.end().await;
}

#[tokio::test]
async fn a_supervisor_that_cannot_start_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let command = SupervisorCommand { program: PathBuf::from("/bin/false"), args: Vec::new() };
    let runtime = LocalRuntime::new(socket_path(dir.path()), command).unwrap();
    match runtime.list().await {
        Err(RuntimeError::Unreachable { message, .. }) => {
            assert!(message.contains("no supervisor answers"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    let error = runtime.ensure_supervisor().await.unwrap_err();
    assert!(error.to_string().contains("/bin/false"), "{error}");
    let alone = LocalRuntime::new(socket_path(dir.path()), None).unwrap();
    assert!(matches!(alone.list().await, Err(RuntimeError::Unreachable { .. })));
}
