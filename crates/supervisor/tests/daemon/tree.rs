use supervisor::client::Action;
use supervisor::wire::{ActionRequest, Desired, Phase};

use crate::poll::eventually;
use crate::support::{Daemon, is_alive};

/// A child, a grandchild in a session of its own, and one more whose parent is gone.
const FAMILY: &str = "sleep 601 & setsid sleep 602 & (setsid sleep 603 &) ; trap 'exit 0' TERM; while :; do sleep 0.1; done";

async fn has_living(daemon: &Daemon, at_least: usize) {
    eventually("the family is there", || async {
        let sleepers = daemon.living().into_iter().filter(|pid| is_sleeper(*pid)).count();
        (sleepers >= at_least).then_some(())
    })
    .await;
}

fn is_sleeper(pid: i32) -> bool {
    let cmdline = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    cmdline.starts_with(b"sleep\0") && cmdline.contains(&b'6')
}

#[tokio::test]
async fn a_stop_ends_the_whole_tree() {
    let daemon = Daemon::start().await;
    daemon.run(daemon.spec("a", &["sh", "-c", FAMILY])).await;
    has_living(&daemon, 3).await;
    daemon.act("a", Action::Stop).await.unwrap();
    assert_eq!(daemon.living(), Vec::<i32>::new());
}

#[tokio::test]
async fn a_crash_leaves_no_leftovers_beside_the_next_run() {
    let daemon = Daemon::start().await;
    let script = "sleep 601 & setsid sleep 602 & (setsid sleep 603 &) ; sleep 0.3; kill -9 $$";
    let mut spec = daemon.spec("a", &["sh", "-c", script]);
    spec.restart.autorestart = false;
    daemon.run(spec).await;
    has_living(&daemon, 3).await;
    daemon.reaches("a", Phase::Stopped).await;
    assert_eq!(daemon.living(), Vec::<i32>::new());
}

#[tokio::test]
async fn an_adopted_tree_ends_as_a_whole_too() {
    let mut daemon = Daemon::start().await;
    daemon.run(daemon.spec("a", &["sh", "-c", FAMILY])).await;
    has_living(&daemon, 3).await;
    daemon.kill();
    daemon.start_again().await;
    daemon.act("a", Action::Stop).await.unwrap();
    assert_eq!(daemon.living(), Vec::<i32>::new());
}

/// The supervisor is killed in the middle of a stop, and the main process ends before the next one looks.
#[tokio::test]
async fn a_stop_that_a_crash_cut_short_is_completed() {
    let mut daemon = Daemon::start().await;
    let script = "(trap '' TERM; sleep 601 & wait; sleep 602) & trap 'exit 0' TERM; while :; do sleep 0.1; done";
    let mut spec = daemon.spec("a", &["sh", "-c", script]);
    spec.kill_timeout_ms = 60_000;
    let pid = daemon.run(spec).await.pid.unwrap();
    has_living(&daemon, 1).await;
    let stop = daemon.act("a", Action::Stop);
    let _ = tokio::time::timeout(std::time::Duration::from_millis(300), stop).await;
    daemon.kill();
    eventually("the main process has ended", || async { (!is_alive(pid)).then_some(()) }).await;
    daemon.start_again().await;
    let view = daemon.get("a").await;
    assert_eq!((view.state, view.desired), (Phase::Stopped, Desired::Stopped));
    assert_eq!(daemon.living(), Vec::<i32>::new());
}

#[tokio::test]
async fn one_that_ignores_the_signal_is_killed_after_the_timeout() {
    let daemon = Daemon::start().await;
    let script = "trap '' TERM; (trap '' TERM; sleep 601) & echo up; while :; do sleep 0.1; done";
    let mut spec = daemon.spec("a", &["sh", "-c", script]);
    spec.kill_timeout_ms = 300;
    daemon.run(spec).await;
    has_living(&daemon, 1).await;
    let began = std::time::Instant::now();
    daemon.act("a", Action::Stop).await.unwrap();
    assert!(began.elapsed() >= std::time::Duration::from_millis(300));
    assert_eq!(daemon.living(), Vec::<i32>::new());
}

#[tokio::test]
async fn memory_and_time_are_those_of_the_tree() {
    let daemon = Daemon::start().await;
    daemon.run(daemon.spec("a", &["sh", "-c", "while :; do :; done & exec sleep 600"])).await;
    let view = eventually("the busy child is counted", || async {
        let view = daemon.get("a").await;
        (view.cpu_percent > 5.0).then_some(view)
    })
    .await;
    assert!(view.memory_bytes > 500_000);
}

/// A control group remembers that it was killed, and would kill the next process too.
#[tokio::test]
async fn what_is_left_of_a_tree_is_killed_and_the_next_run_is_not() {
    let daemon = Daemon::start().await;
    let first = daemon.run(daemon.spec("a", &["sh", "-c", "sleep 600 & exec sleep 601"])).await;
    has_living(&daemon, 2).await;
    let pid = rustix::process::Pid::from_raw(i32::try_from(first.pid.unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    eventually("it runs again", || async {
        let now = daemon.get("a").await;
        let runs = now.incarnation > 1 && now.state == Phase::Online;
        (runs && daemon.living().len() == 2).then_some(())
    })
    .await;
    let request = ActionRequest { settle_ms: 300, ..ActionRequest::default() };
    let settled = daemon.client.act("a", Action::Restart, &request).await.unwrap();
    assert_eq!(settled.incarnation, 3);
    has_living(&daemon, 2).await;
}
