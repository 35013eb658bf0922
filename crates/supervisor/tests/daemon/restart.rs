use std::time::{Duration, Instant};

use supervisor::client::Action;
use supervisor::wire::{Desired, Exit, Phase};

use crate::poll::eventually;
use crate::support::Daemon;

#[tokio::test]
async fn a_crash_loop_backs_off_and_ends_errored() {
    let daemon = Daemon::start().await;
    let mut spec = daemon.spec("a", &["sh", "-c", "exit 7"]);
    spec.restart.max_restarts = 4;
    spec.restart.backoff_initial_ms = 10;
    daemon.run(spec).await;
    let view = daemon.reaches("a", Phase::Errored).await;
    assert_eq!((view.exit, view.restarts, view.unstable), (Some(Exit::Code(7)), 3, 4));
    assert!(view.reason.unwrap().contains("exit code 7"));
    // A request begins afresh.
    let view = daemon.act("a", Action::Start).await.unwrap();
    assert_eq!((view.unstable, view.reason), (0, None));
}

#[tokio::test]
async fn a_killed_process_comes_back() {
    let daemon = Daemon::start().await;
    let first = daemon.run(daemon.spec("a", &["sleep", "600"])).await;
    kill(first.pid.unwrap());
    let second = eventually("it is online again", || async {
        let view = daemon.get("a").await;
        (view.state == Phase::Online && view.pid != first.pid).then_some(view)
    })
    .await;
    assert_eq!((second.restarts, second.incarnation), (1, 2));
    assert_eq!(second.exit, Some(Exit::Signal(9)));
}

#[tokio::test]
async fn a_stop_cancels_a_pending_restart() {
    let daemon = Daemon::start().await;
    let mut spec = daemon.spec("a", &["sh", "-c", "exit 1"]);
    spec.restart.backoff_initial_ms = 60_000;
    spec.restart.backoff_cap_ms = 60_000;
    daemon.run(spec).await;
    let waiting = daemon.reaches("a", Phase::WaitingRestart).await;
    assert!(waiting.next_start_at.is_some());
    let stopped = daemon.act("a", Action::Stop).await.unwrap();
    assert_eq!((stopped.state, stopped.next_start_at), (Phase::Stopped, None));
}

#[tokio::test]
async fn without_autorestart_an_end_is_an_end() {
    let mut daemon = Daemon::start().await;
    let mut spec = daemon.spec("a", &["true"]);
    spec.restart.autorestart = false;
    daemon.run(spec).await;
    let view = daemon.reaches("a", Phase::Stopped).await;
    assert_eq!((view.exit, view.desired), (Some(Exit::Code(0)), Desired::Stopped));
    daemon.kill();
    daemon.start_again().await;
    let view = daemon.get("a").await;
    assert_eq!((view.state, view.exit), (Phase::Stopped, Some(Exit::Code(0))));
}

#[tokio::test]
async fn a_forced_restart_does_not_wait_for_the_stubborn() {
    let daemon = Daemon::start().await;
    let mut spec =
        daemon.spec("a", &["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]);
    spec.kill_timeout_ms = 60_000;
    daemon.run(spec).await;
    eventually("it ignores the signal", || async {
        (daemon.client.logs("a", 1).await.ok()?.len() == 1).then_some(())
    })
    .await;
    let stop = daemon.act("a", Action::Stop);
    let force = async {
        daemon.reaches("a", Phase::Stopping).await;
        daemon.act("a", Action::ForceRestart).await.unwrap()
    };
    let began = Instant::now();
    let (stopped, forced) = tokio::join!(stop, force);
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(stopped.is_ok());
    assert_eq!((forced.state, forced.incarnation), (Phase::Online, 2));
    assert_eq!(forced.exit, Some(Exit::Signal(9)));
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
