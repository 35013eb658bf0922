//! The control plane goes away, comes back, and sends a worker off.

use whatsim::Config;

use crate::fixture::{ACCOUNT, Fixture};
use crate::plane::PATIENCE;

#[tokio::test]
async fn without_a_control_plane_the_worker_goes_on_and_tells_later() {
    let fixture = Fixture::new().await;
    let running = fixture.start_paired().await;
    fixture.write("one");
    fixture.answer_after(0).await;
    fixture.plane.messages(2).await;
    fixture.plane.refuse(Some((503, "starting")));
    fixture.write("two");
    fixture.answer_after(1).await;
    assert_eq!(fixture.plane.messages_now().len(), 2);
    running.stop().await;

    // The next worker starts in the dark with the settings it knew, and still answers.
    let running = fixture.start();
    fixture.sim.wait_online(ACCOUNT, PATIENCE).await.unwrap();
    fixture.write("three");
    fixture.answer_after(2).await;
    assert_eq!(fixture.plane.messages_now().len(), 2);
    fixture.plane.refuse(None);
    let heard = fixture.plane.messages(6).await;
    let texts: Vec<&str> = heard.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["one", "hello", "two", "hello", "three", "hello"]);
    running.stop().await;
}

#[tokio::test]
async fn a_control_plane_that_starts_after_the_worker_is_found() {
    let fixture = Fixture::without_plane(Config::default()).await;
    let running = fixture.start();
    // The session does not wait for the control plane.
    let mut events = fixture.sim.events();
    tokio::time::timeout(PATIENCE, events.recv()).await.unwrap().unwrap();
    fixture.plane.listen();
    fixture.pair().await;
    running.stop().await;
}

#[tokio::test]
async fn a_worker_that_a_newer_one_replaced_ends_itself() {
    let fixture = Fixture::new().await;
    let running = fixture.start_paired().await;
    fixture.plane.refuse(Some((409, "stale_generation")));
    let failure = running.failure().await;
    assert_eq!(failure.exit_code(), 76, "{failure}");
    // It left WhatsApp, so that the newer one is not taken for a second client.
    fixture.sim.wait_link(ACCOUNT, whatsim::LinkState::Offline, PATIENCE).await.unwrap();
}

#[tokio::test]
async fn a_worker_whose_token_is_refused_ends_itself() {
    let fixture = Fixture::new().await;
    fixture.plane.refuse(Some((401, "unauthorized")));
    let failure = fixture.start().failure().await;
    assert_eq!(failure.exit_code(), 77, "{failure}");
}

#[tokio::test]
async fn other_refusals_do_not_end_the_worker() {
    let fixture = Fixture::new().await;
    fixture.plane.refuse(Some((409, "worker_busy")));
    let running = fixture.start();
    let mut events = fixture.sim.events();
    tokio::time::timeout(PATIENCE, events.recv()).await.unwrap().unwrap();
    fixture.plane.refuse(None);
    fixture.pair().await;
    running.stop().await;
}
