//! WhatsApp goes away and comes back.

use api::session::SessionState;

use crate::fixture::{ACCOUNT, Fixture};

#[tokio::test]
async fn a_cut_connection_is_made_again_and_the_wait_is_told() {
    let fixture = Fixture::new().await;
    let running = fixture.start_paired().await;
    let from = fixture.plane.beats();
    fixture.sim.cut(ACCOUNT).unwrap();
    let waiting = fixture.state_from(from, SessionState::Disconnected).await.session;
    assert!(waiting.detail.is_some() && waiting.paired);
    let retry_at = fixture.plane.beat_from(from, |beat| beat.session.retry_at).await;
    assert!(retry_at <= chrono::Utc::now() + chrono::Duration::seconds(1));
    let from = fixture.plane.beats();
    fixture.connected_from(from).await;
    fixture.write("hi");
    fixture.answer_after(0).await;
    running.stop().await;
}

#[tokio::test]
async fn a_whatsapp_that_is_out_of_reach_is_told_of_and_tried_until_it_is_back() {
    let mut fixture = Fixture::new().await;
    let running = fixture.start_paired().await;
    running.stop().await;
    let url = fixture.sim.ws_url();
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    fixture.set("WHATSAPP_URL", &format!("ws://{unused}/ws/chat"));
    let from = fixture.plane.beats();
    let running = fixture.start();
    let wanted =
        |beat: &api::link::Heartbeat| beat.session.retry_at.and(beat.session.detail.clone());
    let detail = fixture.plane.beat_from(from, wanted).await;
    assert!(detail.contains("cannot reach WhatsApp at ws://"), "{detail}");
    let loud = fixture.plane.note("session.unreachable").await;
    assert!(loud.contains("3 attempts in a row"), "{loud}");
    assert!(running.is_running(), "it keeps trying");
    assert!(running.stop().await.as_millis() < 1000);

    fixture.set("WHATSAPP_URL", &url);
    let from = fixture.plane.beats();
    let running = fixture.start();
    fixture.connected_from(from).await;
    running.stop().await;
}

#[tokio::test]
async fn refused_connections_are_told_of_and_tried_until_they_are_taken() {
    let fixture = Fixture::new().await;
    fixture.sim.refuse_connections(true);
    let running = fixture.start();
    fixture.plane.note("session.unreachable").await;
    fixture.sim.refuse_connections(false);
    fixture.pair().await;
    running.stop().await;
}
