//! Pairing, logging in again, and the ends of a login.

use api::link::Command;
use api::session::SessionState;

use crate::fixture::{ACCOUNT, Fixture};

#[tokio::test]
async fn a_new_session_shows_a_code_and_connects_when_it_is_scanned() {
    let fixture = Fixture::new().await;
    let running = fixture.start();
    let first = fixture.plane.beat(|beat| Some(beat.clone())).await;
    assert_eq!(first.session.state, SessionState::Disconnected);
    assert_eq!((first.generation, first.incarnation), (1, 1));
    assert_eq!(first.pid, Some(std::process::id()));
    let shown = fixture.state_from(0, SessionState::QrReady).await;
    assert!(!shown.session.paired, "a prepared session is not a paired one");
    assert!(shown.session.qr.unwrap().expires_at > chrono::Utc::now());

    let connected = fixture.pair().await.session;
    assert!(connected.paired);
    assert!(connected.jid.unwrap().starts_with(&format!("{ACCOUNT}:")));
    assert_eq!((connected.qr, connected.detail, connected.retry_at), (None, None, None));
    assert!(connected.last_frame_age_ms.unwrap() < 30_000);
    fixture.plane.note("session.paired").await;
    running.stop().await;
}

#[tokio::test]
async fn a_restart_logs_in_again_without_a_code() {
    let fixture = Fixture::new().await;
    fixture.start_paired().await.stop().await;
    let from = fixture.plane.beats();
    let running = fixture.start();
    let first = fixture.plane.beat_from(from, |beat| Some(beat.session.clone())).await;
    assert!(first.paired, "the very first heartbeat knows of the login");
    fixture.connected_from(from).await;
    assert_eq!(fixture.plane.codes_from(from), 0);
    running.stop().await;
}

#[tokio::test]
async fn a_logout_by_the_phone_deletes_the_keys_and_is_not_tried_again() {
    let fixture = Fixture::new().await;
    let running = fixture.start_paired().await;
    fixture.sim.logout(ACCOUNT).unwrap();
    let out = fixture.state_from(0, SessionState::LoggedOut).await.session;
    assert!(out.detail.unwrap().contains("unlinked"));
    assert!(!out.paired);
    assert_eq!((out.retry_at, out.jid), (None, None));
    fixture.plane.note("session.keys_deleted").await;
    assert!(!fixture.session().join("whatsapp.db").exists());
    assert!(running.is_running());
    assert!(running.stop().await.as_millis() < 1000);

    fixture.prepare().await;
    let from = fixture.plane.beats();
    let running = fixture.start();
    let shown = fixture.state_from(from, SessionState::QrReady).await;
    assert!(!shown.session.paired);
    running.stop().await;
}

#[tokio::test]
async fn a_logout_while_the_worker_was_off_is_found_at_the_next_start() {
    let fixture = Fixture::new().await;
    fixture.start_paired().await.stop().await;
    fixture.sim.logout(ACCOUNT).unwrap();
    let from = fixture.plane.beats();
    let running = fixture.start();
    let out = fixture.state_from(from, SessionState::LoggedOut).await.session;
    assert!(out.detail.unwrap().contains("refused the stored login"));
    running.stop().await;
}

#[tokio::test]
async fn an_operators_logout_deletes_the_keys_and_shows_a_new_code() {
    let fixture = Fixture::new().await;
    let running = fixture.start_paired().await;
    fixture.plane.listened_to().await;
    let from = fixture.plane.beats();
    fixture.plane.command(Command::Logout);
    fixture.plane.note("session.reset").await;
    // The new, empty session does not know the simulated network: it cannot reach it until it is
    // prepared, between two of the worker's attempts.
    let waiting = |beat: &api::link::Heartbeat| beat.session.retry_at.is_some().then_some(());
    fixture.plane.beat_from(from, waiting).await;
    fixture.prepare().await;
    let shown = fixture.state_from(from, SessionState::QrReady).await;
    assert!(!shown.session.paired);
    running.stop().await;
}

#[tokio::test]
async fn a_worker_whose_login_another_client_took_ends_and_does_not_fight() {
    let fixture = Fixture::new().await;
    let running = fixture.start_paired().await;
    fixture.sim.replace(ACCOUNT).unwrap();
    let failure = running.failure().await;
    assert_eq!(failure.exit_code(), 78, "{failure}");
    fixture.plane.note("session.replaced").await;
}
