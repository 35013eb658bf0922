//! The ends of a connection, each with its policy.

use api::link::{Heartbeat, TroubleKind};
use api::session::SessionState;
use whatsim::{Fault, Malformed};

use crate::fixture::{ACCOUNT, Fixture};

/// How often the account's device has logged in.
fn logins(fixture: &Fixture) -> u64 {
    fixture.sim.account(ACCOUNT).unwrap().logins
}

#[tokio::test]
async fn a_stream_error_is_followed_by_another_connection() {
    for code in [429, 500, 503] {
        let fixture = Fixture::new().await;
        let running = fixture.start_paired().await;
        let from = fixture.plane.beats();
        fixture.sim.inject(ACCOUNT, Fault::StreamError { code }).unwrap();
        let waiting = |beat: &Heartbeat| beat.session.retry_at;
        fixture.plane.beat_from(from, waiting).await;
        let from = fixture.plane.beats();
        fixture.connected_from(from).await;
        running.stop().await;
    }
}

/// The first wait of this worker is far longer than the test.
#[tokio::test]
async fn a_restart_that_whatsapp_asks_for_is_made_at_once() {
    let mut fixture = Fixture::new().await;
    fixture.start_paired().await.stop().await;
    fixture.set("RECONNECT_INITIAL_MS", "600000");
    fixture.set("RECONNECT_MAX_MS", "600000");
    let from = fixture.plane.beats();
    let running = fixture.start();
    fixture.connected_from(from).await;
    let before = logins(&fixture);
    fixture.sim.inject(ACCOUNT, Fault::StreamError { code: 515 }).unwrap();
    let again = |beat: &Heartbeat| {
        (beat.session.state == SessionState::Connected && logins(&fixture) > before).then_some(())
    };
    fixture.plane.beat_from(from, again).await;
    running.stop().await;
}

#[tokio::test]
async fn a_conflict_ends_the_worker_and_the_keys_stay() {
    for fault in [Fault::StreamError { code: 409 }, Fault::Replace] {
        let fixture = Fixture::new().await;
        let running = fixture.start_paired().await;
        fixture.sim.inject(ACCOUNT, fault).unwrap();
        let failure = running.failure().await;
        assert_eq!(failure.exit_code(), 78, "{fault:?}: {failure}");
        assert!(fixture.session().join("whatsapp.db").exists());
    }
}

#[tokio::test]
async fn a_device_that_was_removed_is_logged_out() {
    for fault in [Fault::StreamError { code: 401 }, Fault::Logout] {
        let fixture = Fixture::new().await;
        let running = fixture.start_paired().await;
        fixture.sim.inject(ACCOUNT, fault).unwrap();
        let out = fixture.state_from(0, SessionState::LoggedOut).await.session;
        assert!(!out.paired && out.retry_at.is_none(), "{fault:?}");
        running.stop().await;
    }
}

/// What a refused login comes to, by its reason.
#[tokio::test]
async fn each_refusal_of_a_login_has_its_policy() {
    let cases = [
        (402, TroubleKind::BannedForNow, true),
        (403, TroubleKind::Banned, false),
        (406, TroubleKind::Banned, false),
        (405, TroubleKind::Outdated, true),
    ];
    for (reason, kind, retries) in cases {
        let mut fixture = Fixture::new().await;
        fixture.start_paired().await.stop().await;
        fixture.set("RECONNECT_PROBE_MS", "600000");
        fixture.sim.inject_until_ended(ACCOUNT, Fault::RefuseLogin { reason }).unwrap();
        let from = fixture.plane.beats();
        let running = fixture.start();
        let report = fixture.trouble_from(from).await;
        assert_eq!(report.state, SessionState::Disconnected);
        let trouble = report.trouble.unwrap();
        assert_eq!(trouble.kind, kind, "{reason}: {trouble:?}");
        assert_eq!(report.retry_at.is_some(), retries, "{reason}");
        if reason == 402 {
            let wait = report.retry_at.unwrap() - chrono::Utc::now();
            assert!(wait > chrono::Duration::minutes(50), "as long as the ban: {wait}");
        }
        assert!(report.paired, "{reason}: the keys stay");
        // An operator brings it back when WhatsApp takes the login again.
        fixture.sim.end_faults(ACCOUNT).unwrap();
        let from = fixture.tell(api::link::Command::Reconnect { within_ms: 0 }).await;
        let back = fixture.connected_from(from).await.session;
        assert_eq!(back.trouble, None);
        running.stop().await;
    }
}

#[tokio::test]
async fn a_service_that_has_trouble_is_tried_again_soon() {
    for reason in [500, 503] {
        let fixture = Fixture::new().await;
        fixture.start_paired().await.stop().await;
        fixture.sim.inject_times(ACCOUNT, Fault::RefuseLogin { reason }, 1).unwrap();
        let from = fixture.plane.beats();
        let running = fixture.start();
        let waiting = |beat: &Heartbeat| beat.session.retry_at.and(beat.session.detail.clone());
        let detail = fixture.plane.beat_from(from, waiting).await;
        assert!(detail.contains("refuses the login"), "{detail}");
        fixture.connected_from(from).await;
        running.stop().await;
    }
}

/// A login that is refused without a reason is tried as often as any other, and then rarely.
#[tokio::test]
async fn refusals_without_a_reason_come_to_an_end() {
    let fixture = Fixture::new().await;
    fixture.start_paired().await.stop().await;
    fixture.sim.inject_until_ended(ACCOUNT, Fault::RefuseLogin { reason: 409 }).unwrap();
    let from = fixture.plane.beats();
    let running = fixture.start();
    let report = fixture.trouble_from(from).await;
    let trouble = report.trouble.unwrap();
    assert_eq!(trouble.kind, TroubleKind::Refused);
    assert!(trouble.detail.contains("3 attempts in a row"), "{trouble:?}");
    fixture.sim.end_faults(ACCOUNT).unwrap();
    fixture.connected_from(from).await;
    running.stop().await;
}

/// Connections that are lost again and again, each after a login that went well, count too.
#[tokio::test]
async fn a_connection_that_never_stays_ends_in_error_and_one_that_does_leaves_it() {
    let fixture = Fixture::new().await;
    let running = fixture.start_paired().await;
    let from = fixture.plane.beats();
    fixture.sim.inject_until_ended(ACCOUNT, Fault::Cut).unwrap();
    let report = fixture.trouble_from(from).await;
    assert_eq!(report.trouble.unwrap().kind, TroubleKind::Unreachable);
    assert!(report.retry_at.is_some());
    fixture.plane.note("session.unreachable").await;
    fixture.sim.end_faults(ACCOUNT).unwrap();
    let from = fixture.plane.beats();
    let back = fixture.connected_from(from).await.session;
    assert_eq!(back.trouble, None);
    running.stop().await;
}

#[tokio::test]
async fn malformed_stanzas_do_no_harm() {
    let fixture = Fixture::new().await;
    let running = fixture.start_paired().await;
    let stanzas = [
        Malformed::Garbage,
        Malformed::UnknownStanza,
        Malformed::NoSender,
        Malformed::NoId,
        Malformed::NoCiphertext,
        Malformed::UnknownCiphertext,
        Malformed::SenselessCiphertext,
    ];
    for (n, stanza) in stanzas.into_iter().enumerate() {
        fixture.sim.inject(ACCOUNT, Fault::Malformed { stanza }).unwrap();
        fixture.write("still there?");
        fixture.answer_after(u64::try_from(n).unwrap()).await;
    }
    let undecryptable = |beat: &Heartbeat| {
        beat.health.as_ref().map(|health| health.decrypt_failures).filter(|count| *count > 0)
    };
    fixture.plane.beat(undecryptable).await;
    assert!(running.is_running());
    running.stop().await;
}
