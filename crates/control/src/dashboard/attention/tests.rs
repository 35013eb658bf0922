#![allow(clippy::unwrap_used, reason = "a test may fail")]

use api::fleet::AttentionKind::{
    self, Failed, LimitHit, LoggedOut, QrWaiting, RestartLoop, Stale, Trouble as InTrouble,
};
use api::link::{Trouble, TroubleKind};
use proptest::prelude::*;

use super::*;

fn fine() -> Signs<'static> {
    Signs {
        wanted: true,
        status: WorkerStatus::Running,
        heartbeat: HeartbeatHealth::OnTime,
        beats: true,
        restarts: 0,
        trouble: None,
        session: SessionState::Connected,
        pairing: None,
        limit_hit: None,
    }
}

fn banned() -> Trouble {
    Trouble { kind: TroubleKind::Banned, detail: "the account is banned".to_owned() }
}

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

#[test]
fn each_kind_has_its_signs() {
    let (banned, now) = (banned(), now());
    let ago = |seconds| Some(now - TimeDelta::seconds(seconds));
    let error = Signs { status: WorkerStatus::Error, ..fine() };
    let cases: [(Signs<'_>, Option<AttentionKind>); 16] = [
        (fine(), None),
        (Signs { heartbeat: HeartbeatHealth::Stale, ..error.clone() }, Some(Stale)),
        (Signs { status: WorkerStatus::Backoff, ..fine() }, Some(RestartLoop)),
        (Signs { restarts: 3, ..error.clone() }, Some(RestartLoop)),
        (error.clone(), Some(Failed)),
        (Signs { trouble: Some(&banned), ..error.clone() }, Some(InTrouble)),
        (Signs { session: SessionState::LoggedOut, ..fine() }, Some(LoggedOut)),
        (Signs { session: SessionState::QrReady, ..fine() }, Some(QrWaiting)),
        (
            Signs {
                session: SessionState::Disconnected,
                pairing: Some(PairingStep::TimedOut),
                ..fine()
            },
            Some(QrWaiting),
        ),
        (Signs { session: SessionState::Disconnected, ..fine() }, None),
        (Signs { status: WorkerStatus::Starting, ..fine() }, None),
        (Signs { heartbeat: HeartbeatHealth::Late, ..fine() }, None),
        (Signs { limit_hit: ago(599), ..fine() }, Some(LimitHit)),
        (Signs { limit_hit: ago(600), ..fine() }, None),
        (Signs { wanted: false, limit_hit: ago(1), ..error.clone() }, Some(LimitHit)),
        (Signs { wanted: false, session: SessionState::LoggedOut, ..error }, None),
    ];
    for (signs, wanted) in cases {
        assert_eq!(signs.kind(now), wanted, "{signs:?}");
    }
}

#[test]
fn a_reason_says_what_is_known_and_stays_short() {
    let signs = Signs { status: WorkerStatus::Backoff, ..fine() };
    assert_eq!(
        signs.reason(RestartLoop, Some("exit code 1")),
        "The worker died and is started again: exit code 1"
    );
    assert_eq!(signs.reason(Failed, Some(" ")), "The worker failed.");
    let long = signs.reason(Failed, Some(&"ä".repeat(5000)));
    assert!(long.chars().count() < LONGEST + 40 && long.ends_with('…'), "{long}");
    let deaf = signs.reason(Stale, None);
    assert_ne!(deaf, Signs { beats: false, ..fine() }.reason(Stale, None));
}

fn any_signs() -> impl Strategy<Value = (Signs<'static>, bool)> {
    let status = prop::sample::select(vec![
        WorkerStatus::Stopped,
        WorkerStatus::Starting,
        WorkerStatus::Running,
        WorkerStatus::Stopping,
        WorkerStatus::Backoff,
        WorkerStatus::Error,
    ]);
    let session = prop::sample::select(vec![
        SessionState::Disconnected,
        SessionState::QrReady,
        SessionState::Connected,
        SessionState::LoggedOut,
    ]);
    let heartbeat = prop::sample::select(vec![
        HeartbeatHealth::OnTime,
        HeartbeatHealth::Stale,
        HeartbeatHealth::None,
    ]);
    (any::<bool>(), status, session, heartbeat, 0_u32..3, any::<bool>(), any::<bool>()).prop_map(
        |(wanted, status, session, heartbeat, restarts, limit, troubled)| {
            let limit_hit = limit.then(now);
            (Signs { wanted, status, session, heartbeat, restarts, limit_hit, ..fine() }, troubled)
        },
    )
}

proptest! {
    #[test]
    fn a_limit_hides_nothing_and_every_error_is_told((signs, troubled) in any_signs()) {
        let banned = banned();
        let signs = Signs { trouble: troubled.then_some(&banned), ..signs };
        let kind = signs.kind(now());
        let without = Signs { limit_hit: None, ..signs.clone() }.kind(now());
        prop_assert_eq!(kind, without.or_else(|| signs.limit_hit.map(|_| LimitHit)));
        if signs.wanted && matches!(signs.status, WorkerStatus::Error | WorkerStatus::Backoff) {
            prop_assert!(kind.is_some_and(|kind| kind < LoggedOut));
        }
        if let Some(kind) = kind {
            prop_assert!(!signs.reason(kind, None).is_empty());
        }
    }
}
