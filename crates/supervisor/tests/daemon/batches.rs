use std::collections::BTreeMap;

use supervisor::client::Action;
use supervisor::wire::{
    ActBatch, ActionRequest, BatchAction, BatchAnswer, BatchResult, Desired, ErrorBody, ErrorCode,
    KillSignal, ListRow, Phase, ProcessSpec, Readiness, StartBatch, Stdin, WhenRunning,
};

use crate::poll::eventually;
use crate::support::{Daemon, is_alive, refusal};

fn batch(specs: Vec<ProcessSpec>) -> StartBatch {
    StartBatch {
        base_env: BTreeMap::new(),
        specs,
        running: WhenRunning::Refuse,
        start: true,
        always_new: false,
        settle_ms: 0,
    }
}

fn done(answer: BatchAnswer) -> Vec<ListRow> {
    let results = answer.results.into_iter().map(|result| match result {
        BatchResult::Done(row) => *row,
        BatchResult::Failed(error) => panic!("{}", error.message),
    });
    results.collect()
}

fn failed(answer: BatchAnswer) -> Vec<ErrorBody> {
    let results = answer.results.into_iter().map(|result| match result {
        BatchResult::Failed(error) => error,
        BatchResult::Done(row) => panic!("{row:?}"),
    });
    results.collect()
}

async fn act(daemon: &Daemon, action: BatchAction, ids: Vec<u32>) -> BatchAnswer {
    let batch = ActBatch { action, ids, force: false, settle_ms: 0 };
    daemon.client.act_batch(&batch).await.unwrap()
}

async fn says(daemon: &Daemon, name: &str, word: &str) {
    eventually(&format!("{name} says {word}"), || async {
        let lines = daemon.client.logs(name, 100).await.ok()?;
        lines.iter().any(|line| line.line == word).then_some(())
    })
    .await;
}

#[tokio::test]
async fn two_hundred_share_an_environment() {
    let mut daemon = Daemon::start().await;
    let script = "echo $SHARED $OWN; exec sleep 600";
    let specs = (0..200).map(|number| {
        let mut spec = daemon.spec(&format!("p{number}"), &["sh", "-c", script]);
        spec.env.insert("OWN".to_owned(), number.to_string());
        spec
    });
    let mut request = batch(specs.collect());
    request.base_env =
        BTreeMap::from([("SHARED", "x".repeat(1000)), ("OWN", "overruled".to_owned())])
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
    let rows = done(daemon.client.start_batch(&request).await.unwrap());
    assert_eq!(rows.len(), 200);
    for (number, row) in rows.iter().enumerate() {
        assert_eq!((row.name.as_str(), row.state), (&*format!("p{number}"), Phase::Online));
    }
    for number in [0, 99, 199] {
        says(&daemon, &format!("p{number}"), &format!("{} {number}", "x".repeat(1000))).await;
    }
    // It is written once, and is there for all after a crash.
    let journal = std::fs::read_to_string(daemon.run_dir().join("journal")).unwrap();
    assert_eq!(journal.matches(&"x".repeat(1000)).count(), 1);
    daemon.kill();
    daemon.start_again().await;
    assert_eq!(daemon.client.info().await.unwrap().adopted, 200);
    assert_eq!(daemon.client.spec("p7").await.unwrap().base_env, request.base_env.into());
    let ids = rows.iter().map(|row| row.id).collect();
    assert_eq!(done(act(&daemon, BatchAction::Delete, ids).await).len(), 200);
    assert!(daemon.living().is_empty());
}

#[tokio::test]
async fn what_runs_already_is_refused_kept_or_restarted() {
    let daemon = Daemon::start().await;
    let first = daemon.run(daemon.spec("a", &["sleep", "600"])).await;
    let changed = || {
        let mut spec = daemon.spec("a", &["sleep", "600"]);
        spec.labels.insert("version".to_owned(), "2".to_owned());
        spec
    };
    let start = async |running| {
        let request = StartBatch { running, ..batch(vec![changed()]) };
        daemon.client.start_batch(&request).await.unwrap()
    };
    let error = failed(start(WhenRunning::Refuse).await).remove(0);
    assert_eq!(error.code, ErrorCode::AlreadyRunning);
    let kept = done(start(WhenRunning::Keep).await).remove(0);
    assert_eq!((kept.pid, kept.version.as_str()), (first.pid, ""));
    let restarted = done(start(WhenRunning::Restart).await).remove(0);
    assert_eq!((restarted.id, restarted.version.as_str()), (first.id, "2"));
    assert!(restarted.pid != first.pid && !first.pid.is_some_and(is_alive));
    // Of one that does not run they are all the same.
    for running in [WhenRunning::Refuse, WhenRunning::Keep, WhenRunning::Restart] {
        daemon.act("a", Action::Stop).await.unwrap();
        assert_eq!(done(start(running).await).remove(0).state, Phase::Online);
    }
}

#[tokio::test]
async fn one_can_be_made_known_without_being_started() {
    let mut daemon = Daemon::start().await;
    let request = StartBatch { start: false, ..batch(vec![daemon.spec("a", &["no-such-thing"])]) };
    let row = done(daemon.client.start_batch(&request).await.unwrap()).remove(0);
    assert_eq!((row.state, row.pid), (Phase::Stopped, None));
    let request = StartBatch { start: false, ..batch(vec![daemon.spec("a", &["sleep", "600"])]) };
    assert_eq!(done(daemon.client.start_batch(&request).await.unwrap()).remove(0).id, row.id);
    daemon.kill();
    daemon.start_again().await;
    let view = daemon.get("a").await;
    assert_eq!((view.state, view.desired), (Phase::Stopped, Desired::Stopped));
    assert_eq!(daemon.act("a", Action::Start).await.unwrap().state, Phase::Online);
}

#[tokio::test]
async fn one_more_of_the_same_name_gets_a_number_of_its_own() {
    let daemon = Daemon::start().await;
    let mut spec = daemon.spec("web", &["sleep", "600"]);
    spec.merge_logs = true;
    let request = StartBatch { always_new: true, ..batch(vec![spec; 3]) };
    let rows = done(daemon.client.start_batch(&request).await.unwrap());
    let instances: Vec<u32> = rows.iter().map(|row| row.instance).collect();
    assert_eq!(instances, [0, 1, 2]);
    daemon.client.delete(&rows[1].id.to_string()).await.unwrap();
    let request = StartBatch { specs: vec![request.specs[0].clone()], ..request };
    let row = done(daemon.client.start_batch(&request).await.unwrap()).remove(0);
    assert_eq!((row.instance, row.id), (1, 3));
}

#[tokio::test]
async fn one_failure_is_told_and_does_not_concern_the_others() {
    let daemon = Daemon::start().await;
    let mut invalid = daemon.spec("invalid", &["sleep", "600"]);
    invalid.cwd = "relative".into();
    let specs = vec![
        daemon.spec("good", &["sleep", "600"]),
        daemon.spec("missing", &["no-such-program"]),
        invalid,
    ];
    let answer = daemon.client.start_batch(&batch(specs)).await.unwrap();
    let codes: Vec<Option<ErrorCode>> = answer
        .results
        .iter()
        .map(|result| match result {
            BatchResult::Done(_) => None,
            BatchResult::Failed(error) => Some(error.code),
        })
        .collect();
    assert_eq!(codes, [None, Some(ErrorCode::SpawnFailed), Some(ErrorCode::InvalidSpec)]);
    let unknown = failed(act(&daemon, BatchAction::Stop, vec![77]).await).remove(0);
    assert_eq!(unknown.code, ErrorCode::UnknownProcess);
    assert_eq!(daemon.client.rows().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_secret_is_never_shown_and_survives_being_sent_back_masked() {
    let daemon = Daemon::start().await;
    let mut spec =
        daemon.spec("a", &["sh", "-c", "echo is $OWN $INHERITED $PLAIN; exec sleep 600"]);
    spec.env.insert("OWN".to_owned(), "hush".to_owned());
    spec.base_env = BTreeMap::from([
        ("INHERITED".to_owned(), "whisper".to_owned()),
        ("PLAIN".to_owned(), "one".to_owned()),
    ])
    .into();
    spec.secret_env = ["OWN", "INHERITED"].map(str::to_owned).into();
    daemon.run(spec).await;
    says(&daemon, "a", "is hush whisper one").await;
    let masked = daemon.client.specs().await.unwrap().remove(0).1;
    assert_eq!(daemon.client.spec("a").await.unwrap(), masked);
    let text = serde_json::to_string(&masked).unwrap();
    assert!(!text.contains("\"hush\"") && !text.contains("\"whisper\""), "{text}");
    let mut changed = masked;
    std::sync::Arc::make_mut(&mut changed.base_env).insert("PLAIN".to_owned(), "two".to_owned());
    let request = ActionRequest { spec: Some(changed), ..ActionRequest::default() };
    daemon.client.act("a", Action::Restart, &request).await.unwrap();
    says(&daemon, "a", "is hush whisper two").await;
}

#[tokio::test]
async fn input_and_signals_reach_the_process() {
    let daemon = Daemon::start().await;
    let mut cat = daemon.spec("cat", &["cat"]);
    cat.stdin = Stdin::Pipe;
    daemon.run(cat).await;
    for word in ["one\n", "two\n"] {
        daemon.client.send("cat", word.into()).await.unwrap();
    }
    says(&daemon, "cat", "two").await;
    daemon.act("cat", Action::Restart).await.unwrap();
    daemon.client.send("cat", b"three\n".to_vec()).await.unwrap();
    says(&daemon, "cat", "three").await;

    let script = "trap 'echo heard' USR1; echo up; while :; do sleep 0.05; done";
    daemon.run(daemon.spec("trap", &["sh", "-c", script])).await;
    says(&daemon, "trap", "up").await;
    let usr1: KillSignal = "SIGUSR1".parse().unwrap();
    daemon.client.signal("trap", usr1).await.unwrap();
    says(&daemon, "trap", "heard").await;
    assert_eq!(daemon.get("trap").await.state, Phase::Online);

    let code = |result: Result<(), supervisor::client::ClientError>| {
        let supervisor::client::ClientError::Refused(body) = result.unwrap_err() else { panic!() };
        body.code
    };
    assert_eq!(code(daemon.client.send("trap", b"x".to_vec()).await), ErrorCode::NoStdin);
    daemon.act("trap", Action::Stop).await.unwrap();
    assert_eq!(code(daemon.client.signal("trap", usr1).await), ErrorCode::NotRunning);
    assert_eq!(code(daemon.client.send("trap", b"x".to_vec()).await), ErrorCode::NotRunning);
}

#[tokio::test]
async fn counters_and_logs_are_set_back() {
    let daemon = Daemon::start().await;
    let view = daemon.run(daemon.spec("a", &["sh", "-c", "echo hello; exec sleep 600"])).await;
    says(&daemon, "a", "hello").await;
    assert_eq!(daemon.act("a", Action::Restart).await.unwrap().restarts, 1);
    eventually("it said it twice", || async {
        (daemon.client.logs("a", 9).await.ok()?.len() == 2).then_some(())
    })
    .await;
    let row = done(act(&daemon, BatchAction::Reset, vec![view.id]).await).remove(0);
    assert_eq!((row.restarts, row.state), (0, Phase::Online));
    done(act(&daemon, BatchAction::FlushLogs, vec![view.id]).await);
    assert_eq!(std::fs::metadata(&view.out_file).unwrap().len(), 0);
    assert!(daemon.client.logs("a", 9).await.unwrap().is_empty());
    std::fs::rename(&view.out_file, view.out_file.with_extension("old")).unwrap();
    done(act(&daemon, BatchAction::ReopenLogs, vec![view.id]).await);
    daemon.act("a", Action::Restart).await.unwrap();
    says(&daemon, "a", "hello").await;
    assert_eq!(std::fs::read_to_string(&view.out_file).unwrap(), "hello\n");
}

/// Sixteen by default; those that are not ready yet count as starting.
#[tokio::test]
async fn no_more_than_so_many_start_at_once() {
    let daemon = Daemon::start().await;
    let specs: Vec<ProcessSpec> = (0..40)
        .map(|number| {
            let mut spec = daemon.spec(&format!("p{number}"), &["sleep", "600"]);
            (spec.ready, spec.listen_timeout_ms) = (Readiness::Notify, 400);
            spec
        })
        .collect();
    let request = batch(specs);
    let mut most = 0;
    let watch = async {
        eventually("all are online", async || {
            let rows = daemon.client.rows().await.unwrap();
            let starting = |row: &&ListRow| row.state == Phase::Launching && row.pid.is_some();
            most = most.max(rows.iter().filter(starting).count());
            let online = rows.iter().filter(|row| row.state == Phase::Online).count();
            (online == 40).then_some(())
        })
        .await;
    };
    let (answer, ()) = tokio::join!(daemon.client.start_batch(&request), watch);
    assert_eq!(done(answer.unwrap()).len(), 40);
    assert!((1..=16).contains(&most), "{most}");
    // A stop of who waits for its turn leaves the others' turns as they were.
    assert!(refusal(daemon.act("p0", Action::Start).await).code == ErrorCode::AlreadyRunning);
}

#[tokio::test]
async fn a_request_that_is_too_large_is_told_so() {
    let daemon = Daemon::start().await;
    let mut spec = daemon.spec("a", &["sleep", "600"]);
    spec.env.insert("LARGE", "x".repeat(5 << 20));
    let refused = refusal(daemon.try_run(spec, 0).await);
    assert_eq!(refused.code, ErrorCode::BadRequest);
    assert!(refused.message.contains("too large"), "{}", refused.message);
    assert!(daemon.client.rows().await.unwrap().is_empty());
}
