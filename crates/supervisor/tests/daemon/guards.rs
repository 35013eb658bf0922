use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use supervisor::client::Action;
use supervisor::wire::{
    ActBatch, BatchAction, BatchResult, Desired, ErrorCode, Liveness, Phase, Probe, ProcessSpec,
    ProcessView, Readiness, WatchFiles,
};

use crate::poll::eventually;
use crate::support::{Daemon, example, refusal};

/// Long enough to be told from what is asked for.
const NEVER_MS: u64 = 600_000;

fn behave(daemon: &Daemon, name: &str, arguments: &[&str]) -> ProcessSpec {
    let program = example("behave").display().to_string();
    daemon.spec(name, &[&[program.as_str()], arguments].concat())
}

/// A port that nobody listens at for the moment.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

async fn runs_again(daemon: &Daemon, before: &ProcessView) -> ProcessView {
    let name = &before.name;
    eventually(&format!("{name} runs again"), || async {
        let view = daemon.get(name).await;
        (view.incarnation > before.incarnation && view.state == Phase::Online).then_some(view)
    })
    .await
}

#[tokio::test]
async fn it_is_online_when_it_says_so_itself_or_by_a_child() {
    let daemon = Daemon::start().await;
    let program = example("behave").display().to_string();
    let by_child = format!("{program} notify 'READY=1\nSTATUS=at your service' & wait");
    let commands = [vec![program.as_str(), "notify", "READY=1"], vec!["sh", "-c", &by_child]];
    for (name, command) in ["main", "child"].into_iter().zip(commands) {
        let mut spec = daemon.spec(name, &command);
        spec.ready = Readiness::Notify;
        spec.listen_timeout_ms = NEVER_MS;
        assert_eq!(daemon.run(spec).await.state, Phase::Online);
    }
    eventually("the status is shown", || async {
        (daemon.get("child").await.status? == "at your service").then_some(())
    })
    .await;
}

/// The word may arrive before the engine has learnt who was born.
#[tokio::test]
async fn no_early_word_is_lost() {
    let daemon = Daemon::start().await;
    let starts = (0..24).map(|number| {
        let mut spec = behave(&daemon, &format!("p{number}"), &["notify", "READY=1"]);
        spec.ready = Readiness::Notify;
        spec.listen_timeout_ms = NEVER_MS;
        daemon.try_run(spec, 0)
    });
    let all = futures::future::join_all(starts);
    let started = eventually_all(all).await;
    assert!(started.iter().all(|view| view.state == Phase::Online));
}

async fn eventually_all<E: std::fmt::Debug>(
    all: impl Future<Output = Vec<Result<ProcessView, E>>>,
) -> Vec<ProcessView> {
    let started = tokio::time::timeout(Duration::from_secs(20), all).await;
    started.expect("all are ready in time").into_iter().map(Result::unwrap).collect()
}

#[tokio::test]
async fn one_that_never_says_so_is_online_after_a_while_all_the_same() {
    let daemon = Daemon::start().await;
    let mut spec = daemon.spec("a", &["sleep", "600"]);
    spec.ready = Readiness::Notify;
    spec.listen_timeout_ms = 300;
    let began = Instant::now();
    assert_eq!(daemon.run(spec).await.state, Phase::Online);
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_probe_tells_when_it_is_ready() {
    let daemon = Daemon::start().await;
    let nowhere = daemon.dir.path().join("never").display().to_string();
    for (name, http) in [("port", false), ("http", true)] {
        let port = free_port();
        let mut spec = behave(&daemon, name, &["serve", &port.to_string(), &nowhere]);
        let path = "/health".to_owned();
        let probe = if http { Probe::Http { port, path } } else { Probe::Port(port) };
        spec.ready = Readiness::Probe(probe);
        spec.listen_timeout_ms = NEVER_MS;
        assert_eq!(daemon.run(spec).await.state, Phase::Online);
    }
}

#[tokio::test]
async fn one_that_does_not_become_ready_is_told_with_its_last_lines() {
    let daemon = Daemon::start().await;
    let script = "echo no port for me; exec sleep 600";
    let mut spec = daemon.spec("a", &["sh", "-c", script]);
    spec.ready = Readiness::Probe(Probe::Port(free_port()));
    spec.listen_timeout_ms = 300;
    let error = refusal(daemon.try_run(spec, 0).await);
    assert_eq!(error.code, ErrorCode::NotReady);
    assert_eq!(error.log_tail, ["no port for me"]);
    assert!(error.message.contains("300 ms"), "{}", error.message);
    let view = daemon.reaches("a", Phase::Errored).await;
    assert_eq!((view.desired, view.pid), (Desired::Stopped, None));
}

/// The first run is ready, and the second, which nobody asked for, is not.
#[tokio::test]
async fn a_restart_that_is_not_ready_is_judged_by_the_policy() {
    let daemon = Daemon::start().await;
    let (port, program) = (free_port(), example("behave").display().to_string());
    let once = daemon.dir.path().join("once").display().to_string();
    let script = format!(
        "[ -e {once} ] && exec sleep 600; : > {once}; exec {program} serve {port} /nowhere"
    );
    let mut spec = daemon.spec("a", &["sh", "-c", &script]);
    spec.ready = Readiness::Probe(Probe::Port(port));
    spec.listen_timeout_ms = 2000;
    spec.restart.max_restarts = 2;
    spec.restart.min_uptime_ms = 60_000;
    spec.restart.backoff_initial_ms = 10;
    let first = daemon.run(spec).await;
    kill(first.pid);
    let view = daemon.reaches("a", Phase::Errored).await;
    let reason = view.reason.unwrap();
    assert!(
        reason.contains("not ready after 2000 ms") && reason.contains("max_restarts"),
        "{reason}"
    );
    assert_eq!(view.restarts, 1);
}

#[tokio::test]
async fn silence_of_the_watchdog_leads_to_a_restart() {
    let daemon = Daemon::start().await;
    let quiet = daemon.dir.path().join("quiet");
    let mut spec = behave(&daemon, "a", &["beat", "20", quiet.to_str().unwrap()]);
    spec.liveness =
        Some(Liveness { probe: None, interval_ms: 1500, timeout_ms: 1000, failures: 1 });
    let first = daemon.run(spec).await;
    std::fs::write(&quiet, "").unwrap();
    let view = eventually("it is restarted", || async {
        let view = daemon.get("a").await;
        (view.incarnation > first.incarnation).then_some(view)
    })
    .await;
    let reason = view.reason.unwrap();
    assert!(reason.contains("WATCHDOG=1"), "{reason}");
}

#[tokio::test]
async fn a_wrong_answer_leads_to_a_restart() {
    let daemon = Daemon::start().await;
    let (port, ill) = (free_port(), daemon.dir.path().join("ill"));
    let mut spec = behave(&daemon, "a", &["serve", &port.to_string(), ill.to_str().unwrap()]);
    let probe = Probe::Http { port, path: "/".to_owned() };
    spec.ready = Readiness::Probe(probe.clone());
    spec.listen_timeout_ms = 20_000;
    spec.liveness =
        Some(Liveness { probe: Some(probe), interval_ms: 100, timeout_ms: 5000, failures: 2 });
    let first = daemon.run(spec).await;
    std::fs::write(&ill, "").unwrap();
    let view = eventually("it is given up", || async {
        let view = daemon.get("a").await;
        view.reason.is_some().then_some(view)
    })
    .await;
    let reason = view.reason.unwrap();
    assert!(reason.contains("500") && reason.contains("2 times"), "{reason}");
    std::fs::remove_file(&ill).unwrap();
    runs_again(&daemon, &first).await;
}

#[tokio::test]
async fn the_memory_of_children_counts_too() {
    let daemon = Daemon::start().await;
    let once = daemon.dir.path().join("once");
    let program = example("behave").display().to_string();
    let script = format!(
        "if ! [ -e {once} ]; then : > {once}; {program} allocate 64 & fi; exec sleep 600",
        once = once.display()
    );
    let mut spec = daemon.spec("a", &["sh", "-c", &script]);
    spec.max_memory_bytes = Some(48 << 20);
    let first = daemon.run(spec).await;
    let view = runs_again(&daemon, &first).await;
    let reason = view.reason.unwrap();
    assert!(reason.contains("memory") && reason.contains(&(48 << 20).to_string()), "{reason}");
    assert_eq!((view.unstable, view.restarts), (0, 1));
    // They are known by their environment, which a process does not have in its first instant.
    eventually("the new run, and nothing of the old", || async {
        (daemon.living().len() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_clock_restarts_and_starts_but_not_what_was_stopped() {
    let daemon = Daemon::start().await;
    let mut runs = daemon.spec("runs", &["sleep", "600"]);
    let mut ends = daemon.spec("ends", &["true"]);
    let mut stopped = daemon.spec("stopped", &["sleep", "600"]);
    for spec in [&mut runs, &mut ends, &mut stopped] {
        spec.cron_restart = Some("* * * * * *".to_owned());
    }
    ends.restart.autorestart = false;
    let (runs, ends) = (daemon.run(runs).await, daemon.run(ends).await);
    daemon.run(stopped).await;
    let stopped = daemon.act("stopped", Action::Stop).await.unwrap();
    runs_again(&daemon, &runs).await;
    eventually("what ended runs again and again", || async {
        (daemon.get("ends").await.incarnation > ends.incarnation + 1).then_some(())
    })
    .await;
    let view = daemon.get("stopped").await;
    assert_eq!((view.state, view.incarnation), (Phase::Stopped, stopped.incarnation));
    // A stop holds also between two of its runs.
    let ends = daemon.act("ends", Action::Stop).await.unwrap();
    let runs = daemon.get("runs").await;
    runs_again(&daemon, &runs).await;
    assert_eq!(daemon.get("ends").await.incarnation, ends.incarnation);
}

fn watching(paths: &[&Path]) -> WatchFiles {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    WatchFiles { paths, ignore: vec!["ignored".to_owned()], delay_ms: 100 }
}

/// Changes until something happens: when the watching has begun is not told.
async fn touched(daemon: &Daemon, file: &Path, before: &ProcessView) -> ProcessView {
    let mut number = 0;
    eventually("a change restarts it", async || {
        number += 1;
        std::fs::write(file, number.to_string()).unwrap();
        let view = daemon.get(&before.name).await;
        (view.incarnation > before.incarnation && view.state == Phase::Online).then_some(view)
    })
    .await
}

#[tokio::test]
async fn a_burst_of_changes_restarts_it_once() {
    let daemon = Daemon::start().await;
    let sources = daemon.dir.path().join("sources");
    std::fs::create_dir(&sources).unwrap();
    let mut spec = daemon.spec("a", &["sleep", "600"]);
    spec.watch = Some(WatchFiles { delay_ms: 1000, ..watching(&[&sources]) });
    // Of the second process's restart one sees that the burst is over.
    let mut other = daemon.spec("b", &["sleep", "600"]);
    other.watch = Some(WatchFiles { delay_ms: 3000, ..watching(&[&sources]) });
    let (first, other) = (daemon.run(spec).await, daemon.run(other).await);
    // Those that come before the watching are for nothing, and the others are one burst.
    let mut number = 0;
    eventually("both are restarted", async || {
        if number < 20 {
            number += 1;
            std::fs::write(sources.join(format!("f{number}")), "").unwrap();
        }
        (daemon.get("b").await.incarnation > other.incarnation).then_some(())
    })
    .await;
    let view = daemon.get("a").await;
    assert_eq!((view.incarnation, view.restarts), (first.incarnation + 1, 1));
    assert!(view.watching);
}

#[tokio::test]
async fn watching_is_turned_on_and_off() {
    let daemon = Daemon::start().await;
    let folder = daemon.dir.path().join("cwd");
    std::fs::create_dir(&folder).unwrap();
    let mut spec = daemon.spec("a", &["sleep", "600"]);
    spec.cwd.clone_from(&folder);
    let first = daemon.run(spec).await;
    assert!(!first.watching);
    let act = async |action| {
        let batch = ActBatch { action, ids: vec![first.id], force: false, settle_ms: 0 };
        match daemon.client.act_batch(&batch).await.unwrap().results.remove(0) {
            BatchResult::Done(row) => row.watching,
            BatchResult::Failed(error) => panic!("{}", error.message),
        }
    };
    assert!(act(BatchAction::Watch).await);
    let second = touched(&daemon, &folder.join("file"), &first).await;
    assert!(!act(BatchAction::Unwatch).await);
    // What changed before may still restart it; then a run that changes do not touch is reached.
    let mut other = daemon.spec("b", &["sleep", "600"]);
    other.watch = Some(watching(&[&folder]));
    let other = daemon.run(other).await;
    let before = daemon.get("a").await.incarnation;
    assert!(before >= second.incarnation);
    touched(&daemon, &folder.join("file"), &other).await;
    assert_eq!(daemon.get("a").await.incarnation, before);
}

fn kill(pid: Option<u32>) {
    let pid = i32::try_from(pid.unwrap()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
