//! How a worker ends, and what keeps it from beginning.

use api::session::SessionState;

use crate::fixture::Fixture;

#[tokio::test]
async fn a_worker_ends_within_a_second_whatever_it_is_doing() {
    let fixture = Fixture::new().await;
    let running = fixture.start();
    fixture.plane.beat(|_| Some(())).await;
    let starting = running.stop().await;
    let from = fixture.plane.beats();
    let running = fixture.start();
    fixture.state_from(from, SessionState::QrReady).await;
    let scanning = running.stop().await;
    let from = fixture.plane.beats();
    let running = fixture.start();
    let qr = fixture.plane.beat_from(from, |beat| beat.session.qr.clone()).await;
    fixture.sim.scan(&qr.code, crate::fixture::ACCOUNT).await.unwrap();
    fixture.connected_from(from).await;
    let connected = running.stop().await;
    for took in [starting, scanning, connected] {
        assert!(took.as_millis() < 1000, "{starting:?} {scanning:?} {connected:?}");
    }
}

#[tokio::test]
async fn a_second_worker_on_the_session_is_refused_and_the_first_goes_on() {
    let fixture = Fixture::new().await;
    let running = fixture.start_paired().await;
    let failure = fixture.start().failure().await;
    assert_eq!(failure.exit_code(), 75, "{failure}");
    assert!(failure.to_string().contains("another worker"), "{failure}");
    fixture.write("hi");
    fixture.answer_after(0).await;
    running.stop().await;
}

#[tokio::test]
async fn a_missing_token_file_is_named() {
    let mut fixture = Fixture::new().await;
    fixture.set("TENANTRY_TOKEN_FILE", "/nonexistent/token");
    let failure = fixture.start().failure().await;
    assert_eq!(failure.exit_code(), 2);
    assert!(failure.to_string().contains("/nonexistent/token"), "{failure}");
}
