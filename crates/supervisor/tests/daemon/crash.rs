use std::time::Duration;

use supervisor::client::Action;
use supervisor::wire::{Desired, Exit, Phase};

use crate::poll::eventually;
use crate::support::{Daemon, is_alive};

#[tokio::test]
async fn processes_outlive_a_killed_supervisor_and_are_adopted() {
    let mut daemon = Daemon::start().await;
    let mut pids = Vec::new();
    for number in 0..10 {
        let name = format!("p{number}");
        pids.push(daemon.run(daemon.spec(&name, &["sleep", "600"])).await.pid);
    }
    daemon.act("p9", Action::Stop).await.unwrap();
    daemon.kill();
    daemon.start_again().await;
    let info = daemon.client.info().await.unwrap();
    assert_eq!((info.adopted, info.processes), (9, 10));
    for (number, pid) in pids.iter().enumerate().take(9) {
        let view = daemon.get(&format!("p{number}")).await;
        assert_eq!((view.pid, view.state, view.adopted), (*pid, Phase::Online, true));
        assert_eq!(view.incarnation, 1);
    }
    let stopped = daemon.get("p9").await;
    assert_eq!((stopped.state, stopped.desired), (Phase::Stopped, Desired::Stopped));
    let view = daemon.act("p0", Action::Restart).await.unwrap();
    assert_eq!((view.adopted, view.incarnation, view.restarts), (false, 2, 1));
    assert!(!is_alive(pids[0].unwrap()));
}

#[tokio::test]
async fn the_exit_status_of_an_adopted_process_is_known() {
    let mut daemon = Daemon::start().await;
    let go = daemon.dir.path().join("go");
    let script = format!("while ! [ -e {} ]; do sleep 0.02; done; exit 42", go.display());
    let mut spec = daemon.spec("a", &["sh", "-c", &script]);
    spec.restart.autorestart = false;
    daemon.run(spec).await;
    daemon.kill();
    daemon.start_again().await;
    std::fs::write(go, "").unwrap();
    let view = daemon.reaches("a", Phase::Stopped).await;
    assert_eq!(view.exit, Some(Exit::Code(42)));
}

#[tokio::test]
async fn what_ended_meanwhile_is_started_again() {
    let mut daemon = Daemon::start().await;
    let first = daemon.run(daemon.spec("a", &["sleep", "600"])).await;
    daemon.kill();
    let pid = i32::try_from(first.pid.unwrap()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    eventually("it has ended", || async { (!is_alive(first.pid?)).then_some(()) }).await;
    daemon.start_again().await;
    let view = daemon.reaches("a", Phase::Online).await;
    assert_eq!((view.incarnation, view.restarts, view.adopted), (2, 1, false));
}

/// The record is lost, as if the supervisor had been killed between the spawn and its writing.
#[tokio::test]
async fn a_process_without_a_record_is_found_by_its_mark() {
    let mut daemon = Daemon::start().await;
    let first = daemon.run(daemon.spec("a", &["sh", "-c", "sleep 600 & wait"])).await;
    daemon.kill();
    daemon.set_record(0, "");
    daemon.start_again().await;
    let view = daemon.get("a").await;
    assert_eq!((view.pid, view.adopted, view.incarnation), (first.pid, true, 1));
    daemon.act("a", Action::Stop).await.unwrap();
    assert!(daemon.living().is_empty());
}

/// As if the supervisor had been killed right after the spawn: it had said before what it was about to do.
#[tokio::test]
async fn a_process_that_was_about_to_be_executed_is_found_by_its_mark() {
    let mut daemon = Daemon::start().await;
    let spec = daemon.spec("a", &["sh", "-c", "sleep 600 & wait"]);
    let first = daemon.run(spec.clone()).await;
    daemon.act("a", Action::Stop).await.unwrap();
    let started = daemon.act("a", Action::Start).await.unwrap();
    assert_ne!(started.pid, first.pid);
    daemon.kill();
    let text = daemon.record(0);
    let (before, _) = text.split_once("\"stage\"").unwrap();
    daemon.set_record(0, &format!("{before}\"stage\":\"spawning\"}}"));
    daemon.start_again().await;
    let view = daemon.get("a").await;
    assert_eq!((view.pid, view.adopted, view.incarnation), (started.pid, true, 2));
    daemon.act("a", Action::Stop).await.unwrap();
    assert!(daemon.living().is_empty());
}

/// Another boot voids every pid; what is meant to run is started, under a number that is surely new.
#[tokio::test]
async fn after_a_reboot_what_is_meant_to_run_is_started() {
    let mut daemon = Daemon::start().await;
    let first = daemon.run(daemon.spec("a", &["sleep", "600"])).await;
    daemon.run(daemon.spec("b", &["sleep", "600"])).await;
    daemon.act("b", Action::Stop).await.unwrap();
    daemon.kill();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    daemon.set_record(0, &daemon.record(0).replace(boot.trim(), &"0".repeat(36)));
    for pid in daemon.living() {
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    }
    daemon.start_again().await;
    let view = daemon.reaches("a", Phase::Online).await;
    assert!(view.incarnation > first.incarnation + 100 && !view.adopted);
    assert_eq!(daemon.get("b").await.state, Phase::Stopped);
}

#[tokio::test]
async fn no_line_is_lost_when_the_supervisor_is_killed_again_and_again() {
    const LINES: u32 = 60_000;
    let mut daemon = Daemon::start().await;
    let view = daemon.run(daemon.printer("p", LINES)).await;
    let mut kills = 0;
    let size = || std::fs::metadata(&view.out_file).map_or(0, |metadata| metadata.len());
    while kills < 10 {
        let before = size();
        daemon.kill();
        kills += 1;
        daemon.start_again().await;
        eventually("output goes on", || async {
            let last = daemon.client.logs("p", 1).await.ok()?;
            let done = last.first().is_some_and(|line| line.line == "done");
            assert!(!done, "it must print for as long as there are kills");
            (size() > before).then_some(())
        })
        .await;
    }
    eventually("it has printed everything", || async {
        let last = daemon.client.logs("p", 1).await.ok()?;
        (last.first()?.line == "done").then_some(())
    })
    .await;
    assert_eq!(daemon.get("p").await.pid, view.pid);
    // It fits in one file, with the default limit of 10 MiB.
    let text = std::fs::read_to_string(&view.out_file).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("line ")).collect();
    assert_eq!(lines.len(), LINES as usize);
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(*line, format!("line {number} {}", "x".repeat(number % 150)));
    }
}

/// Starts are under way when the supervisor is killed: each is either there once or not at all.
#[tokio::test]
async fn a_kill_amid_starts_leaves_no_process_unknown_or_twice() {
    let mut daemon = Daemon::start().await;
    let mut asked = 0;
    for round in 0..5 {
        let starts = (0..8).map(|number| {
            let spec = daemon.spec(&format!("r{round}-{number}"), &["sleep", "600"]);
            daemon.try_run(spec, 0)
        });
        asked += 8;
        let all = futures::future::join_all(starts);
        let _ = tokio::time::timeout(Duration::from_millis(4 + round), all).await;
        daemon.kill();
        daemon.start_again().await;
    }
    let views = eventually("all that is known is online", || async {
        let views = daemon.client.list(&[]).await.ok()?;
        views.iter().all(|view| view.state == Phase::Online).then_some(views)
    })
    .await;
    assert!(!views.is_empty() && views.len() <= asked);
    let mut known: Vec<i32> =
        views.iter().map(|view| i32::try_from(view.pid.unwrap()).unwrap()).collect();
    let mut living = daemon.living();
    known.sort_unstable();
    living.sort_unstable();
    assert_eq!(known, living);
}

/// What the journal has lost, nobody could stop, or start again without doubling it.
#[tokio::test]
async fn a_damaged_journal_leaves_neither_an_orphan_nor_a_double() {
    let mut daemon = Daemon::start().await;
    let kept = daemon.run(daemon.spec("kept", &["sleep", "600"])).await.pid.unwrap();
    let lost = daemon.run(daemon.spec("lost", &["sleep", "600"])).await.pid.unwrap();
    daemon.kill();
    let journal = daemon.run_dir().join("journal");
    let text = std::fs::read_to_string(&journal).unwrap();
    let damaged: Vec<_> = text.lines().map(|line| line.replace("\"lost\"", "\"l?st\"")).collect();
    std::fs::write(&journal, damaged.join("\n") + "\n").unwrap();
    daemon.start_again().await;
    assert!(!is_alive(lost));
    assert_eq!(daemon.get("kept").await.pid, Some(kept));
    let again = daemon.run(daemon.spec("lost", &["sleep", "600"])).await;
    assert!(again.pid.is_some_and(is_alive));
}

#[tokio::test]
async fn an_emptied_journal_leaves_no_orphan() {
    let mut daemon = Daemon::start().await;
    let pid = daemon.run(daemon.spec("a", &["sleep", "600"])).await.pid.unwrap();
    daemon.kill();
    std::fs::write(daemon.run_dir().join("journal"), "").unwrap();
    daemon.start_again().await;
    assert!(!is_alive(pid));
    let again = daemon.run(daemon.spec("a", &["sleep", "600"])).await;
    assert!(again.pid.is_some_and(is_alive));
}
