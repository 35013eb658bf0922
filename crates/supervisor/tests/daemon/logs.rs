use futures::StreamExt;
use supervisor::wire::{LogStream, Phase};

use crate::poll::eventually;
use crate::support::Daemon;

#[tokio::test]
async fn both_streams_keep_their_order_in_one_file() {
    let daemon = Daemon::start().await;
    let script = "for i in 1 2 3; do echo out $i; echo err $i >&2; done; printf end";
    let mut spec = daemon.spec("a", &["sh", "-c", script]);
    spec.restart.autorestart = false;
    let view = daemon.run(spec).await;
    daemon.reaches("a", Phase::Stopped).await;
    let text = std::fs::read_to_string(&view.out_file).unwrap();
    assert_eq!(text, "out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\nend");
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(view.out_file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let lines = daemon.client.logs("a", 2).await.unwrap();
    assert_eq!(lines.iter().map(|line| line.line.as_str()).collect::<Vec<_>>(), ["err 3", "end"]);
}

#[tokio::test]
async fn a_second_file_takes_standard_error() {
    let daemon = Daemon::start().await;
    let mut spec = daemon.spec("a", &["sh", "-c", "echo out; echo err >&2"]);
    spec.error_file = Some(daemon.dir.path().join("logs/err.log"));
    spec.restart.autorestart = false;
    daemon.run(spec).await;
    daemon.reaches("a", Phase::Stopped).await;
    let lines = daemon.client.logs("a", 9).await.unwrap();
    let lines: Vec<_> = lines.iter().map(|line| (line.stream, line.line.as_str())).collect();
    assert_eq!(lines, [(LogStream::Out, "out"), (LogStream::Error, "err")]);
}

#[tokio::test]
async fn following_shows_each_line_once_through_restart_and_rotation() {
    let daemon = Daemon::start().await;
    let script = "i=0; while [ $i -lt 400 ]; do echo $TENANTRY_INCARNATION/$i; i=$((i+1)); done; exec sleep 600";
    let mut spec = daemon.spec("a", &["sh", "-c", script]);
    spec.log_max_bytes = 4096;
    let view = daemon.run(spec).await;
    let mut lines = daemon.client.follow_logs("a", 10_000).await.unwrap();
    let mut seen = Vec::new();
    while seen.last().map(String::as_str) != Some("1/399") {
        seen.push(lines.next().await.unwrap().unwrap().line);
    }
    let before = seen.len();
    daemon.act("a", supervisor::client::Action::Restart).await.unwrap();
    while seen.last().map(String::as_str) != Some("2/399") {
        seen.push(lines.next().await.unwrap().unwrap().line);
    }
    let wanted: Vec<String> = (0..400).map(|number| format!("2/{number}")).collect();
    assert_eq!(seen[before..], wanted);
    let all = daemon.client.logs("a", 800).await.unwrap();
    let all: Vec<&str> = all.iter().map(|line| line.line.as_str()).collect();
    assert_eq!((all.len(), all[0], all[799]), (800, "1/0", "2/399"));
    eventually("there are rotated files", || async {
        view.out_file.with_extension("log.1").exists().then_some(())
    })
    .await;
}
