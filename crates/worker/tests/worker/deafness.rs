//! Connections that look alive and are not, and lines that are only slow or quiet.

use api::link::{Heartbeat, TroubleKind};
use api::session::SessionState;
use whatsim::{Fault, FaultKind};
use worker::WorkerError;

use crate::fixture::{ACCOUNT, Fixture};

/// Each of them is found by a ping and healed by one new connection.
#[tokio::test]
async fn a_connection_that_died_silently_is_found_and_made_again() {
    for fault in [Fault::Stall, Fault::Deaf, Fault::Mute] {
        let mut fixture = Fixture::new().await;
        fixture.watch_closely();
        let running = fixture.start_paired().await;
        fixture.sim.inject(ACCOUNT, fault).unwrap();
        let told = fixture.plane.note("session.stalled").await;
        assert!(told.contains("does not answer a ping"), "{fault:?}: {told}");
        let again = |beat: &Heartbeat| {
            let health = beat.health.as_ref()?;
            (beat.session.state == SessionState::Connected && health.reconnects > 0).then_some(())
        };
        fixture.plane.beat(again).await;
        fixture.write("hi");
        fixture.answer_after(0).await;
        assert!(running.is_running());
        running.stop().await;
    }
}

/// A quiet number and a slow line are not deaf: pings are answered, and that is measured.
#[tokio::test]
async fn a_quiet_or_slow_line_is_left_alone() {
    let mut fixture = Fixture::new().await;
    fixture.set("LIVENESS_QUIET_MS", "300");
    fixture.set("LIVENESS_PATIENCE_MS", "5000");
    let running = fixture.start_paired().await;
    let pinged = |beat: &Heartbeat| beat.health.as_ref()?.ping_ms;
    fixture.plane.beat(pinged).await;
    fixture.sim.inject(ACCOUNT, Fault::Slow { delay_ms: 300 }).unwrap();
    let from = fixture.plane.beats();
    let slow = |beat: &Heartbeat| beat.health.as_ref()?.ping_ms.filter(|ms| *ms >= 300);
    fixture.plane.beat_from(from, slow).await;
    let beat = fixture.plane.beat_from(fixture.plane.beats(), |beat| Some(beat.clone())).await;
    assert_eq!(beat.session.state, SessionState::Connected);
    let health = beat.health.unwrap();
    assert_eq!(health.reconnects, 0, "{health:?}");
    assert!(health.pss_kb.unwrap() > 0 && health.rss_kb.unwrap() >= health.pss_kb.unwrap());
    running.stop().await;
}

/// A network on which every connection dies: another connection, then another process, then an alert,
/// and rare attempts, of which the first that can heals everything.
#[tokio::test]
async fn deafness_that_lasts_is_healed_in_steps_and_then_told_loudly() {
    let mut fixture = Fixture::new().await;
    fixture.watch_closely();
    let running = fixture.start_paired().await;
    fixture.sim.inject(ACCOUNT, Fault::Stall).unwrap();
    fixture.plane.note("session.stalled").await;
    let again = |beat: &Heartbeat| {
        let reconnects = beat.health.as_ref()?.reconnects;
        (beat.session.state == SessionState::Connected && reconnects == 1).then_some(())
    };
    fixture.plane.beat(again).await;
    fixture.sim.inject(ACCOUNT, Fault::Stall).unwrap();
    let failure = running.failure().await;
    assert!(matches!(failure, WorkerError::Deaf));
    assert_eq!(failure.exit_code(), 70, "a code that the supervisor starts anew after");

    let from = fixture.plane.beats();
    let running = fixture.start();
    fixture.connected_from(from).await;
    fixture.sim.inject(ACCOUNT, Fault::Stall).unwrap();
    fixture.plane.beat_from(from, again).await;
    fixture.sim.inject(ACCOUNT, Fault::Stall).unwrap();
    let loud = fixture.plane.note("session.deaf").await;
    assert!(loud.contains("in a new process too"), "{loud}");
    let report = fixture.trouble_from(from).await;
    assert_eq!(report.trouble.unwrap().kind, TroubleKind::Deaf);
    assert!(report.retry_at.is_some());
    // It is tried once more all the same, and works.
    let healed = fixture.plane.beats();
    fixture.connected_from(healed).await;
    fixture.write("hi");
    fixture.answer_after(0).await;
    running.stop().await;
}

/// A login that is not answered is given up, and made anew.
#[tokio::test]
async fn a_login_that_stays_unanswered_is_given_up() {
    let mut fixture = Fixture::new().await;
    fixture.start_paired().await.stop().await;
    fixture.watch_closely();
    fixture.sim.inject_until_ended(ACCOUNT, Fault::Mute).unwrap();
    let from = fixture.plane.beats();
    let running = fixture.start();
    let waiting = |beat: &Heartbeat| beat.session.retry_at.and(beat.session.detail.clone());
    let detail = fixture.plane.beat_from(from, waiting).await;
    assert!(detail.contains("did not go on"), "{detail}");
    fixture.sim.end_fault(ACCOUNT, FaultKind::Mute).unwrap();
    fixture.connected_from(from).await;
    running.stop().await;
}
