use std::path::Path;
use std::time::Duration;

use runtime::{ObservedState, StopMode};

use crate::place::{Place, lives};
use crate::poll::eventually;

/// The pid that a process has written into a file.
async fn written(path: &Path) -> u32 {
    eventually(&format!("{} is written", path.display()), async || {
        std::fs::read_to_string(path).ok()?.trim().parse().ok()
    })
    .await
}

/// A child, a grandchild in a session of its own, and one whose parent has left.
pub async fn a_stop_ends_the_whole_tree(place: &impl Place) {
    let runtime = place.runtime();
    let script = "sh -c 'sleep 600 & echo $! > child; wait' &
        setsid sh -c 'echo $$ > apart; exec sleep 600' &
        (setsid sh -c 'echo $$ > orphan; exec sleep 600' &)
        wait";
    let mut launch = place.launch("tree", script);
    launch.kill_timeout = Duration::from_millis(300);
    runtime.start(&launch, Duration::ZERO).await.unwrap();
    let mut pids = Vec::new();
    for file in ["child", "apart", "orphan"] {
        pids.push(written(&place.dir().join(file)).await);
    }
    assert!(pids.iter().all(|pid| lives(*pid)));
    let stopped = runtime.stop("tree", StopMode::Graceful).await.unwrap();
    assert_eq!(stopped.state, ObservedState::Stopped);
    let left: Vec<_> = pids.iter().filter(|pid| lives(**pid)).collect();
    assert!(left.is_empty(), "{left:?} of {pids:?} live on");
    runtime.forget("tree").await.unwrap();
}

pub async fn a_forced_stop_is_quick(place: &impl Place) {
    let runtime = place.runtime();
    let script = "trap '' TERM INT; echo $$ > stubborn; while :; do sleep 0.1; done";
    let mut launch = place.launch("stubborn", script);
    launch.kill_timeout = Duration::from_secs(600);
    runtime.start(&launch, Duration::ZERO).await.unwrap();
    let pid = written(&place.dir().join("stubborn")).await;
    let stopping = runtime.stop("stubborn", StopMode::Force);
    let stopped = tokio::time::timeout(Duration::from_secs(60), stopping).await.unwrap().unwrap();
    assert_eq!((stopped.state, stopped.wanted), (ObservedState::Stopped, false));
    assert!(!lives(pid));
    runtime.forget("stubborn").await.unwrap();
}
