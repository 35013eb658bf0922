//! How a session gets its login: by QR code, by pairing code, from one to the other, and not at all.

use api::link::{Command, Heartbeat, PairingCode, PairingStep, SessionReport};
use api::session::SessionState;
use whatsim::{Fault, SimError};

use crate::fixture::{ACCOUNT, Fixture};

fn with_code(request: u64) -> Command {
    let phone = format!("+{ACCOUNT}").parse().unwrap();
    Command::PairWithCode { phone, request }
}

async fn pairing_code(fixture: &Fixture, from: usize) -> PairingCode {
    fixture.plane.beat_from(from, |beat| beat.session.pairing_code.clone()).await
}

async fn at_step(fixture: &Fixture, from: usize, step: PairingStep) -> SessionReport {
    let wanted =
        |beat: &Heartbeat| (beat.session.pairing == Some(step)).then(|| beat.session.clone());
    fixture.plane.beat_from(from, wanted).await
}

/// The network does not know a new folder until it is prepared, so an end of the pairing does not
/// make a new one: these tests stay in one.
#[tokio::test]
async fn a_typed_code_links_the_session_and_is_gone_then() {
    let fixture = Fixture::new().await;
    let running = fixture.start();
    fixture.code_from(0).await;
    let from = fixture.tell(with_code(7)).await;
    let shown = pairing_code(&fixture, from).await;
    assert_eq!((shown.code.len(), shown.phone.digits()), (8, ACCOUNT));
    assert!(shown.expires_at > chrono::Utc::now());
    let report = at_step(&fixture, from, PairingStep::Code).await;
    assert_eq!((report.state, report.pairing_request), (SessionState::QrReady, Some(7)));
    assert_eq!(report.qr, None, "one way at a time");
    fixture.sim.enter_code(&shown.code, ACCOUNT).await.unwrap();
    let connected = fixture.connected_from(from).await.session;
    assert!(connected.paired);
    assert_eq!((connected.pairing, connected.pairing_code, connected.qr), (None, None, None));
    fixture.write("hi");
    fixture.answer_after(0).await;
    running.stop().await;
}

#[tokio::test]
async fn from_qr_to_code_and_back_and_what_was_shown_before_is_void() {
    let fixture = Fixture::new().await;
    let running = fixture.start();
    fixture.code_from(0).await;
    let from = fixture.tell(with_code(1)).await;
    let typed = pairing_code(&fixture, from).await;
    let from = fixture.tell(Command::PairWithQr { request: 2 }).await;
    let qr = fixture.code_from(from).await;
    let report = at_step(&fixture, from, PairingStep::Qr).await;
    assert_eq!((report.pairing_request, report.pairing_code), (Some(2), None));
    assert!(fixture.sim.enter_code(&typed.code, ACCOUNT).await.is_err());
    fixture.sim.scan(&qr, ACCOUNT).await.unwrap();
    fixture.connected_from(from).await;
    running.stop().await;
}

#[tokio::test]
async fn a_pairing_that_was_called_off_shows_nothing_until_somebody_asks() {
    let fixture = Fixture::new().await;
    let running = fixture.start();
    let old = fixture.code_from(0).await;
    let from = fixture.tell(Command::CancelPairing { request: 3 }).await;
    let over = at_step(&fixture, from, PairingStep::Cancelled).await;
    assert_eq!((over.pairing_request, over.qr, over.retry_at), (Some(3), None, None));
    fixture.plane.note("session.pairing_cancelled").await;
    let silent = |beat: &Heartbeat| {
        (beat.session.state == SessionState::Disconnected).then(|| beat.session.detail.clone())
    };
    let detail = fixture.plane.beat_from(from, silent).await.unwrap();
    assert!(detail.contains("called off"), "{detail}");
    assert!(fixture.sim.scan(&old, ACCOUNT).await.is_err(), "the connection is gone");
    let from = fixture.tell(with_code(4)).await;
    let shown = pairing_code(&fixture, from).await;
    fixture.sim.enter_code(&shown.code, ACCOUNT).await.unwrap();
    fixture.connected_from(from).await;
    running.stop().await;
}

#[tokio::test]
async fn codes_that_nobody_scans_come_to_an_end() {
    let mut fixture = Fixture::new().await;
    fixture.set("PAIRING_TIMEOUT_MS", "700");
    let running = fixture.start();
    fixture.code_from(0).await;
    let over = at_step(&fixture, 0, PairingStep::TimedOut).await;
    assert_eq!(over.qr, None);
    let detail = fixture.plane.note("session.pairing_timed_out").await;
    assert_eq!(detail, "pairing timed out; ask for a new code");
    let from = fixture.tell(Command::PairWithQr { request: 1 }).await;
    fixture.code_from(from).await;
    assert!(running.stop().await.as_millis() < 1000);
}

#[tokio::test]
async fn codes_that_whatsapp_expires_are_not_taken_and_the_end_is_told() {
    let fixture = Fixture::new().await;
    let running = fixture.start();
    fixture.code_from(0).await;
    let from = fixture.tell(with_code(1)).await;
    let shown = pairing_code(&fixture, from).await;
    fixture.sim.expire_codes(true);
    let refused = fixture.sim.enter_code(&shown.code, ACCOUNT).await;
    assert!(matches!(refused, Err(SimError::CodeExpired)), "{refused:?}");
    at_step(&fixture, from, PairingStep::TimedOut).await;
    fixture.sim.expire_codes(false);
    let from = fixture.tell(Command::PairWithQr { request: 2 }).await;
    let qr = fixture.code_from(from).await;
    fixture.sim.scan(&qr, ACCOUNT).await.unwrap();
    fixture.connected_from(from).await;
    running.stop().await;
}

#[tokio::test]
async fn a_refused_pairing_code_says_why_and_a_qr_code_still_can_be_had() {
    let fixture = Fixture::new().await;
    let running = fixture.start();
    fixture.code_from(0).await;
    for (code, word) in [(429, "429"), (452, "not available"), (400, "400"), (403, "403")] {
        fixture.sim.inject_times(ACCOUNT, Fault::RefusePairingCode { code }, 1).unwrap();
        let request = u64::from(code);
        let from = fixture.tell(with_code(request)).await;
        let wanted = |beat: &Heartbeat| {
            let it = &beat.session;
            let refused = it.pairing == Some(PairingStep::Refused)
                && it.pairing_request == Some(request)
                && it.detail.is_some();
            refused.then(|| it.detail.clone()).flatten()
        };
        let detail = fixture.plane.beat_from(from, wanted).await;
        assert!(detail.contains(word) && detail.contains("QR code"), "{detail}");
    }
    let from = fixture.tell(Command::PairWithQr { request: 1 }).await;
    let qr = fixture.code_from(from).await;
    fixture.sim.scan(&qr, ACCOUNT).await.unwrap();
    fixture.connected_from(from).await;
    running.stop().await;
}

#[tokio::test]
async fn a_phone_that_demands_a_passkey_is_told_of() {
    let fixture = Fixture::new().await;
    let running = fixture.start();
    fixture.sim.inject_times(ACCOUNT, Fault::DemandPasskey, 1).unwrap();
    let qr = fixture.code_from(0).await;
    let asked = fixture.sim.scan(&qr, ACCOUNT).await;
    assert!(matches!(asked, Err(SimError::PasskeyNeeded)), "{asked:?}");
    at_step(&fixture, 0, PairingStep::PasskeyNeeded).await;
    let detail = fixture.plane.note("session.passkey_needed").await;
    assert!(detail.contains("passkey") && detail.contains("ask for a new code"), "{detail}");
    let from = fixture.tell(Command::PairWithQr { request: 1 }).await;
    let qr = fixture.code_from(from).await;
    fixture.sim.scan(&qr, ACCOUNT).await.unwrap();
    fixture.connected_from(from).await;
    running.stop().await;
}

#[tokio::test]
async fn a_code_whose_connection_was_lost_is_replaced() {
    let fixture = Fixture::new().await;
    let running = fixture.start();
    fixture.code_from(0).await;
    let from = fixture.tell(with_code(1)).await;
    let first = pairing_code(&fixture, from).await;
    assert_eq!(fixture.sim.cut_unlinked(), 1);
    let another =
        |beat: &Heartbeat| beat.session.pairing_code.clone().filter(|code| code.code != first.code);
    let second = fixture.plane.beat_from(from, another).await;
    fixture.sim.enter_code(&second.code, ACCOUNT).await.unwrap();
    fixture.connected_from(from).await;
    running.stop().await;
}

#[tokio::test]
async fn a_network_that_gives_no_code_is_left_and_tried_again() {
    let mut fixture = Fixture::new().await;
    fixture.watch_closely();
    fixture.sim.ignore_unlinked(true);
    let running = fixture.start();
    let waiting = |beat: &Heartbeat| beat.session.retry_at.and(beat.session.detail.clone());
    let detail = fixture.plane.beat(waiting).await;
    assert!(detail.contains("did not go on"), "{detail}");
    fixture.sim.ignore_unlinked(false);
    fixture.pair().await;
    running.stop().await;
}

#[tokio::test]
async fn a_paired_session_does_not_heed_wishes_for_codes() {
    let fixture = Fixture::new().await;
    let running = fixture.start_paired().await;
    let from = fixture.tell(with_code(9)).await;
    let heard =
        |beat: &Heartbeat| (beat.session.pairing_request == Some(9)).then(|| beat.session.clone());
    let report = fixture.plane.beat_from(from, heard).await;
    assert_eq!((report.state, report.pairing), (SessionState::Connected, None));
    running.stop().await;
}
