use std::time::Duration;

use futures::StreamExt as _;
use runtime::{ObservedState, RuntimeError, StopMode, WorkerLaunch};

use crate::place::{Place, lives, pid};
use crate::poll::eventually;

pub async fn a_worker_through_all_verbs(place: &impl Place) {
    let runtime = place.runtime();
    let launch = place.launch("verbs", "echo up $MARK; exec sleep 600");
    let mark = |mark: &str, generation| {
        let mut launch = WorkerLaunch { generation, ..launch.clone() };
        launch.env.insert("MARK".to_owned(), mark.to_owned());
        launch
    };
    let started = runtime.start(&mark("one", 3), Duration::ZERO).await.unwrap();
    let first = pid(&started);
    assert_eq!((started.tenant.as_str(), started.generation), ("tenant-verbs", 3));
    assert!(started.wanted && lives(first));
    let again = runtime.start(&mark("two", 4), Duration::ZERO).await;
    assert_eq!(again, Err(RuntimeError::AlreadyRunning { name: "verbs".to_owned() }));

    let restarted = runtime.restart(&mark("two", 4), StopMode::Graceful, Duration::ZERO).await;
    let restarted = restarted.unwrap();
    assert_eq!(restarted.generation, 4);
    assert!(restarted.incarnation > started.incarnation);
    assert!(!lives(first) && lives(pid(&restarted)));
    assert_eq!(runtime.get("verbs").await.unwrap().unwrap().state, restarted.state);

    let mut lines = runtime.log_follow("verbs", 10).await.unwrap();
    assert_eq!(lines.next().await.unwrap(), "up one");
    assert_eq!(lines.next().await.unwrap(), "up two");
    eventually("the tail holds the last line", async || {
        (runtime.log_tail("verbs", 1).await.unwrap() == ["up two"]).then_some(())
    })
    .await;

    let stopped = runtime.stop("verbs", StopMode::Graceful).await.unwrap();
    assert_eq!((&stopped.state, stopped.wanted), (&ObservedState::Stopped, false));
    assert!(!lives(pid(&restarted)));
    let twice = runtime.stop("verbs", StopMode::Graceful).await.unwrap();
    assert_eq!(twice.state, ObservedState::Stopped);
    let third = runtime.start(&mark("three", 5), Duration::ZERO).await.unwrap();
    assert!(third.incarnation > restarted.incarnation && third.generation == 5);
    assert_eq!(lines.next().await.unwrap(), "up three", "the same log goes on");

    runtime.forget("verbs").await.unwrap();
    assert!(!lives(pid(&third)));
    runtime.forget("verbs").await.unwrap();
    assert_eq!(runtime.get("verbs").await.unwrap(), None);
    let unknown = Err(RuntimeError::Unknown { name: "verbs".to_owned() });
    assert_eq!(runtime.stop("verbs", StopMode::Graceful).await, unknown);
    assert!(matches!(runtime.log_tail("verbs", 1).await, Err(RuntimeError::Unknown { .. })));
    let anew = runtime.restart(&mark("four", 6), StopMode::Force, Duration::ZERO).await.unwrap();
    assert!(anew.incarnation >= 1);
    runtime.forget("verbs").await.unwrap();
}
