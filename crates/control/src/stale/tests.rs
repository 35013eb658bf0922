use std::time::Duration;

use api::session::SessionState;
use api::worker::HeartbeatMode;
use proptest::prelude::*;

use super::{MIN_DEAF, Signs, Verdict, verdict};

const THRESHOLD: Duration = Duration::from_secs(120);

fn beating() -> Signs {
    Signs {
        heartbeat: HeartbeatMode::Link,
        silent_for: Duration::from_secs(5),
        session: SessionState::Connected,
        last_frame_age: Some(Duration::from_secs(10)),
        since_restart: None,
    }
}

fn is_stale(signs: &Signs) -> bool {
    matches!(verdict(signs, THRESHOLD), Verdict::Stale { .. })
}

#[test]
fn silence_is_stale_in_every_session_state() {
    for session in [
        SessionState::Connected,
        SessionState::QrReady,
        SessionState::Disconnected,
        SessionState::LoggedOut,
    ] {
        assert!(is_stale(&Signs { silent_for: Duration::from_secs(121), session, ..beating() }));
    }
}

#[test]
fn only_a_connected_session_can_be_deaf() {
    let deaf = Signs { last_frame_age: Some(Duration::from_secs(600)), ..beating() };
    assert!(is_stale(&deaf));
    assert!(!is_stale(&Signs { session: SessionState::QrReady, ..deaf }));
    assert!(!is_stale(&Signs { session: SessionState::Disconnected, ..deaf }));
}

#[test]
fn a_short_threshold_does_not_make_an_idle_line_deaf() {
    let idle = Signs { last_frame_age: Some(Duration::from_secs(30)), ..beating() };
    assert_eq!(verdict(&idle, Duration::from_secs(6)), Verdict::Fine);
    assert!(MIN_DEAF >= Duration::from_secs(60));
}

#[test]
fn a_process_heartbeat_is_never_stale() {
    let silent = Duration::from_secs(9999);
    assert!(!is_stale(&Signs {
        heartbeat: HeartbeatMode::Process,
        silent_for: silent,
        ..beating()
    }));
}

proptest! {
    #[test]
    fn restarts_are_at_most_one_in_a_threshold(silent in 0_u64..1000, since in proptest::option::of(0_u64..1000)) {
        let signs = Signs {
            silent_for: Duration::from_secs(silent),
            since_restart: since.map(Duration::from_secs),
            ..beating()
        };
        if let Verdict::Stale { restart, .. } = verdict(&signs, THRESHOLD) {
            prop_assert_eq!(restart, since.is_none_or(|since| since > THRESHOLD.as_secs()));
        } else {
            prop_assert!(silent <= THRESHOLD.as_secs());
        }
    }
}
