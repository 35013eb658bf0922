//! The local runtime against a real supervisor, which it starts itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod poll;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt;
use runtime::local::{LocalRuntime, SupervisorCommand};
use runtime::{
    ObservedState, Runtime, RuntimeError, RuntimeEvent, StopMode, WorkerExit, WorkerLaunch,
};
use supervisor::client::Client;
use supervisor::daemon::socket_path;
use supervisor::wire::{CreateRequest, ProcessSpec, ShutdownRequest};

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

struct Place {
    dir: tempfile::TempDir,
    runtime: LocalRuntime,
}

impl Place {
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

    fn launch(&self, name: &str, script: &str) -> WorkerLaunch {
        WorkerLaunch {
            name: name.to_owned(),
            tenant: format!("tenant-{name}"),
            generation: 3,
            command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            env: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
            secret_env: BTreeSet::new(),
            cwd: self.dir.path().to_owned(),
            log_path: self.dir.path().join(format!("{name}.log")),
            final_exits: BTreeMap::new(),
            kill_timeout: Duration::from_secs(5),
        }
    }

    async fn end(&self) {
        let request = ShutdownRequest { stop_processes: true };
        self.client().shutdown(&request).await.unwrap();
        let socket = Self::socket(&self.dir);
        eventually("the supervisor has left", || async { (!socket.exists()).then_some(()) }).await;
    }
}

impl Drop for Place {
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

#[tokio::test]
async fn a_worker_through_all_verbs() {
    let place = Place::new();
    let runtime: &dyn Runtime = &place.runtime;
    let launch = place.launch("a", "echo up $TENANTRY_INCARNATION; exec sleep 600");
    let started = runtime.start(&launch, Duration::ZERO).await.unwrap();
    assert!(matches!(started.state, ObservedState::Running { .. }));
    assert_eq!((started.tenant.as_str(), started.generation), ("tenant-a", 3));
    assert_eq!(runtime.health().await.unwrap().processes, 1);
    let again = runtime.start(&launch, Duration::ZERO).await;
    assert_eq!(again, Err(RuntimeError::AlreadyRunning { name: "a".to_owned() }));

    let next = WorkerLaunch { generation: 4, ..launch.clone() };
    let restarted = runtime.restart(&next, StopMode::Graceful, Duration::ZERO).await.unwrap();
    assert_eq!((restarted.generation, restarted.incarnation), (4, 2));
    let mut lines = runtime.log_follow("a", 10).await.unwrap();
    assert_eq!(lines.next().await.unwrap(), "up 1");
    assert_eq!(lines.next().await.unwrap(), "up 2");
    assert_eq!(runtime.log_tail("a", 1).await.unwrap(), ["up 2"]);

    let stopped = runtime.stop("a", StopMode::Graceful).await.unwrap();
    assert_eq!((stopped.state, stopped.wanted), (ObservedState::Stopped, false));
    assert_eq!(stopped.exit, Some(WorkerExit::Signal(15)));
    runtime.forget("a").await.unwrap();
    runtime.forget("a").await.unwrap();
    assert_eq!(runtime.get("a").await.unwrap(), None);
    let unknown = runtime.stop("a", StopMode::Graceful).await;
    assert_eq!(unknown, Err(RuntimeError::Unknown { name: "a".to_owned() }));
    let anew = runtime.restart(&launch, StopMode::Force, Duration::ZERO).await.unwrap();
    // Its id may be one that another process had; its incarnation never is.
    assert_eq!(anew.incarnation, 3);
    place.end().await;
}

#[tokio::test]
async fn failures_say_what_happened() {
    let place = Place::new();
    let mut launch = place.launch("a", "");
    launch.command = vec!["/no/such/worker".to_owned()];
    match place.runtime.start(&launch, Duration::ZERO).await {
        Err(RuntimeError::SpawnFailed { message, .. }) => {
            assert!(message.contains("/no/such/worker"))
        }
        other => panic!("{other:?}"),
    }
    let launch = place.launch("a", "echo no session; exit 9");
    match place.runtime.start(&launch, Duration::from_secs(10)).await {
        Err(RuntimeError::ExitedEarly { message, log_tail }) => {
            assert!(message.contains("exit code 9"), "{message}");
            assert_eq!(log_tail, ["no session"]);
        }
        other => panic!("{other:?}"),
    }
    let worker = place.runtime.get("a").await.unwrap().unwrap();
    assert!(matches!(worker.state, ObservedState::Failed { .. }));
    assert!(!worker.wanted);
    place.end().await;
}

#[tokio::test]
async fn a_forced_stop_is_quick() {
    let place = Place::new();
    let script = "trap '' TERM; echo ready; while :; do sleep 0.1; done";
    let mut launch = place.launch("a", script);
    launch.kill_timeout = Duration::from_secs(600);
    place.runtime.start(&launch, Duration::ZERO).await.unwrap();
    eventually("it ignores the signal", || async {
        (place.runtime.log_tail("a", 1).await.unwrap() == ["ready"]).then_some(())
    })
    .await;
    let stopped = place.runtime.stop("a", StopMode::Force).await.unwrap();
    assert_eq!(stopped.exit, Some(WorkerExit::Signal(9)));
    place.end().await;
}

#[tokio::test]
async fn a_watch_survives_the_supervisor_and_brings_it_back() {
    let place = Place::new();
    let mut events = place.runtime.watch();
    assert_eq!(events.next().await, Some(RuntimeEvent::Sync(Vec::new())));
    let launch = place.launch("a", "exec sleep 600");
    let before = place.runtime.start(&launch, Duration::ZERO).await.unwrap();
    let running = |event: &RuntimeEvent| match event {
        RuntimeEvent::Changed(worker) => matches!(worker.state, ObservedState::Running { .. }),
        RuntimeEvent::Sync(_) | RuntimeEvent::Gone(_) | RuntimeEvent::Lost(_) => false,
    };
    while !running(&events.next().await.unwrap()) {}
    // Another program's process is none of our workers.
    let (command, cwd) = (vec!["/bin/sleep".to_owned(), "600".to_owned()], PathBuf::from("/"));
    let spec = ProcessSpec::new("other", command, cwd, place.dir.path().join("other.log"));
    place.client().create(&CreateRequest { spec, settle_ms: 0 }).await.unwrap();
    assert_eq!(place.runtime.list().await.unwrap().len(), 1);

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
