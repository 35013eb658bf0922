use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use runtime::{ObservedState, RuntimeEvent, StopMode};

use crate::place::{Place, pid};

/// Waits for the news that a worker is in a state that `wanted` accepts.
async fn until(
    events: &mut BoxStream<'static, RuntimeEvent>,
    name: &str,
    wanted: impl Fn(&ObservedState) -> bool,
) {
    let found = async {
        loop {
            if let RuntimeEvent::Changed(worker) = events.next().await.unwrap()
                && worker.name == name
                && wanted(&worker.state)
            {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), found).await.unwrap();
}

pub async fn a_watch_tells_every_change(place: &impl Place) {
    let runtime = place.runtime();
    let before = place.launch("before", "exec sleep 600");
    let before = runtime.start(&before, Duration::ZERO).await.unwrap();
    place.start_foreign("other").await;
    let names = |workers: &[runtime::ObservedWorker]| {
        workers.iter().map(|worker| worker.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&runtime.list().await.unwrap()), ["before"], "others' processes are left out");
    assert_eq!(runtime.get("other").await.unwrap(), None);
    let health = runtime.health().await.unwrap();
    assert_eq!((health.kind, health.processes), (runtime.kind(), 2));

    let mut events = runtime.watch();
    match events.next().await.unwrap() {
        RuntimeEvent::Sync(workers) => {
            assert_eq!(names(&workers), ["before"]);
            assert_eq!(pid(&workers[0]), pid(&before));
        }
        other => panic!("{other:?}"),
    }
    let launch = place.launch("watched", "exec sleep 600");
    runtime.start(&launch, Duration::ZERO).await.unwrap();
    let running = |state: &ObservedState| matches!(state, ObservedState::Running { .. });
    until(&mut events, "watched", running).await;
    runtime.stop("watched", StopMode::Graceful).await.unwrap();
    until(&mut events, "watched", |state| *state == ObservedState::Stopped).await;
    runtime.forget("watched").await.unwrap();
    let gone = RuntimeEvent::Gone("watched".to_owned());
    let told = async { while events.next().await.unwrap() != gone {} };
    tokio::time::timeout(Duration::from_secs(30), told).await.unwrap();
    runtime.forget("before").await.unwrap();
}
