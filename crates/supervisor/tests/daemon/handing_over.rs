use std::path::{Path, PathBuf};

use supervisor::client::{Action, ClientError};
use supervisor::wire::{ErrorCode, Exit, Phase, UpgradeRequest};

use crate::poll::eventually;
use crate::support::{Daemon, example, is_alive};

async fn upgrade(daemon: &Daemon, program: Option<PathBuf>) -> Result<(), ClientError> {
    daemon.client.upgrade(&UpgradeRequest { program }).await
}

/// Waits until the program that took over answers.
async fn taken_over(daemon: &Daemon, since: i64) {
    eventually("the next program answers", || async {
        (daemon.client.info().await.ok()?.started_at > since).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_next_program_has_the_pid_the_children_and_every_line() {
    const LINES: u32 = 20_000;
    let daemon = Daemon::start().await;
    let before = daemon.client.info().await.unwrap();
    let printer = daemon.run(daemon.printer("p", LINES)).await;
    let sleeper = daemon.run(daemon.spec("s", &["sleep", "600"])).await;
    let mut since = before.started_at;
    for _ in 0..3 {
        upgrade(&daemon, Some(example("daemon"))).await.unwrap();
        taken_over(&daemon, since).await;
        let info = daemon.client.info().await.unwrap();
        assert_eq!((info.pid, info.processes), (before.pid, 2));
        since = info.started_at;
    }
    for first in [&printer, &sleeper] {
        let view = daemon.get(&first.name).await;
        assert_eq!((view.pid, view.state), (first.pid, Phase::Online));
        assert_eq!((view.incarnation, view.adopted), (1, false));
    }
    let view = daemon.act("s", Action::Stop).await.unwrap();
    assert_eq!(view.exit, Some(Exit::Signal(15)));
    eventually("everything is printed", || async {
        let last = daemon.client.logs("p", 1).await.ok()?;
        (last.first()?.line == "done").then_some(())
    })
    .await;
    let text = std::fs::read_to_string(&printer.out_file).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("line ")).collect();
    assert_eq!(lines.len(), LINES as usize);
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(*line, format!("line {number} {}", "x".repeat(number % 150)));
    }
}

#[tokio::test]
async fn an_end_during_the_change_is_known() {
    let daemon = Daemon::start().await;
    let go = daemon.dir.path().join("go");
    let script = |code: u32| {
        format!(
            "while ! [ -e {} ]; do sleep 0.01; done; echo bye {code}; exit {code}",
            go.display()
        )
    };
    for code in 40..48 {
        let mut spec = daemon.spec(&format!("p{code}"), &["sh", "-c", &script(code)]);
        spec.restart.autorestart = false;
        daemon.run(spec).await;
    }
    let since = daemon.client.info().await.unwrap().started_at;
    let (changed, _) = tokio::join!(upgrade(&daemon, None), async {
        std::fs::write(&go, "").unwrap();
    });
    changed.unwrap();
    taken_over(&daemon, since).await;
    for code in 40..48 {
        let name = format!("p{code}");
        let view = daemon.reaches(&name, Phase::Stopped).await;
        assert_eq!(view.exit, Some(Exit::Code(code)));
        let lines = daemon.client.logs(&name, 10).await.unwrap();
        assert_eq!(lines.last().unwrap().line, format!("bye {code}"));
    }
}

#[tokio::test]
async fn a_program_that_does_not_work_is_refused_and_the_old_one_goes_on() {
    let daemon = Daemon::start().await;
    let view = daemon.run(daemon.spec("a", &["sleep", "600"])).await;
    let before = daemon.client.info().await.unwrap();
    for bad in ["/nowhere/at/all", "/etc/passwd", "/bin/false"] {
        let error = upgrade(&daemon, Some(PathBuf::from(bad))).await.unwrap_err();
        let ClientError::Refused(body) = error else { panic!("{error:?}") };
        assert_eq!(body.code, ErrorCode::UpgradeFailed);
        assert!(body.message.contains(bad), "{}", body.message);
    }
    let relative = upgrade(&daemon, Some(PathBuf::from("daemon"))).await.unwrap_err();
    assert!(matches!(relative, ClientError::Refused(body) if body.code == ErrorCode::BadRequest));
    assert_eq!(daemon.client.info().await.unwrap().started_at, before.started_at);
    assert_eq!(daemon.get("a").await.pid, view.pid);
}

/// It says its version, and yet cannot be executed when it matters: the old one takes over from itself.
#[tokio::test]
async fn a_program_that_vanishes_at_the_last_moment_is_not_the_end() {
    let daemon = Daemon::start().await;
    let view = daemon.run(daemon.spec("a", &["sleep", "600"])).await;
    let before = daemon.client.info().await.unwrap();
    let program = daemon.dir.path().join("once");
    let script = format!("#!/bin/sh\nrm {}\n", program.display());
    write_program(&program, script.as_bytes());
    upgrade(&daemon, Some(program)).await.unwrap();
    taken_over(&daemon, before.started_at).await;
    assert_eq!(daemon.client.info().await.unwrap().pid, before.pid);
    assert_eq!(daemon.get("a").await.pid, view.pid);
}

/// As package managers do it: the new file takes the name of the old one, which is gone then.
#[tokio::test]
async fn a_replaced_program_is_found_under_its_name() {
    let mut daemon = Daemon::start().await;
    let program = daemon.dir.path().join("supervisor");
    std::fs::copy(example("daemon"), &program).unwrap();
    daemon.kill();
    daemon.start_program_again(&program).await;
    let before = daemon.client.info().await.unwrap();
    let next = daemon.dir.path().join("next");
    std::fs::copy(example("daemon"), &next).unwrap();
    std::fs::rename(&next, &program).unwrap();
    upgrade(&daemon, None).await.unwrap();
    taken_over(&daemon, before.started_at).await;
    let runs = std::fs::read_link(format!("/proc/{}/exe", before.pid)).unwrap();
    assert_eq!(runs, program);
}

#[tokio::test]
async fn nobody_is_turned_away_meanwhile() {
    let daemon = Daemon::start().await;
    let view = daemon.run(daemon.spec("a", &["sleep", "600"])).await;
    let mut since = daemon.client.info().await.unwrap().started_at;
    for round in 0..5 {
        let mut asked = 0;
        let hammer = async {
            while daemon.client.info().await.unwrap().started_at == since {
                asked += 1;
            }
            assert!(asked > 0, "round {round}");
            daemon.client.info().await.unwrap().started_at
        };
        let others = async {
            for _ in 0..200 {
                daemon.client.rows().await.unwrap();
            }
        };
        let (changed, now, ()) = tokio::join!(upgrade(&daemon, None), hammer, others);
        changed.unwrap();
        since = now;
    }
    assert!(view.pid.is_some_and(is_alive));
}

fn write_program(path: &Path, content: &[u8]) {
    std::fs::write(path, content).unwrap();
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
}
