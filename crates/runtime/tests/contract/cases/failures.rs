use std::time::Duration;

use runtime::{ObservedState, RuntimeError, StopMode};

use crate::place::{Place, kill, pid};
use crate::poll::eventually;

/// Long enough for any program that fails at its start.
const SETTLE: Duration = Duration::from_secs(10);

pub async fn failures_say_what_happened(place: &impl Place) {
    let runtime = place.runtime();
    let mut launch = place.launch("fails", "");
    launch.command = vec!["/no/such/worker".to_owned()];
    match runtime.start(&launch, Duration::ZERO).await {
        Err(RuntimeError::SpawnFailed { message, .. }) => {
            assert!(message.contains("/no/such/worker"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    // PM2 may lose what a program says in its last moment, so this one computes a while before it ends.
    let script = "echo no session; i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done; exit 9";
    let launch = place.launch("fails", script);
    match runtime.start(&launch, SETTLE).await {
        Err(RuntimeError::ExitedEarly { message, log_tail }) => {
            assert!(message.contains("exit code 9"), "{message}");
            // Once, or as often as the runtime has tried before it was told to stop.
            assert!(!log_tail.is_empty() && log_tail.iter().all(|line| line == "no session"));
        }
        other => panic!("{other:?}"),
    }
    let worker = runtime.get("fails").await.unwrap().unwrap();
    assert!(matches!(worker.state, ObservedState::Failed { .. } | ObservedState::Stopped));
    assert!(!worker.wanted);
    let lives = place.launch("fails", "exec sleep 600");
    assert!(pid(&runtime.start(&lives, SETTLE).await.unwrap()) > 0, "a failure is no obstacle");
    runtime.forget("fails").await.unwrap();
}

pub async fn a_crash_is_restarted_and_a_final_exit_is_not(place: &impl Place) {
    let runtime = place.runtime();
    // It ends for good when the file is there.
    let script = "[ -e leave ] && exit 78; exec sleep 600";
    let mut launch = place.launch("crash", script);
    launch.final_exits.insert(78, "another client has the session".to_owned());
    let first = runtime.start(&launch, Duration::ZERO).await.unwrap();
    kill(pid(&first));
    let second = eventually("it runs again", async || {
        let worker = runtime.get("crash").await.unwrap().unwrap();
        let again =
            matches!(worker.state, ObservedState::Running { pid, .. } if pid != self::pid(&first));
        again.then_some(worker)
    })
    .await;
    assert!(second.incarnation > first.incarnation && second.restarts > first.restarts);
    assert_eq!((second.generation, second.wanted), (first.generation, true));

    std::fs::write(place.dir().join("leave"), "").unwrap();
    kill(pid(&second));
    let reason = eventually("it has ended for good", async || {
        match runtime.get("crash").await.unwrap().unwrap().state {
            ObservedState::Failed { reason } => Some(reason),
            _ => None,
        }
    })
    .await;
    assert_eq!(reason, "another client has the session");
    std::fs::remove_file(place.dir().join("leave")).unwrap();
    let anew = runtime.restart(&launch, StopMode::Graceful, Duration::ZERO).await.unwrap();
    assert!(pid(&anew) != pid(&second));
    runtime.forget("crash").await.unwrap();
}
