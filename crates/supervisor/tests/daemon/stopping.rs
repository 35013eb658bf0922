use std::time::{Duration, Instant};

use supervisor::client::Action;
use supervisor::wire::{
    ActBatch, ActionRequest, BatchAction, BatchResult, Desired, ErrorCode, Exit, KillSignal, Phase,
    Readiness,
};

use crate::poll::eventually;
use crate::support::{Daemon, is_alive, refusal};

const AN_HOUR_MS: u64 = 3_600_000;

/// Waits until as many processes live as there are to be.
async fn lives(daemon: &Daemon, count: usize) {
    let what = format!("{count} processes live");
    eventually(&what, || async { (daemon.living().len() == count).then_some(()) }).await;
}

async fn says(daemon: &Daemon, name: &str, word: &str) {
    eventually(&format!("{name} says {word}"), || async {
        let lines = daemon.client.logs(name, 100).await.ok()?;
        lines.iter().any(|line| line.line == word).then_some(())
    })
    .await;
}

/// Two that have a session of their own and no living parent, and the main process.
const DOUBLE_FORK: &str =
    "(setsid sh -c 'sleep 601 & sleep 602 & exit' &); echo up; exec sleep 600";

#[tokio::test]
async fn who_took_a_session_and_lost_its_parents_is_ended_too() {
    let daemon = Daemon::start().await;
    daemon.run(daemon.spec("a", &["sh", "-c", DOUBLE_FORK])).await;
    lives(&daemon, 3).await;
    daemon.act("a", Action::Stop).await.unwrap();
    assert!(daemon.living().is_empty());
}

#[tokio::test]
async fn that_holds_for_an_adopted_tree_too() {
    let mut daemon = Daemon::start().await;
    daemon.run(daemon.spec("a", &["sh", "-c", DOUBLE_FORK])).await;
    lives(&daemon, 3).await;
    daemon.kill();
    daemon.start_again().await;
    daemon.act("a", Action::Stop).await.unwrap();
    assert!(daemon.living().is_empty());
}

#[tokio::test]
async fn without_treekill_the_main_process_is_asked_alone() {
    let daemon = Daemon::start().await;
    let child = "trap \"echo child asked; exit\" TERM; echo child up; while :; do sleep 0.05; done";
    let script = format!("sh -c '{child}' & trap 'echo main asked; exit 7' TERM; wait");
    for (name, treekill) in [("all", true), ("main", false)] {
        let mut spec = daemon.spec(name, &["sh", "-c", &script]);
        (spec.treekill, spec.kill_timeout_ms) = (treekill, 1500);
        daemon.run(spec).await;
        says(&daemon, name, "child up").await;
        let view = daemon.act(name, Action::Stop).await.unwrap();
        assert_eq!(view.exit, Some(Exit::Code(7)));
        assert!(daemon.living().is_empty());
        let lines = daemon.client.logs(name, 100).await.unwrap();
        let said = |word: &str| lines.iter().any(|line| line.line == word);
        assert!(said("main asked"));
        assert_eq!(said("child asked"), treekill, "{lines:?}");
    }
}

#[tokio::test]
async fn the_signal_is_the_one_that_was_chosen() {
    let daemon = Daemon::start().await;
    let script = "trap 'exit 5' USR2; trap '' TERM INT; echo up; while :; do sleep 0.05; done";
    let mut spec = daemon.spec("a", &["sh", "-c", script]);
    spec.kill_signal = "SIGUSR2".parse::<KillSignal>().unwrap();
    spec.kill_timeout_ms = AN_HOUR_MS;
    daemon.run(spec).await;
    says(&daemon, "a", "up").await;
    let view = daemon.act("a", Action::Stop).await.unwrap();
    assert_eq!(view.exit, Some(Exit::Code(5)));
}

#[tokio::test]
async fn a_tree_that_ignores_the_signal_dies_after_the_timeout_and_sooner_by_force() {
    let daemon = Daemon::start().await;
    let script = "trap '' TERM; (setsid sleep 601 &); sleep 602 & echo up; wait";
    for (name, timeout, force) in [("slow", 400, false), ("forced", AN_HOUR_MS, true)] {
        let mut spec = daemon.spec(name, &["sh", "-c", script]);
        spec.kill_timeout_ms = timeout;
        daemon.run(spec).await;
        lives(&daemon, 3).await;
        let began = Instant::now();
        let request = ActionRequest { force, ..ActionRequest::default() };
        let view = daemon.client.act(name, Action::Stop, &request).await.unwrap();
        assert_eq!(view.exit, Some(Exit::Signal(9)));
        assert!(began.elapsed() >= Duration::from_millis(if force { 200 } else { timeout }));
        assert!(daemon.living().is_empty());
    }
}

/// The main process goes at once; a child answers the signal with one successor after another.
#[tokio::test]
async fn a_line_of_successors_does_not_outlive_the_timeout() {
    let daemon = Daemon::start().await;
    let relay = daemon.dir.path().join("relay");
    std::fs::write(&relay, "trap '' TERM\nsleep 0.03\nsh $0 &\n").unwrap();
    let script = format!("sh {} & echo up; exec sleep 600", relay.display());
    let mut spec = daemon.spec("a", &["sh", "-c", &script]);
    spec.kill_timeout_ms = 1500;
    daemon.run(spec).await;
    says(&daemon, "a", "up").await;
    daemon.act("a", Action::Stop).await.unwrap();
    let living: Vec<String> = daemon
        .living()
        .into_iter()
        .map(|pid| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default())
        .collect();
    assert!(living.is_empty(), "{living:?}");
}

#[tokio::test]
async fn a_second_stop_shares_the_end_and_force_hastens_it() {
    let daemon = Daemon::start().await;
    let mut spec =
        daemon.spec("a", &["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done"]);
    spec.kill_timeout_ms = AN_HOUR_MS;
    daemon.run(spec).await;
    says(&daemon, "a", "up").await;
    let forced = async {
        daemon.reaches("a", Phase::Stopping).await;
        let request = ActionRequest { force: true, ..ActionRequest::default() };
        daemon.client.act("a", Action::Stop, &request).await.unwrap()
    };
    let (polite, forced) = tokio::join!(daemon.act("a", Action::Stop), forced);
    assert_eq!((polite.unwrap().state, forced.state), (Phase::Stopped, Phase::Stopped));
}

#[tokio::test]
async fn a_start_that_is_not_through_is_stopped_or_deleted() {
    let daemon = Daemon::start().await;
    for delete in [false, true] {
        let mut spec = daemon.spec("a", &["sleep", "600"]);
        // Online for the kernel, but not for whoever asked.
        (spec.ready, spec.listen_timeout_ms) = (Readiness::Notify, AN_HOUR_MS);
        let start = daemon.try_run(spec, 0);
        let end = async {
            eventually("it lives", || async { daemon.client.get("a", false).await.ok()?.pid })
                .await;
            match delete {
                true => daemon.client.delete("a").await.unwrap(),
                false => daemon.act("a", Action::Stop).await.unwrap(),
            }
        };
        let (start, end) = tokio::join!(start, end);
        assert_eq!(refusal(start).code, ErrorCode::Superseded);
        assert_eq!((end.state, end.desired), (Phase::Stopped, Desired::Stopped));
        assert!(daemon.living().is_empty());
    }
    assert!(daemon.client.list(&[]).await.unwrap().is_empty());
}

/// More than may start at once, so that some are stopped while they are queued or executed.
#[tokio::test]
async fn stops_and_deletes_amid_a_crowd_of_starts_leave_nothing() {
    let daemon = Daemon::start().await;
    let starts =
        futures::future::join_all((0..60).map(|number| {
            daemon.try_run(daemon.spec(&format!("p{number}"), &["sleep", "600"]), 0)
        }));
    let ends = async {
        eventually("all are known", || async {
            (daemon.client.rows().await.ok()?.len() == 60).then_some(())
        })
        .await;
        let half = async |action, ids| {
            let batch = ActBatch { action, ids, force: false, settle_ms: 0 };
            daemon.client.act_batch(&batch).await.unwrap()
        };
        let (stop, delete) = ((0..30).collect(), (30..60).collect());
        tokio::join!(half(BatchAction::Stop, stop), half(BatchAction::Delete, delete))
    };
    let (starts, (stopped, deleted)) = tokio::join!(starts, ends);
    for result in stopped.results.iter().chain(&deleted.results) {
        assert!(matches!(result, BatchResult::Done(row) if row.pid.is_none()), "{result:?}");
    }
    for refused in starts.into_iter().filter(Result::is_err) {
        assert_eq!(refusal(refused).code, ErrorCode::Superseded);
    }
    assert_eq!(daemon.client.rows().await.unwrap().len(), 30);
    assert!(daemon.living().is_empty());
    // Each can be started as if nothing had happened.
    let view = daemon.act("p0", Action::Start).await.unwrap();
    assert!(view.pid.is_some_and(is_alive));
}

#[tokio::test]
async fn ids_begin_again_when_there_is_nobody() {
    let daemon = Daemon::start().await;
    for _ in 0..2 {
        let ids = [
            daemon.run(daemon.spec("a", &["sleep", "600"])).await.id,
            daemon.run(daemon.spec("b", &["sleep", "600"])).await.id,
        ];
        assert_eq!(ids, [0, 1]);
        daemon.client.delete("a").await.unwrap();
        // Not while there is somebody.
        assert_eq!(daemon.run(daemon.spec("c", &["sleep", "600"])).await.id, 2);
        for name in ["b", "c"] {
            daemon.client.delete(name).await.unwrap();
        }
    }
}

#[tokio::test]
async fn of_several_with_one_name_the_id_tells_which() {
    let daemon = Daemon::start().await;
    let mut ids = Vec::new();
    for instance in 0..3 {
        let mut spec = daemon.spec("web", &["sleep", "600"]);
        spec.instance = instance;
        spec.merge_logs = true;
        ids.push(daemon.run(spec).await.id);
    }
    let ambiguous = refusal(daemon.act("web", Action::Stop).await);
    assert_eq!(ambiguous.code, ErrorCode::AmbiguousTarget);
    let batch =
        ActBatch { action: BatchAction::Stop, ids: ids[..2].to_vec(), force: false, settle_ms: 0 };
    let answer = daemon.client.act_batch(&batch).await.unwrap();
    assert!(
        answer
            .results
            .iter()
            .all(|result| matches!(result, BatchResult::Done(row) if row.state == Phase::Stopped))
    );
    assert_eq!(daemon.living().len(), 1);
    daemon.client.delete("0").await.unwrap();
    daemon.client.delete("1").await.unwrap();
    assert_eq!(daemon.get("web").await.id, 2);
}
