//! Orders are obeyed at once, also in the middle of a long wait.

use api::link::{Command, Heartbeat};
use api::session::SessionState;
use whatsim::Fault;

use crate::fixture::{ACCOUNT, Fixture, Running};

/// A paired worker that waits for minutes before its next attempt.
async fn waiting() -> (Fixture, Running) {
    let mut fixture = Fixture::new().await;
    fixture.start_paired().await.stop().await;
    fixture.set("RECONNECT_INITIAL_MS", "3000000");
    fixture.set("RECONNECT_MAX_MS", "3000000");
    let from = fixture.plane.beats();
    let running = fixture.start();
    fixture.connected_from(from).await;
    let from = fixture.plane.beats();
    fixture.sim.inject(ACCOUNT, Fault::Cut).unwrap();
    let waits = |beat: &Heartbeat| beat.session.retry_at;
    let retry_at = fixture.plane.beat_from(from, waits).await;
    assert!(retry_at > chrono::Utc::now() + chrono::Duration::minutes(1));
    (fixture, running)
}

#[tokio::test]
async fn a_stop_in_a_long_wait_takes_less_than_a_second() {
    let (_fixture, running) = waiting().await;
    let took = running.stop().await;
    assert!(took.as_millis() < 1000, "{took:?}");
}

#[tokio::test]
async fn a_reconnect_in_a_long_wait_is_made_now() {
    let (fixture, running) = waiting().await;
    let from = fixture.tell(Command::Reconnect { within_ms: 0 }).await;
    fixture.connected_from(from).await;
    running.stop().await;
}

#[tokio::test]
async fn a_reconnect_of_a_fleet_is_spread_over_its_time() {
    let (fixture, running) = waiting().await;
    let from = fixture.tell(Command::Reconnect { within_ms: 500 }).await;
    fixture.connected_from(from).await;
    running.stop().await;
}

#[tokio::test]
async fn a_logout_in_a_long_wait_deletes_the_keys_now() {
    let (fixture, running) = waiting().await;
    let from = fixture.tell(Command::Logout).await;
    fixture.plane.note("session.reset").await;
    let gone = |beat: &Heartbeat| (!beat.session.paired).then_some(());
    fixture.plane.beat_from(from, gone).await;
    running.stop().await;
}

#[tokio::test]
async fn after_a_logout_by_the_phone_a_wish_for_a_code_begins_anew() {
    let fixture = Fixture::new().await;
    let running = fixture.start_paired().await;
    fixture.sim.logout(ACCOUNT).unwrap();
    fixture.state_from(0, SessionState::LoggedOut).await;
    fixture.prepare().await;
    let phone = format!("+{ACCOUNT}").parse().unwrap();
    let from = fixture.tell(Command::PairWithCode { phone, request: 1 }).await;
    let code = fixture.plane.beat_from(from, |beat| beat.session.pairing_code.clone()).await;
    fixture.sim.enter_code(&code.code, ACCOUNT).await.unwrap();
    fixture.connected_from(from).await;
    running.stop().await;
}
