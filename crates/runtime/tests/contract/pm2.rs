//! PM2 from npm, each time with a daemon of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use futures::StreamExt as _;
use runtime::pm2::{Pm2Runtime, Pm2Settings};
use runtime::{ObservedState, Runtime, RuntimeError, RuntimeEvent};

use crate::cases;
use crate::place::{Place, kill, lives, pid};
use crate::poll::eventually;

/// What PM2 itself puts into every environment, besides what begins with `pm_`.
const OF_PM2: [&str; 33] = [
    "NODE_APP_INSTANCE",
    "NODE_CHANNEL_FD",
    "NODE_CHANNEL_SERIALIZATION_MODE",
    "PM2_HOME",
    "automation",
    "autorestart",
    "autostart",
    "created_at",
    "cwd",
    "exec_interpreter",
    "exec_mode",
    "exp_backoff_restart_delay",
    "instance_var",
    "instances",
    "kill_retry_time",
    "kill_timeout",
    "km_link",
    "max_restarts",
    "merge_logs",
    "min_uptime",
    "name",
    "namespace",
    "pmx",
    "restart_time",
    "status",
    "treekill",
    "unique_id",
    "unstable_restarts",
    "username",
    "vizion",
    "vizion_running",
    "watch",
    "windowsHide",
];

/// The program that `cargo xtask test` has installed.
fn program() -> PathBuf {
    let me = std::env::current_exe().unwrap();
    let program = me.ancestors().nth(3).unwrap().join("tools/pm2/node_modules/.bin/pm2");
    assert!(
        program.is_file(),
        "{} is missing: run the tests with `cargo xtask test`, which installs PM2",
        program.display()
    );
    program
}

struct Pm2 {
    dir: tempfile::TempDir,
    home: PathBuf,
    runtime: Pm2Runtime,
}

impl Pm2 {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("pm2");
        let runtime = Pm2Runtime::new(Pm2Settings {
            program: program(),
            home: home.clone(),
            interval: Duration::from_millis(300),
        });
        let place = Self { dir, home, runtime };
        place.pm2(&["ping"]);
        place
    }

    /// Calls PM2 as an operator does.
    fn pm2(&self, args: &[&str]) {
        let mut command = Command::new(program());
        command.args(args).env("PM2_HOME", &self.home).current_dir(self.dir.path());
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "pm2 {args:?}: {output:?}");
    }

    fn daemon(&self) -> Option<u32> {
        std::fs::read_to_string(self.home.join("pm2.pid")).ok()?.trim().parse().ok()
    }
}

impl Place for Pm2 {
    fn runtime(&self) -> &dyn Runtime {
        &self.runtime
    }

    fn dir(&self) -> &Path {
        self.dir.path()
    }

    async fn start_foreign(&self, name: &str) {
        self.pm2(&["start", "/bin/sleep", "--name", name, "--interpreter", "none", "--", "600"]);
    }

    fn is_own_variable(&self, variable: &str) -> bool {
        OF_PM2.contains(&variable)
            || ["pm_", "TENANTRY_PM2_"].iter().any(|prefix| variable.starts_with(prefix))
            // PM2 makes a variable of the process's name.
            || ["TENANTRY_PROCESS", "exact"].contains(&variable)
    }
}

impl Drop for Pm2 {
    /// Also after a failed test: the daemon goes first, or it would start its processes again.
    fn drop(&mut self) {
        if let Some(daemon) = self.daemon() {
            kill(daemon);
        }
        let mark = format!("PM2_HOME={}", self.home.display()).into_bytes();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            let ours = environment.split(|byte| *byte == 0).any(|variable| variable == mark);
            if let (true, Ok(pid)) = (ours, entry.file_name().to_string_lossy().parse()) {
                kill(pid);
            }
        }
    }
}

/// The cases share a daemon, which takes longer to start than most of them take.
#[tokio::test]
async fn verbs_and_environment() {
    let place = Pm2::new();
    cases::a_worker_through_all_verbs(&place).await;
    cases::what_is_told_arrives_exactly(&place).await;
}

#[tokio::test]
async fn failures_and_restarts() {
    let place = Pm2::new();
    cases::failures_say_what_happened(&place).await;
    cases::a_crash_is_restarted_and_a_final_exit_is_not(&place).await;
}

#[tokio::test]
async fn trees_and_watch() {
    let place = Pm2::new();
    cases::a_stop_ends_the_whole_tree(&place).await;
    cases::a_forced_stop_is_quick(&place).await;
    cases::a_watch_tells_every_change(&place).await;
}

/// PM2 forgets everything when its daemon dies, and what runs goes on. A second worker must not come of it.
#[tokio::test]
async fn a_worker_that_outlived_the_daemon_is_ended_before_the_next_start() {
    let place = Pm2::new();
    let launch = place.launch("left", "exec sleep 600");
    let left = pid(&place.runtime.start(&launch, Duration::ZERO).await.unwrap());
    let mut events = place.runtime.watch();
    assert!(matches!(events.next().await, Some(RuntimeEvent::Sync(_))));
    kill(place.daemon().unwrap());
    assert!(matches!(events.next().await, Some(RuntimeEvent::Lost(_))));
    match place.runtime.start(&launch, Duration::ZERO).await {
        Err(RuntimeError::Unreachable { message, .. }) => {
            assert!(message.contains("pm2 resurrect"), "{message}");
        }
        other => panic!("no daemon may be started: {other:?}"),
    }
    assert!(lives(left));
    place.pm2(&["ping"]);
    assert_eq!(events.next().await, Some(RuntimeEvent::Sync(Vec::new())));
    let anew = place.runtime.start(&launch, Duration::ZERO).await.unwrap();
    assert!(!lives(left) && lives(pid(&anew)));
    place.runtime.forget("left").await.unwrap();
}

#[tokio::test]
async fn what_is_missing_is_named_with_its_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let settings = |program: &str, home: &Path| Pm2Settings {
        program: PathBuf::from(program),
        home: home.to_owned(),
        interval: Duration::from_secs(2),
    };
    let nobody = Pm2Runtime::new(settings("pm2", dir.path()));
    let error = nobody.list().await.unwrap_err().to_string();
    assert!(error.contains("rpc.sock") && error.contains("pm2_home"), "{error}");
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("rpc.sock")).unwrap();
    let no_program = Pm2Runtime::new(settings("/no/such/pm2", dir.path()));
    let error = no_program.list().await.unwrap_err().to_string();
    assert!(error.contains("/no/such/pm2") && error.contains("pm2_program"), "{error}");
}

/// Somebody else's process may have the name that a worker is to have.
#[tokio::test]
async fn a_name_that_is_taken_is_left_alone() {
    let place = Pm2::new();
    place.start_foreign("taken").await;
    let launch = place.launch("taken", "exec sleep 600");
    let error = place.runtime.start(&launch, Duration::ZERO).await.unwrap_err();
    assert!(error.to_string().contains("another process named taken"), "{error}");
    place.runtime.forget("taken").await.unwrap();
    assert_eq!(place.runtime.health().await.unwrap().processes, 1);
    let own = place.launch("all", "exec sleep 600");
    let started = place.runtime.start(&own, Duration::ZERO).await.unwrap();
    place.runtime.stop("all", runtime::StopMode::Force).await.unwrap();
    let stopped = eventually("it is seen as stopped", async || {
        let worker = place.runtime.get("all").await.unwrap().unwrap();
        (worker.state == ObservedState::Stopped).then_some(worker)
    })
    .await;
    assert_eq!(stopped.incarnation, started.incarnation);
    assert_eq!(place.runtime.health().await.unwrap().processes, 2, "`all` is a name like others");
}
